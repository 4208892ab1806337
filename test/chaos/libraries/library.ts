/** What scenarios ask of a library: to enqueue, and to work in processes that can be killed. */
import type { ChildProcess } from 'node:child_process';

export type LibraryName = 'minq' | 'bullmq';

/**
 * What a worker process can run. Each run appends `start id attempt pid ms`, and at its end `end id attempt pid ms`,
 * to the evidence, written synchronously to a file opened with O_APPEND: it survives SIGKILL.
 */
export interface Tasks {
  /** Resolves after so many ms. */
  sleep(ms: number): Promise<void>;
  /** Holds up the event loop for so many ms. */
  block(ms: number): void;
  /** Ends its process with code 1. */
  exit(): void;
  /** Throws on its first `times` attempts. */
  flaky(times: number): void;
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

export interface Producer {
  /** Resolves when the job is accepted. An id given before makes no second job. */
  enqueue(
    task: keyof Tasks,
    args: readonly unknown[],
    options: { id: string; delayMs?: number; retries?: number; callTimeoutMs?: number },
  ): Promise<void>;
  /** How many jobs are at an end, well or not. */
  finished(): Promise<{ completed: number; failed: number }>;
  close(): Promise<void>;
}

export interface Library {
  readonly name: LibraryName;
  producer(redis: string, queue: string): Producer;
  /** Resolves when the worker works. SIGTERM stops it as the library's own command would. */
  startWorker(options: WorkerOptions): Promise<ChildProcess>;
}
