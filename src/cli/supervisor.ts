/**
 * Keeps worker processes running: starts one again when it dies (soon at first, later more patiently), and all
 * of them when a watched file changes. Its children run in process groups of their own, so that Ctrl-C in a
 * terminal reaches only us, and each of them hears of it once; when we are gone, their IPC channel breaks and
 * they stop too.
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { Logger } from '../job/log.ts';
import { WRONG_USAGE } from './usage.ts';
import { watchFiles, type FileWatcher } from './watch.ts';

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
  const children = Array.from({ length: processes }, (_, i) => new Child(i, options, watcher));
  const onSignal = (signal: NodeJS.Signals) => {
    watcher?.close();
    for (const child of children) child.stop(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const exitCodes = await Promise.all(children.map((child) => child.ended));
  for (const signal of SIGNALS) process.off(signal, onSignal);
  watcher?.close();
  return Math.max(...exitCodes);
}

/** One worker process, and its successors. */
class Child {
  /** Resolves with the exit code of the last process, when no successor follows. */
  readonly ended: Promise<number>;
  readonly #index: number;
  readonly #options: SuperviseOptions;
  readonly #watcher: FileWatcher | undefined;
  #end!: (exitCode: number) => void;
  #process: ChildProcess | undefined;
  /** Until the next start, while no process runs. */
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stoppedBy: NodeJS.Signals | undefined;
  #changed = false;

  constructor(index: number, options: SuperviseOptions, watcher: FileWatcher | undefined) {
    this.#index = index;
    this.#options = options;
    this.#watcher = watcher;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#start();
  }

  #start(): void {
    const startedAt = performance.now();
    this.#changed = false;
    this.#process = fork(process.argv[1]!, process.argv.slice(2), {
      env: { ...process.env, [CHILD]: String(this.#index + 1) },
      detached: true,
    });
    this.#process.on('message', ({ files }: { files: string[] }) => this.#watcher?.add(files));
    this.#process.on('exit', (code, signal) => {
      this.#process = undefined;
      if (performance.now() - startedAt > HEALTHY_MS) this.#failures = 0;
      this.#exited(code, signal);
    });
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const { watch, burst, logger } = this.#options;
    if (this.#stoppedBy) {
      // Ended by the signal itself: it had not come so far as to claim anything.
      return this.#end(code ?? (signal === this.#stoppedBy ? 0 : 1));
    }
    if (this.#changed) return this.#start();
    if ((burst && code === 0) || (!watch && code === WRONG_USAGE)) return this.#end(code);
    const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
    if (watch) {
      // Most likely the file doesn't load: only a change mends that.
      logger.warn(`the worker process ${how}; waiting for a change`);
      return;
    }
    const inMs = Math.min(RESTART_MS * 2 ** this.#failures++, RESTART_MOST_MS);
    logger.warn(`a worker process ${how}; starting another`, { inMs });
    this.#timer = setTimeout(() => this.#start(), inMs);
  }

  restart(): void {
    this.#changed = true;
    if (this.#process) this.#process.kill('SIGTERM');
    else this.#start();
  }

  stop(signal: NodeJS.Signals): void {
    this.#stoppedBy = signal;
    clearTimeout(this.#timer);
    if (this.#process) this.#process.kill(signal);
    else this.#end(0);
  }
}
