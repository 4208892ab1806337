import type { Duration } from '../job/duration.ts';
import { ResultNotFoundError } from '../job/errors.ts';
import { placeOf, readFlow, readQueues, type FlowInfo } from '../flow/view.ts';
import { ofEach } from '../views/each.ts';
import { readInfo, type JobInfo } from '../views/inspector.ts';
import type { JobState } from '../job/job.ts';
import { checkResultOptions } from '../job/checks.ts';
import type { Results } from './results.ts';
import { resultOf, Waiter } from './waiter.ts';
import type { Store } from '../store/store.ts';

/** What a handle needs of its queue. */
export interface HandleContext {
  readonly store: Store;
  readonly results: Pick<Results, 'wait' | 'expect' | 'enqueued'>;
  /** Throws when the queue is closed. */
  readonly check: () => void;
}

/** How long, and until what, `result()` and `call()` wait. `timeout` in ms or as `'30s'`; default: without end. */
export interface ResultOptions {
  /** Give up waiting after this long. Default: wait as long as the job takes. */
  timeout?: Duration;
  /** Give up waiting when it aborts, with its reason. */
  signal?: AbortSignal;
}

/** One for all handles: there are very many. */
const nowhere = (): Store[] => [];

/** A handle on a job. Making one costs no I/O. */
export class Job<Result = unknown> {
  readonly id: string;
  /** Undefined for a handle made by `queue.job(id)`, which knows only the id. */
  readonly fn: string | undefined;
  /** Where the job is; of `queue.job(id)`, as far as it is known yet. */
  readonly queue: string;
  /** The enqueue was refused, because a job with this id existed; this is the handle of that job. */
  readonly duplicate: boolean;
  #context: HandleContext;
  readonly #others: () => Store[];

  /** @param others where it may be, if it isn't where we think */
  constructor(
    id: string,
    fn: string | undefined,
    duplicate: boolean,
    context: HandleContext,
    others = nowhere,
  ) {
    this.id = id;
    this.fn = fn;
    this.duplicate = duplicate;
    this.queue = context.store.queue;
    this.#context = context;
    this.#others = others;
  }

  /**
   * What the function returned, as JSON brings it back. Waits until the job has ended for good.
   * @throws {JobFailedError} with the job's own error as `cause`
   * @throws {JobCancelledError | ResultTimeoutError}
   * @throws {ResultNotFoundError} at once, when no such job is known
   */
  async result(options?: ResultOptions): Promise<Result> {
    const limits = checkResultOptions(options);
    this.#context.check();
    limits.signal?.throwIfAborted();
    const waitFor = () => {
      const waiter = new Waiter(this.id, limits);
      this.#context.results.wait(this.#context.store, waiter);
      return waiter.outcome;
    };
    const outcome = await waitFor().catch(async (error: unknown) => {
      if (!(error instanceof ResultNotFoundError) || !(await this.#isElsewhere())) throw error;
      return waitFor();
    });
    return (await resultOf(
      this.id,
      outcome,
      async () => this.fn ?? (await this.info()).fn,
    )) as Result;
  }

  /**
   * Where the job is now.
   * @throws {ResultNotFoundError} when no such job is known
   */
  async state(): Promise<JobState> {
    return (await this.info()).state;
  }

  /**
   * Everything that is known of the job.
   * @throws {ResultNotFoundError} when no such job is known
   */
  async info(): Promise<JobInfo> {
    this.#context.check();
    const look = () => readInfo(this.#context.store, this.id);
    const info = (await look()) ?? ((await this.#isElsewhere()) ? await look() : undefined);
    if (!info) throw new ResultNotFoundError(this.id);
    return info;
  }

  /** Looks for it on the other queues, once on each. From then on it is there. */
  async #isElsewhere(): Promise<boolean> {
    const found = await ofEach(
      this.#others(),
      async (store) => (await readInfo(store, this.id)) && store,
    );
    const store = found.find((each) => each !== undefined);
    if (store) {
      this.#context = { ...this.#context, store };
      (this as { queue: string }).queue = store.queue; // read-only for everybody else
    }
    return store !== undefined;
  }

  /**
   * The flow it is a step of: its shape, and the states of its steps.
   * @returns undefined for a job that is in none, or whose flow is forgotten
   */
  async flow(): Promise<FlowInfo | undefined> {
    this.#context.check();
    const place = placeOf(this.id);
    if (!place) return undefined;
    const read = () => readFlow(this.#context.store, place.flow);
    return (await read()) ?? ((await this.#isElsewhere()) ? read() : undefined);
  }

  /**
   * Cancels the job: a waiting one at once; a running one within a second, by its signal. The last step of a flow that
   * waits for the others takes all of them along; another step fails what comes after it.
   * @returns false when there was nothing to cancel: the job has ended, or is unknown
   */
  async cancel(): Promise<boolean> {
    this.#context.check();
    let word = await this.#context.store.cancel(this.id);
    if (word === 'unknown' && (await this.#isElsewhere())) {
      word = await this.#context.store.cancel(this.id);
    }
    if (word === 'flow') {
      await cancelFlow(this.#context.store, this.id);
      return true;
    }
    return word === 'cancelled' || word === 'cancelling';
  }
}

/** From the last step back, on every queue it has steps on: none is failed by the one before it. */
async function cancelFlow(store: Store, last: string): Promise<void> {
  const { flow, step } = placeOf(last)!;
  for (const queue of new Set([store.queue, ...(await readQueues(store, flow))])) {
    const there = queue === store.queue ? store : store.on(queue);
    for (let from = step; from >= 0;) from = await there.flows.cancel(flow, from);
  }
}
