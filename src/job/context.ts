/** What a running job knows of itself: `currentJob()`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { misfit, shared } from './copies.ts';
import { MinqError } from './errors.ts';
import type { Logger } from './log.ts';

/** What a running job knows of itself, as `currentJob()` gives it. */
export interface JobContext {
  readonly id: string;
  /** Name of the function. */
  readonly fn: string;
  readonly queue: string;
  /** 1 for the first run that counts. */
  readonly attempt: number;
  /** Runs after the first that are allowed. */
  readonly retries: number;
  /** Aborts at the timeout, on `cancel()`, at shutdown, and when the lease is lost; `reason` says which. */
  readonly signal: AbortSignal;
  /** Texts that were given at enqueue. */
  readonly meta: Readonly<Record<string, string>>;
  /** Epoch ms by Redis's clock. */
  readonly enqueuedAt: number;
  /** The instant a cron job fired for; undefined for other jobs. */
  readonly tick: Date | undefined;
  /**
   * Stores a value that `info()` shows. Never waits and never rejects: of values given in quick succession
   * the last one counts.
   * @throws {InvalidArgumentError} when the value can't be stored as JSON
   */
  progress(value: unknown): void;
  /** The worker's logger; every line carries the job's id and function. */
  readonly log: Logger;
}

/** The worker of a run, as a queue needs it that its jobs enqueue on. */
export interface Home {
  readonly queue: string;
  readonly redis: string | object | undefined;
  readonly prefix: string;
  readonly callTimeout: number;
  readonly routes: { readonly [fn: string]: string | undefined };
  /** That queue, once a job has asked for it; the worker closes it. */
  producer: { close(): Promise<void> } | undefined;
  /** One of its runs waits for a job of this queue. */
  waits(queue: string): void;
}

/** A run as the code inside it can reach it. */
interface CurrentRun {
  /** Made when the job asks for it: most never do. */
  readonly context: JobContext;
  readonly home: Home;
  /** It waits for the outcome of a job of this queue. */
  waitsFor(queue: string, outcome: Promise<unknown>): void;
  /** Something thrown where nobody could catch it came out of this run. */
  failFloating(what: string, thrown: unknown): void;
}

/** The runs under way; Node's async machinery carries each along with the code it started. */
export const runs = shared('runs', () => new AsyncLocalStorage<CurrentRun>());

/**
 * The job this code runs in.
 * @throws {MinqError} `NO_JOB` where no worker of this process runs it
 */
export const currentJob = (): JobContext => currentRun('currentJob').context;

/** @param asking name of the function that asks for it */
export function currentRun(asking: string): CurrentRun {
  const run = runs.getStore();
  if (run) return run;
  throw new MinqError(
    'NO_JOB',
    `${asking}() was called outside of a job: ${misfit() ?? 'it tells of the job that a worker is running; code that is called without one takes what it needs as an argument'}`,
  );
}
