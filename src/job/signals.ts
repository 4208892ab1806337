/** What a job may throw to steer its own fate. They are the user's words, not errors of minq. */
import { sameInAllCopies } from './copies.ts';
import { toMs, type Duration } from './duration.ts';

/** Run the job again later. Counts as an attempt; without `delay`, after the job's backoff. */
export class Retry extends Error {
  /** Milliseconds; undefined: the job's backoff decides. */
  readonly delayMs: number | undefined;
  constructor(options: { delay?: Duration; message?: string } = {}) {
    super(options.message ?? 'the job asked to be run again');
    this.delayMs = options.delay === undefined ? undefined : toMs(options.delay, 'Retry delay');
  }
}

/** Fail now, whatever `retries` says. */
export class Fail extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

sameInAllCopies({ Retry, Fail });
