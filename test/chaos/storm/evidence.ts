/**
 * What the processes of a storm saw, a line each, written synchronously to files opened with O_APPEND: it survives
 * SIGKILL. `what pid ms key id attempt more`, with `-` for what there is none of.
 *
 * A producer says: attempt, accept, gaveUp (a flow that may or may not be there), refused (an error that should not
 * be), cancel (before it asks), cancelled, result, hung, done. A worker: start, end, fail, ready, error, took (how a
 * settlement was taken). Both: unhandled, warning, sample.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

export interface Line {
  readonly what: string;
  readonly pid: number;
  /** Epoch ms. */
  readonly at: number;
  readonly key: string;
  readonly id: string;
  readonly attempt: number;
  /** Of a run its name, unlike any other's, and at its end its result as JSON; else what there is to say. */
  readonly more: string;
}

export type Write = (
  what: string,
  line?: { key?: string; id?: string; attempt?: number; more?: string },
) => void;

export function openEvidence(file: string): Write {
  const descriptor = openSync(file, 'a');
  return (what, { key = '-', id = '-', attempt = 0, more = '' } = {}) => {
    const text = more.replaceAll('\n', ' ');
    writeSync(descriptor, `${what} ${process.pid} ${Date.now()} ${key} ${id} ${attempt} ${text}\n`);
  };
}

export function readEvidence(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => {
      const [what, pid, at, key, id, attempt, ...more] = text.split(' ');
      return {
        what: what!,
        pid: Number(pid),
        at: Number(at),
        key: key!,
        id: id!,
        attempt: Number(attempt),
        more: more.join(' '),
      };
    });
}

/** Nothing may be thrown where nobody catches it, and Node may have nothing to warn of. */
export function watchProcess(write: Write): void {
  const text = (thrown: unknown) => (thrown instanceof Error ? thrown.stack! : String(thrown));
  process.on('unhandledRejection', (reason) => write('unhandled', { more: text(reason) }));
  process.on('uncaughtExceptionMonitor', (error) => write('unhandled', { more: text(error) }));
  process.on('warning', (warning) => write('warning', { more: text(warning) }));
}

/**
 * Resolves when the parent asks to end; a process without a parent ends at once: a storm that is killed leaves nobody.
 * To be called once: a message that came before there was a listener is given to one alone.
 */
export function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    const orphaned = () => process.exit(1);
    if (!process.connected) orphaned();
    process.once('disconnect', orphaned);
    process.once('message', () => {
      process.off('disconnect', orphaned);
      resolve();
    });
  });
}

/** How big a process is, in bytes, and what keeps it alive. */
export interface Sample {
  readonly rss: number;
  /** After a collection, where the process was started with `--expose-gc`. */
  readonly heap: number;
  /** Timers, sockets and the like. */
  readonly resources: number;
  /** On `process` itself. */
  readonly listeners: number;
}

export function sampleEvery(ms: number, write: Write): void {
  const { gc } = globalThis as { gc?: () => void };
  setInterval(() => {
    gc?.();
    const { rss, heapUsed: heap } = process.memoryUsage();
    const listeners = process
      .eventNames()
      .reduce((sum, name) => sum + process.listenerCount(name), 0);
    const resources = process.getActiveResourcesInfo().length;
    write('sample', { more: JSON.stringify({ rss, heap, resources, listeners } satisfies Sample) });
  }, ms).unref();
}
