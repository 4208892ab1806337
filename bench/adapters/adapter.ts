/** The argument of a job: a number, or a text of some size. */
export type Arg = number | string;

/** What every library is asked to do; a file for each library does it the way its own documentation recommends for speed. */
export interface Adapter {
  /** The key of the list in which jobs wait. */
  readonly waitingKey: string;
  /** Enqueues one job with this argument; resolves when it is accepted. */
  enqueue(arg: Arg): Promise<unknown>;
  /** Enqueues one job for each number, in the library's own bulk call. */
  enqueueMany(numbers: readonly number[]): Promise<unknown>;
  /** Runs `job` for every job's argument, `concurrency` at once, from now until `close`. What it returns is kept. */
  work(concurrency: number, job: (arg: Arg) => unknown): Promise<void>;
  close(): Promise<void>;

  // Left out where there is no such thing; the scenarios say so, too.

  /** Enqueues one job and waits for its result. */
  callAndWait?(i: number): Promise<unknown>;
  /** `enqueueMany` of jobs that wait until `dueAt`, epoch ms. */
  delayMany?(numbers: readonly number[], dueAt: number): Promise<unknown>;
  /** `enqueueMany` of jobs that are run a second time, at once, when they fail. */
  enqueueRetried?(numbers: readonly number[]): Promise<unknown>;
  /** Enqueues a job for each number, and one for `last` that runs after them and gets their results. */
  enqueueChord?(numbers: readonly number[], last: number): Promise<unknown>;
}

/**
 * @param uses what of it will be used that some libraries want to be told beforehand
 * @param queue its name, where a scenario has several
 */
export type Connect = (
  url: string,
  uses?: 'results' | 'delays',
  queue?: string,
) => Promise<Adapter>;

/** How many results are kept, where a library can be told a number. */
export const KEPT = 10_000;
