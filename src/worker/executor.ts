/**
 * Runs one job and says how it ended. No Redis here: every way a run can end is mapped to one `Outcome`,
 * which the processor records.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import { performance, Date, setTimeout, clearTimeout } from '../job/globals.ts';
import { backoffMs } from '../job/backoff.ts';
import { describeError, encodeResult, encodeValue, type ErrorRecord } from '../job/codec.ts';
import type { JobFunction } from '../job/define.ts';
import { LONGEST_TIMER_MS } from '../job/duration.ts';
import {
  BadResultError,
  JobCancelledError,
  JobTimeoutError,
  LeaseLostError,
  MinqError,
  ShutdownError,
  UnknownFunctionError,
  WorkerLostError,
} from '../job/errors.ts';
import type { ClaimedJob, JobRecord, Outcome } from '../job/job.ts';
import type { Logger } from '../job/log.ts';
import { RUN_DEFAULTS } from '../job/checks.ts';
import { RETRIED } from '../store/scripts/control.ts';
import { Fail, Retry } from '../job/signals.ts';
import { runs, type Home, type JobContext } from '../job/context.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { ProgressReporter } from './progress.ts';
import { RunLog } from './runlog.ts';

/** Wraps each run. `next()` runs the job and gives its result; what the middleware returns is ignored. */
export type Middleware = (job: JobContext, next: () => Promise<unknown>) => Promise<unknown>;

export interface ExecutorOptions {
  readonly home: Home;
  readonly logger: Logger;
  /** The first is the outermost. */
  readonly middleware: readonly Middleware[];
  readonly progress: ProgressReporter;
  readonly watch: LoopWatch;
  /** Called once, when it is decided how the run ended; the function itself may still be running. */
  readonly onOutcome: (run: Run, outcome: Outcome) => void;
  /** Called when the function has returned. */
  readonly onReturn: (run: Run) => void;
}

/** `diagnostics_channel` tracing channel of runs; its messages are the `JobContext`. */
const channel = tracingChannel<unknown, JobContext>('minq:job');

/** How long a job waits for a worker that knows its function: a rolling deploy, at most. */
const UNKNOWN_FUNCTION_MS = 5 * 60_000;

/** How a job ends that can't or needn't be run; undefined for one that can be. */
export function refuse(job: ClaimedJob, fn: JobFunction | undefined): Outcome | undefined {
  const { record, attempt, claimedAt, enqueuedAt, lastError } = job;
  const late = record.expires !== undefined && claimedAt - enqueuedAt > record.expires;
  // Who runs a job again by hand wants it late rather than never; and one that asked for another run has been started.
  const again = lastError?.name === RETRIED || lastError?.free;
  if (late && attempt === 1 && !again) {
    return { kind: 'cancelled', reason: 'expired' };
  }
  if (!fn) return unknownFunction(job);
  // Only a worker that died or lost its lease leaves such a ticket: a failure would have ended the job.
  if (attempt > retriesOf(job, fn) + 1) {
    return { kind: 'failed', error: describeError(new WorkerLostError(attempt - 1)) };
  }
  return undefined;
}

/** @param fresh whether it is known elsewhere: then it waits for nobody else */
export function unknownFunction(
  { record, claimedAt, lastError }: ClaimedJob,
  fresh = false,
): Outcome {
  const error = describeError(new UnknownFunctionError(record.fn));
  const before = lastError?.name === error.name && !fresh ? lastError.since : undefined;
  const since = before ?? claimedAt;
  const waited = claimedAt - since;
  return waited >= UNKNOWN_FUNCTION_MS
    ? { kind: 'failed', error }
    : {
        kind: 'postponed',
        error: { ...error, fn: record.fn, since },
        delayMs: Math.min(Math.max(waited, 1_000), 60_000),
      };
}

/** Runs after the first that are allowed. */
const retriesOf = ({ record }: ClaimedJob, fn: JobFunction): number =>
  record.retries ?? fn.options.retries ?? RUN_DEFAULTS.retries;

/** How long the result is kept, ms. */
export const resultTtlOf = (
  record?: JobRecord,
  fn?: JobFunction,
  otherwise: number = RUN_DEFAULTS.resultTtl,
): number => record?.resultTtl ?? fn?.options.resultTtl ?? otherwise;

/** One run of a job. */
export class Run {
  readonly job: ClaimedJob;
  readonly fn: JobFunction;
  /** Runs after the first that are allowed. */
  readonly retries: number;
  /** `performance.now()` at the start, until then at the claim. */
  startedAt = performance.now();
  /** Found out by a heartbeat. */
  leaseLost = false;
  /** Redis was told that it has begun. */
  told = false;
  /** Redis has answered to its settlement: the ticket is not held any more. */
  settled = false;
  /** Its place among the runs under way. */
  slot = -1;
  /** Made when the job asks for it. */
  log: RunLog | undefined;
  readonly #options: ExecutorOptions;
  #controller: AbortController | undefined;
  #abortedWith: unknown;
  #outcome: Outcome | undefined;
  #timer: NodeJS.Timeout | undefined;
  #context: JobContext | undefined;
  /** Outcomes of other jobs it waits for. */
  #waits = 0;

  constructor(job: ClaimedJob, fn: JobFunction, options: ExecutorOptions) {
    this.job = job;
    this.fn = fn;
    this.#options = options;
    this.retries = retriesOf(job, fn);
  }

  get context(): JobContext {
    return (this.#context ??= contextOf(this, this.#options, () => this.#signal()));
  }

  /** Whether its outcome is decided. The function may still be running: it ignores its signal. */
  get decided(): boolean {
    return this.#outcome !== undefined;
  }

  /** Runs the function; never throws. No async function: that would cost two more promises for every job. */
  execute(): void {
    this.startedAt = performance.now();
    try {
      const value = runs.run(this, Run.#begin, this);
      this.#options.watch.held(this, performance.now() - this.startedAt);
      // What is no promise of this realm may have a `then` of its own making.
      const promise = value instanceof Promise ? value : Promise.resolve(value);
      promise.then(this.#returned, this.#threw);
    } catch (thrown) {
      this.#options.watch.held(this, performance.now() - this.startedAt);
      this.#threw(thrown);
    }
  }

  readonly #returned = (value: unknown): void => {
    if (this.#inTime()) this.#decide(completed(value, this));
    this.#options.onReturn(this);
  };

  readonly #threw = (thrown: unknown): void => {
    if (this.#inTime()) this.#decide(this.#failure(thrown));
    this.#options.onReturn(this);
  };

  /** While the event loop is blocked no timer fires: whoever returns after its timeout has failed all the same. */
  #inTime(): boolean {
    const inTime = performance.now() - this.startedAt <= this.#timeoutMs;
    if (!inTime) this.#timeOut();
    return inTime;
  }

  /** Whether the last worker that held it died, or lost its lease. */
  get lostBefore(): boolean {
    return this.job.lastError?.name === 'WorkerLostError';
  }

  /** Whether nobody knows if it had begun by then: any of those that worker held may be what killed it. */
  get inHand(): boolean {
    return this.lostBefore && this.job.lastError!.inHand === true;
  }

  /**
   * Whether this job may be what kills workers: it is on its last attempt, and lost its worker more than once. A
   * crash charges all that have begun, so suspects run one at a time: whoever is innocent gets its last
   * attempt without the poison.
   */
  get suspect(): boolean {
    const { attempt } = this.job;
    return attempt > 2 && attempt === this.retries + 1 && this.lostBefore;
  }

  /** Not now, beside others of its kind. */
  putOff(delayMs: number): void {
    this.#decide({ kind: 'postponed', error: this.job.lastError!, delayMs });
  }

  /** From now on the run's time is limited. Apart from the start: most jobs end before it is worth a timer. */
  limitTime(): void {
    if (this.decided || this.#timer) return;
    const leftMs = this.#timeoutMs - (performance.now() - this.startedAt);
    this.#timer = setTimeout(() => this.#timeOut(), Math.min(leftMs, LONGEST_TIMER_MS));
  }

  get #timeoutMs(): number {
    return this.job.record.timeout ?? this.fn.options.timeout ?? RUN_DEFAULTS.timeout;
  }

  static readonly #begin = (run: Run): unknown => run.#invoke();

  #invoke(): unknown {
    const { middleware } = this.#options;
    const call = () => this.fn.fn(...this.job.record.args);
    if (middleware.length === 0 && !channel.hasSubscribers) return call();
    const through = middleware.reduceRight<() => unknown>(
      (inner, each) => () => throughMiddleware(each, this.context, inner),
      call,
    );
    const wrapped = async () => through();
    return channel.hasSubscribers ? channel.tracePromise(wrapped, this.context) : wrapped();
  }

  #failure(thrown: unknown): Outcome {
    const error = describeError(thrown);
    const backoff = this.job.record.backoff ?? this.fn.options.backoff ?? RUN_DEFAULTS.backoff;
    const delayMs = () =>
      (isA(thrown, Retry) ? thrown.delayMs : undefined) ?? backoffMs(backoff, this.job.attempt);
    if (isA(thrown, Retry) && thrown.free) {
      return { kind: 'postponed', error: { ...error, free: true }, delayMs: delayMs() };
    }
    const attemptsLeft = this.job.attempt <= this.retries;
    if (!attemptsLeft && isA(thrown, Retry)) {
      const message = `the limit was reached (retries: ${this.retries}): ${error.message}`;
      return { kind: 'failed', error: { ...error, message } };
    }
    if (!attemptsLeft || isA(thrown, Fail) || !this.#worthRetrying(thrown))
      return { kind: 'failed', error };
    return { kind: 'retry', error, delayMs: delayMs() };
  }

  #worthRetrying(thrown: unknown): boolean {
    const { retryIf } = this.fn.options;
    if (!retryIf || isA(thrown, Retry)) return true;
    try {
      return retryIf(thrown);
    } catch (error) {
      this.context.log.warn(`retryIf threw, the job is retried: ${describeError(error).message}`);
      return true;
    }
  }

  #timeOut(): void {
    const error = new JobTimeoutError(this.#timeoutMs);
    this.#decide(this.#failure(error));
    this.#abort(error);
  }

  /** Somebody asked for it: the outcome is decided now, whatever the function still does. */
  cancel(): void {
    this.#decide({ kind: 'cancelled', reason: 'cancelled' });
    this.#abort(new JobCancelledError(this.job.id, 'cancelled'));
  }

  /** The worker goes: the job returns to the queue. */
  release(): void {
    this.#decide({ kind: 'released' });
    this.#abort(new ShutdownError());
  }

  /** The run is no longer the one in charge. It may still end; its settlement will be refused. */
  loseLease(): void {
    this.leaseLost = true;
    this.#abort(new LeaseLostError());
  }

  get home(): Home {
    return this.#options.home;
  }

  /** Whether it waits for another job, with its slot taken. */
  get waiting(): boolean {
    return this.#waits > 0;
  }

  waitsFor(queue: string, outcome: Promise<unknown>): void {
    this.#waits++;
    const ended = () => void this.#waits--;
    outcome.then(ended, ended);
    this.home.waits(queue);
  }

  failFloating(what: string, thrown: unknown): void {
    this.context.log.error(`${what} in a job: ${describeError(thrown).message}`);
    this.#decide(this.#failure(thrown));
    this.#abort(thrown);
  }

  #decide(outcome: Outcome): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    clearTimeout(this.#timer);
    this.#options.onOutcome(this, outcome);
  }

  /** Most jobs never look at their signal: it is made when one does. */
  #signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortedWith) this.#controller.abort(this.#abortedWith);
    }
    return this.#controller.signal;
  }

  #abort(reason: unknown): void {
    this.#abortedWith ??= reason;
    // Whoever listens is of this job, though it is the heartbeat, a timer or another job that got here.
    runs.run(this, () => this.#controller?.abort(this.#abortedWith));
  }
}

/** Signal and logger are made when somebody looks at them: for most jobs nobody does. */
function contextOf(run: Run, options: ExecutorOptions, signal: () => AbortSignal): JobContext {
  const { job, fn } = run;
  return {
    id: job.id,
    fn: fn.name,
    queue: options.home.queue,
    attempt: job.attempt,
    retries: run.retries,
    meta: job.record.meta ?? {},
    enqueuedAt: job.enqueuedAt,
    tick: job.record.tick === undefined ? undefined : new Date(job.record.tick),
    get signal() {
      return signal();
    },
    get log() {
      return (run.log ??= new RunLog(options.logger, { id: job.id, fn: fn.name }));
    },
    progress(value) {
      const json = encodeValue(value, 'progress') ?? 'null';
      if (!run.decided) options.progress.report(job.ticket, json);
    },
  };
}

async function throughMiddleware(
  middleware: Middleware,
  context: JobContext,
  call: () => unknown,
): Promise<unknown> {
  let result: Promise<unknown> | undefined;
  await middleware(context, () => {
    if (result) throw new MinqError('MIDDLEWARE', 'the middleware called next() twice');
    result = (async () => call())();
    result.catch(() => {}); // a middleware that doesn't wait for it still fails the job, below
    return result;
  });
  if (!result) {
    throw new MinqError(
      'MIDDLEWARE',
      'the middleware returned without calling next(); throw to refuse a job',
    );
  }
  return result;
}

function completed(value: unknown, { job, fn }: Run): Outcome {
  // What nobody keeps may be anything. (The result of a flow's step, `<flow>.<number>`, is handed on.)
  if (resultTtlOf(job.record, fn) === 0 && !/\.\d+$/.test(job.id)) {
    return { kind: 'completed', result: undefined };
  }
  try {
    return { kind: 'completed', result: encodeResult(value) };
  } catch (error) {
    const { message } = describeError(error);
    const record: ErrorRecord = describeError(new BadResultError(message));
    return { kind: 'failed', error: record };
  }
}

/** `instanceof` for values that may fight back: a proxy can throw when asked what it is. */
function isA<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}
