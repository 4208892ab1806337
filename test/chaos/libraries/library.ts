/** What scenarios ask of a library: to enqueue, and to work in processes that can be killed. */
import type { ChildProcess } from 'node:child_process';

export type LibraryName = 'minq' | 'bullmq';

/**
 * What a worker process can run. Each run appends `start id attempt pid ms`, and at its end `end id attempt pid ms`,
 * to the evidence, written synchronously to a file opened with O_APPEND: it survives SIGKILL. A run that ends well
 * gives `attempt pid`: so the recorded result says whose it is.
 */
export interface Tasks {
  /** Takes so many ms. */
  sleep(ms: number): Promise<string>;
  /** Holds up the event loop for so many ms, on its first `times` attempts. */
  block(ms: number, times: number): Promise<string>;
  /** Ends its process with code 1. */
  exit(): never;
  /** Throws on its first `times` attempts. */
  flaky(times: number): string;
}

export interface WorkerOptions {
  readonly redis: string;
  readonly queue: string;
  /** The file of evidence. */
  readonly evidence: string;
  readonly concurrency: number;
  /** How long a job is a worker's without a sign of life, ms. */
  readonly leaseMs: number;
  /** How long a stopping worker waits for its jobs, ms. */
  readonly shutdownMs?: number;
}

/** A job that came to its end. */
export interface Ended {
  readonly state: 'completed' | 'failed';
  /** What it gave. */
  readonly result?: string;
  /** Why it failed. */
  readonly error?: string;
}

export interface Producer {
  /** Resolves when the job is accepted. An id given before makes no second job. */
  enqueue(
    task: keyof Tasks,
    args: readonly unknown[],
    options: { id: string; delayMs?: number; retries?: number },
  ): Promise<void>;
  /** How many jobs are at an end, well or not. */
  finished(): Promise<{ completed: number; failed: number }>;
  /** How the job ended; undefined while it hasn't. */
  ended(id: string): Promise<Ended | undefined>;
  close(): Promise<void>;
}

export interface ProducerOptions {
  /** Longest time a call waits for Redis, where the library has such a thing. */
  readonly callTimeoutMs?: number;
}

export interface Library {
  readonly name: LibraryName;
  /** What workers get for a lease: its own default in the full form; in the short one shorter, where that is fair. */
  readonly leaseMs: { readonly full: number; readonly short: number };
  /** The settings that decide when lost work is done again, in a few words. */
  readonly settings: (leaseMs: number) => string;
  producer(redis: string, queue: string, options?: ProducerOptions): Producer;
  /** Resolves when the worker works. SIGTERM stops it as the library's own command would. */
  startWorker(options: WorkerOptions): Promise<ChildProcess>;
}
