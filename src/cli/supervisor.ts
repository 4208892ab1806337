/**
 * Keeps worker processes running: starts one again when it dies (soon at first, later more patiently), and all
 * of them when a watched file changes. Its children run in process groups of their own, and hear of signals
 * from us, by their IPC channel: whoever signals all of us stops each of them once. When we are gone, that channel breaks
 * and they stop too.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../job/log.ts';
import { SIGNALS, WRONG_USAGE } from './command.ts';
import { filesIn, SUPERVISED, whenAskedToStop } from './process.ts';
import { watchFiles } from './watch.ts';

const RESTART_MS = 500;
const RESTART_MOST_MS = 30_000;
/** A child that lived this long counts as well: the next restart is a quick one again. */
const HEALTHY_MS = 10_000;

export interface SuperviseOptions {
  processes: number;
  watch: boolean;
  /** A process that ends by itself with exit code 0 has done its work. */
  burst: boolean;
  logger: Logger;
}

/** @returns the exit code, when a signal or the end of all processes has ended it */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { processes, watch, burst, logger } = options;
  const running = new Set<ChildProcess>();
  let stopping = false;
  /** Aborted when those that run are told to end; who waits to start another need wait no longer. */
  let told = new AbortController();
  const tell = (reason: string) => {
    for (const child of running) {
      if (child.connected) child.send(reason, () => {});
      else child.kill();
    }
    told.abort();
    told = new AbortController();
  };
  const onChange = () => {
    logger.info('a file changed; starting again');
    tell('a file changed');
  };
  const watcher = watch ? watchFiles(onChange) : undefined;
  const stopListening = whenAskedToStop((reason) => {
    watcher?.close();
    stopping = true;
    tell(reason);
  });

  /** One process, and its successors. @returns the exit code of the last one */
  async function keep(index: number): Promise<number> {
    for (let failures = 0; ;) {
      const startedAt = performance.now();
      const { signal: over } = told;
      const child = fork(process.argv[1]!, process.argv.slice(2), {
        env: { ...process.env, [SUPERVISED]: String(index + 1) },
        detached: true,
      });
      running.add(child);
      child.on('message', (message) => {
        const files = filesIn(message);
        if (files) watcher?.add(files);
      });
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      running.delete(child);
      // Ended by a signal to all of us: it had not come so far as to claim anything.
      if (stopping) return code ?? (SIGNALS.some((each) => each === signal) ? 0 : 1);
      if (over.aborted) continue; // a file changed
      if ((burst && code === 0) || (!watch && code === WRONG_USAGE)) return code;
      const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
      if (watch) {
        // Most likely the file doesn't load: only a change mends that.
        logger.warn(`the worker process ${how}; waiting for a change`);
        await once(over, 'abort');
      } else {
        if (performance.now() - startedAt > HEALTHY_MS) failures = 0;
        const inMs = Math.min(RESTART_MS * 2 ** failures++, RESTART_MOST_MS);
        logger.warn(`a worker process ${how}; starting another`, { inMs });
        await sleep(inMs, undefined, { signal: over }).catch(() => {});
      }
      if (stopping) return 0;
    }
  }

  const exitCodes = await Promise.all(Array.from({ length: processes }, (_, i) => keep(i)));
  stopListening();
  watcher?.close();
  return Math.max(...exitCodes);
}
