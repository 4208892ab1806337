/** A job on its way to Redis, and whom to tell how that went. */
import { RedisUnavailableError } from '../job/errors.ts';
import type { NewJob } from '../job/record.ts';
import type { Batch, BatchItem } from './batch.ts';
import type { FlowPlan } from '../flow/plan.ts';
import { Job, type HandleContext } from './handle.ts';
import type { QueuePart } from '../store/flow.ts';
import type { EnqueueTrace } from './tracing.ts';
import type { Waiter } from './waiter.ts';

/** What belongs to one queue name, and all that is sent to it: `enqueue({ queue })` may name others. */
export interface Lane {
  context: HandleContext;
  batch: Pick<Batch<Pending>, 'add' | 'drained'>;
  /** Those whose callers wait for the results. */
  calls: Pick<Batch<Pending>, 'add' | 'drained'>;
  /** This queue's part of a flow. */
  flow(plan: FlowPlan, part: QueuePart): Promise<void>;
  /** Of a cron entry: its definition; `paused` undefined leaves that as it is. */
  schedule(name: string, definition: string, paused: boolean | undefined): Promise<void>;
  /** Of this name and function it has no entry any more: another queue has. */
  leave(name: string, fn: string): Promise<void>;
  /** When the queue was last made known, by `performance.now()`; and when Redis has heard of it. */
  announced: { at: number; done: Promise<void> };
}

/** Who hears how it went. */
export interface Receiver {
  accept(job: Job, place: number): void;
  reject(error: Error, place: number): void;
}

/** A job on its way. One object for all there is to know: of ten thousand at once, each more costs a tenth of the time. */
export class Pending implements NewJob, BatchItem {
  readonly id: string;
  readonly how: string;
  readonly json: string;
  readonly #fn: string;
  readonly #lane: Lane;
  readonly #trace: EnqueueTrace | undefined;
  #waiter: Waiter | undefined;
  #receiver: Receiver | undefined;
  #place = 0;

  constructor(fn: string, { id, how, json }: NewJob, lane: Lane, trace: EnqueueTrace | undefined) {
    this.id = id;
    this.how = how;
    this.json = json;
    this.#fn = fn;
    this.#lane = lane;
    this.#trace = trace;
  }

  get bytes(): number {
    return this.json.length;
  }

  /** With a delay, a lane or an id of the user's it takes more commands, and some are put into a large sorted set. */
  get weight(): number {
    return this.how === '' ? 1 : 4;
  }

  /** @param place is told with the outcome */
  send(receiver: Receiver, place = 0): void {
    this.#receiver = receiver;
    this.#place = place;
    this.#lane.batch.add(this);
  }

  /** The caller waits for the result. Who has given up before it could be sent has enqueued nothing. */
  call(waiter: Waiter): void {
    this.#waiter = waiter;
    const { results, store } = this.#lane.context;
    const ready = results.expect(store, waiter);
    if (!ready) return this.#lane.calls.add(this);
    ready.then(
      () => (waiter.ended ? this.drop(waiter.reason) : this.#lane.calls.add(this)),
      (error: Error) => this.fail(error),
    );
  }

  /**
   * @param outcome of a call: as `Store.watch` gives it
   * @param id of the job that is meant
   */
  accept(duplicate: boolean, outcome: string | null = '', id = this.id): void {
    const { context } = this.#lane;
    if (this.#trace || this.#receiver) {
      const handle = new Job(id, this.#fn, duplicate, context);
      this.#trace?.done(handle);
      this.#receiver?.accept(handle, this.#place);
    }
    if (this.#waiter) context.results.enqueued(context.store, this.#waiter, outcome);
  }

  fail(error: Error): void {
    const named = withId(error, this.id);
    this.#trace?.fail(named);
    this.#receiver?.reject(named, this.#place);
    this.#waiter?.reject(named);
  }

  /** It is not sent: another can't be, or nobody waits for it any more. */
  drop(error: unknown): void {
    this.#trace?.fail(error);
  }
}

/** What was not, or maybe not, enqueued has a name all the same. */
export const withId = <E>(error: E, id: string): E | RedisUnavailableError =>
  error instanceof RedisUnavailableError
    ? new RedisUnavailableError(error.message, { maybeEnqueued: error.maybeEnqueued, id })
    : error;
