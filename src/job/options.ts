/** The options that users give, as types. What is checked of them is in `checks.ts`. */
import type { Duration } from './duration.ts';

/** Options of `enqueue`. An option given here wins over the job's own. */
export interface EnqueueOptions {
  /** Id of the job: 1 to 128 printable characters without blanks. Default: a new one. */
  id?: string;
  /**
   * With `id`: refuse a second job while the first is waiting or running (`pending`, the default), or also while its outcome is kept
   * (`kept`), or only while it waits (`waiting`): while one runs, one more may wait, as a job of its own with the id `<id>:again:<n>`.
   */
  unique?: 'pending' | 'kept' | 'waiting';
  /** Start no earlier than this after now. */
  delay?: Duration;
  /** Start no earlier than this. A time in the past means now. */
  runAt?: Date;
  /** Not started this long after enqueueing: cancelled, with reason `expired`. */
  expires?: Duration;
  /** Runs after the first, if that fails. Default 3: up to four runs. */
  retries?: number;
  /** Wait before a retry. Default exponential from 1 s to 10 m with full jitter; a duration means fixed. */
  backoff?: BackoffOptions;
  /** Longest time of one run. Default 5 m. */
  timeout?: Duration;
  /** How long the result is kept. Default 1 h (and at most 10,000 of the queue); 0: nobody gets it, and it may be anything; a failure is kept, but not its `id`. */
  resultTtl?: Duration;
  /** `high` runs before all `normal`, `normal` before all `low`. Default `normal`. */
  priority?: 'high' | 'normal' | 'low';
  /** Another queue on the same Redis. */
  queue?: string;
  /** Texts that travel with the job, such as trace headers. */
  meta?: Record<string, string>;
}

/** How long to wait before a job is retried. */
export type BackoffOptions =
  Duration | { type?: 'exponential' | 'fixed'; delay?: Duration; max?: Duration; jitter?: number };

/** When a cron entry fires: at the times of an expression, or at regular intervals. */
export type Ticks = {
  /**
   * What to do with ticks that fell before the worker that finds them was started, or more than 15 s ago: run the
   * `last` of them (the default), `none`, or `all` (at most 100). Later ticks are all run.
   */
  catchUp?: 'last' | 'none' | 'all';
  /** With `false`, a tick is skipped while the run of the one before is unfinished. Default true. */
  overlap?: boolean;
  /** The last moment at which it may fire. Default: none. */
  until?: Date;
  /** How often it fires before it is over; counted from anew when the entry is changed. Default: without an end. */
  times?: number;
} & (
  | {
      /**
       * Cron expression of 5 fields, or 6 with seconds in front; names (`MON`, `JAN`), `L`, `#`, `W` and `@daily` and its
       * kin. Daylight saving as in Debian's cron (man 8 cron).
       */
      cron: string;
      /** IANA time zone of the expression. Default `UTC`. */
      timezone?: string;
      every?: never;
    }
  | {
      /** Interval, at least 1 s, counted from the epoch: `'15m'` means :00, :15, :30, :45, on every worker. */
      every: Duration;
      cron?: never;
      timezone?: never;
    }
);

/** Options of `job(options, fn)` that make it a cron job; `expires`: a tick's job is not started this long after it. */
export type CronJobOptions = JobOptions & Ticks & Pick<EnqueueOptions, 'expires'>;

/** Options of `job(options, fn)`: the job's own, beside its code. */
export interface JobOptions extends Pick<
  EnqueueOptions,
  'retries' | 'backoff' | 'timeout' | 'resultTtl'
> {
  /** Whether this error is worth another run. Default: every error is. */
  retryIf?: (error: unknown) => boolean;
  /** Name of the job to enqueue when this one has failed for good; its argument is `{ id, fn, args, error, attempt }`. */
  onFailure?: string;
  /**
   * Whether what it says by `currentJob().log` is kept with the job, the newest 8 KB: true always, false never. Default: of runs that fail.
   */
  keepLogs?: boolean;
  /**
   * The queue it belongs to: its cron entries fire there, and it runs there where another's `onFailure` names it. Producers have it from
   * `routes: routesOf(jobs)`.
   */
  queue?: string;
}
