/**
 * Every error minq throws.
 * An error carries what a caller needs to act on (ids, names, limits), never arguments or passwords:
 * errors end in logs.
 */

import { sameInAllCopies } from './copies.ts';

/** Base of all errors of minq; `code` is stable and fit for `switch`. */
export class MinqError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A function name, argument or option that can't be used; the message names it, its value and the mend. */
export class InvalidArgumentError extends MinqError {
  constructor(message: string) {
    super('INVALID_ARGUMENT', message);
  }
}

/** The queue was closed before the call. */
export class QueueClosedError extends MinqError {
  constructor(queue: string) {
    super('QUEUE_CLOSED', `queue "${queue}" is closed`);
  }
}

/** Redis did not answer in time, or the connection broke. */
export class RedisUnavailableError extends MinqError {
  /**
   * `true` when the call had been sent: it may have taken effect. To try an enqueue again without
   * risking a second job, repeat it with `{ id: error.id, unique: 'kept' }`.
   */
  readonly maybeEnqueued: boolean;
  /** Id of the job whose enqueue failed; `undefined` for other calls. */
  readonly id: string | undefined;
  constructor(message: string, options: { maybeEnqueued?: boolean; id?: string } = {}) {
    super('REDIS_UNAVAILABLE', message);
    this.maybeEnqueued = options.maybeEnqueued ?? false;
    this.id = options.id;
  }
}

/** Redis reached its `maxmemory` and refused a write; nothing was stored. */
export class RedisOutOfMemoryError extends MinqError {
  constructor() {
    super(
      'REDIS_OUT_OF_MEMORY',
      'Redis has reached maxmemory and refused the write; nothing was stored',
    );
  }
}

/** Redis refused a command: wrong password, a missing right, a key of the wrong type, a broken server. */
export class RedisCommandError extends MinqError {
  constructor(message: string) {
    super('REDIS_COMMAND', message);
  }
}

/**
 * The job failed for good. `cause` is the job's own error: its name, message and stack; of a step of a flow that
 * never had its turn, that of the step that failed, whose id is `step`.
 */
export class JobFailedError extends MinqError {
  readonly id: string;
  readonly step: string | undefined;
  constructor(id: string, fn: string, cause: Error, step?: string) {
    const where = step === undefined ? '' : ` before its turn, for step ${step} did`;
    super('JOB_FAILED', `job ${id} (${fn}) failed${where}: ${cause.name}: ${cause.message}`, {
      cause,
    });
    this.id = id;
    this.step = step;
  }
}

/** The job was cancelled. `reason` is `cancelled` (somebody asked for it) or `expired` (not started in time). */
export class JobCancelledError extends MinqError {
  readonly id: string;
  readonly reason: string;
  constructor(id: string, reason: string) {
    super('JOB_CANCELLED', `job ${id} was cancelled: ${reason}`);
    this.id = id;
    this.reason = reason;
  }
}

/** The result did not arrive within `result({ timeout })`; the job itself goes on. */
export class ResultTimeoutError extends MinqError {
  readonly id: string;
  constructor(id: string, timeoutMs: number) {
    super(
      'RESULT_TIMEOUT',
      `job ${id} gave no result within ${timeoutMs} ms; the job itself goes on`,
    );
    this.id = id;
  }
}

/** No such job: it never existed, was removed, or its result is no longer kept. */
export class ResultNotFoundError extends MinqError {
  readonly id: string;
  constructor(id: string) {
    super('RESULT_NOT_FOUND', `job ${id} is unknown: never enqueued, removed, or no longer kept`);
    this.id = id;
  }
}

/** A run took longer than the job's `timeout`. */
export class JobTimeoutError extends MinqError {
  constructor(timeoutMs: number) {
    super('JOB_TIMEOUT', `the run took longer than its timeout of ${timeoutMs} ms`);
  }
}

/** The worker lost its claim on the job (stalled longer than the lease); another worker may be running it. */
export class LeaseLostError extends MinqError {
  constructor() {
    super('LEASE_LOST', 'the lease on this job was lost; another worker may be running it by now');
  }
}

/** Every worker that took the job died or lost its lease, as often as its `retries` allow. */
export class WorkerLostError extends MinqError {
  constructor(runs: number) {
    super('WORKER_LOST', `the worker died or lost its lease in the last of ${runs} runs`);
  }
}

/** No worker knew the function of the job for five minutes. */
export class UnknownFunctionError extends MinqError {
  constructor(fn: string) {
    super(
      'UNKNOWN_FUNCTION',
      `no function "${fn}" in the jobs file of any worker that took the job`,
    );
  }
}

/** The record of the job in Redis is missing or can't be read. */
export class BadRecordError extends MinqError {
  constructor(what: string) {
    super('BAD_RECORD', what);
  }
}

/** The function finished, but its result can't be stored. Not retried: its effects have happened. */
export class BadResultError extends MinqError {
  constructor(what: string) {
    super('BAD_RESULT', what);
  }
}

/** The worker shuts down; the job goes back to the queue without being charged an attempt. */
export class ShutdownError extends MinqError {
  constructor() {
    super('SHUTDOWN', 'the worker is shutting down');
  }
}

sameInAllCopies({
  MinqError,
  InvalidArgumentError,
  QueueClosedError,
  RedisUnavailableError,
  RedisOutOfMemoryError,
  RedisCommandError,
  JobFailedError,
  JobCancelledError,
  ResultTimeoutError,
  ResultNotFoundError,
  JobTimeoutError,
  LeaseLostError,
  WorkerLostError,
  UnknownFunctionError,
  BadRecordError,
  BadResultError,
  ShutdownError,
});
