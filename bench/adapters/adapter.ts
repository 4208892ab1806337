/** What every library is asked to do; a file for each library does it the way its own documentation recommends for speed. */
export interface Adapter {
  /** Enqueues one job with this number as its argument; resolves when it is accepted. */
  enqueue(i: number): Promise<unknown>;
  /** Enqueues one job for each number, in the library's own bulk call. */
  enqueueMany(numbers: readonly number[]): Promise<unknown>;
  /** Runs `job` for every job's number, `concurrency` at once, from now until `close`. What it returns is kept. */
  work(concurrency: number, job: (i: number) => unknown): Promise<void>;
  /** Enqueues one job and waits for its result. Left out where there is no such thing. */
  callAndWait?(i: number): Promise<unknown>;
  close(): Promise<void>;
}

/** @param waits whether results will be waited for: some libraries want to be told beforehand */
export type Connect = (url: string, waits: boolean) => Promise<Adapter>;

/** How many results are kept, where a library can be told a number. */
export const KEPT = 10_000;
