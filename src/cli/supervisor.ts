/**
 * Keeps worker processes running: starts one again when it dies (soon at first, later more patiently), and all
 * of them when a watched file changes. Its children run in process groups of their own, so that Ctrl-C in a
 * terminal reaches only us, and each of them hears of it once; when we are gone, their IPC channel breaks and
 * they stop too.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../job/log.ts';
import { WRONG_USAGE } from './command.ts';
import { watchFiles, type FileWatcher } from './watch.ts';

type Exit = [code: number | null, signal: NodeJS.Signals | null];

const CHILD = 'MINQ_SUPERVISED';
const RESTART_MS = 500;
const RESTART_MOST_MS = 30_000;
/** A child that lived this long counts as well: the next restart is a quick one again. */
const HEALTHY_MS = 10_000;

export const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export const insideSupervisor = (): boolean =>
  process.env[CHILD] !== undefined && process.send !== undefined;

/** Which of the supervisor's processes this one is, from 0; the same for its successors. 0 without a supervisor. */
export const processIndex = (): number => (insideSupervisor() ? Number(process.env[CHILD]) - 1 : 0);

/** Tells the supervisor which files to watch. */
export function sendFiles(files: string[]): void {
  if (insideSupervisor() && process.connected) process.send!({ files });
}

export interface SuperviseOptions {
  processes: number;
  watch: boolean;
  /** A process that ends by itself with exit code 0 has done its work. */
  burst: boolean;
  logger: Logger;
}

/** @returns the exit code, when a signal or the end of all children has ended it */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { processes, logger } = options;
  const watcher = options.watch
    ? watchFiles(() => {
        logger.info('a file changed; starting again');
        for (const child of children) child.restart();
      })
    : undefined;
  const children = Array.from({ length: processes }, () => new Child(options));
  const onSignal = (signal: NodeJS.Signals) => {
    watcher?.close();
    for (const child of children) child.stop(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const exitCodes = await Promise.all(children.map((child, i) => child.run(i, watcher)));
  for (const signal of SIGNALS) process.off(signal, onSignal);
  watcher?.close();
  return Math.max(...exitCodes);
}

/** One worker process, and its successors. */
class Child {
  readonly #options: SuperviseOptions;
  #process: ChildProcess | undefined;
  /** Ends the time in which no process runs. */
  #wake = new AbortController();
  #stoppedBy: NodeJS.Signals | undefined;
  #changed = false;

  constructor(options: SuperviseOptions) {
    this.#options = options;
  }

  /** @returns the exit code of the last process, when no successor follows */
  async run(index: number, watcher: FileWatcher | undefined): Promise<number> {
    const { watch, burst, logger } = this.#options;
    let failures = 0;
    while (!this.#stoppedBy) {
      const startedAt = performance.now();
      this.#changed = false;
      this.#process = fork(process.argv[1]!, process.argv.slice(2), {
        env: { ...process.env, [CHILD]: String(index + 1) },
        detached: true,
      });
      this.#process.on('message', ({ files }: { files: string[] }) => watcher?.add(files));
      const [code, signal] = (await once(this.#process, 'exit')) as Exit;
      this.#process = undefined;
      // Ended by the signal itself: it had not come so far as to claim anything.
      if (this.#stoppedBy) return code ?? (signal === this.#stoppedBy ? 0 : 1);
      if (this.#changed) continue;
      if ((burst && code === 0) || (!watch && code === WRONG_USAGE)) return code;
      const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
      if (performance.now() - startedAt > HEALTHY_MS) failures = 0;
      const inMs = Math.min(RESTART_MS * 2 ** failures++, RESTART_MOST_MS);
      // Most likely the file doesn't load: only a change mends that.
      if (watch) logger.warn(`the worker process ${how}; waiting for a change`);
      else logger.warn(`a worker process ${how}; starting another`, { inMs });
      this.#wake = new AbortController();
      const { signal: woken } = this.#wake;
      await (watch
        ? once(woken, 'abort')
        : sleep(inMs, undefined, { signal: woken }).catch(() => {}));
    }
    return 0;
  }

  restart(): void {
    this.#changed = true;
    this.#process?.kill('SIGTERM');
    this.#wake.abort();
  }

  stop(signal: NodeJS.Signals): void {
    this.#stoppedBy = signal;
    this.#process?.kill(signal);
    this.#wake.abort();
  }
}
