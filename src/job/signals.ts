/** What a job may throw to steer its own fate. They are the user's words, not errors of minq. */
import { sameInAllCopies } from './copies.ts';
import { toMs, type Duration } from './duration.ts';
import { refuse } from './refuse.ts';

/**
 * Run the job again later; without `delay`, after the job's backoff. Counts as an attempt, unless `free` says that it was none:
 * what it waited for isn't there yet. Then it may come as often as it likes, and the backoff doesn't grow.
 * @throws {InvalidArgumentError}
 */
export class Retry extends Error {
  /** Milliseconds; undefined: the job's backoff decides. */
  readonly delayMs: number | undefined;
  /** No attempt is used up. */
  readonly free: boolean;
  constructor(options: { delay?: Duration; free?: boolean; message?: string } = {}) {
    const { delay, free = false, message = 'the job asked to be run again' } = options;
    super(message);
    this.delayMs = delay === undefined ? undefined : toMs(delay, 'Retry delay');
    this.free = typeof free === 'boolean' ? free : refuse('Retry free', free, 'give true or false');
  }
}

/** Fail now, whatever `retries` says. */
export class Fail extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

sameInAllCopies({ Retry, Fail });
