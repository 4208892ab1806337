import { performance } from '../job/globals.ts';
import { Batch, type BatchOptions } from './batch.ts';
import { defaultUrl, type RedisSource } from '../redis/client.ts';
import { Connection } from '../redis/connection.ts';
import { toMs, type Duration } from '../job/duration.ts';
import { refuse, show } from '../job/refuse.ts';
import { InvalidArgumentError, QueueClosedError } from '../job/errors.ts';
import { warningOf } from '../cron/dialects.ts';
import { definitionText } from '../cron/entry.ts';
import { isFlow, type Flow } from '../flow/flow.ts';
import { Job, type HandleContext } from './handle.ts';
import { newId, randomText } from '../job/id.ts';
import { checkName, checkScheduleName, isFunctionName } from '../job/names.ts';
import {
  checkEnqueueOptions,
  checkQueueOptions,
  checkResultOptions,
  checkSchedule,
  type ResolvedEnqueueOptions,
} from '../job/checks.ts';
import type { EnqueueOptions } from '../job/options.ts';
import { headOf, planFlow } from '../flow/plan.ts';
import { Operator } from './operator.ts';
import { newJob } from '../job/record.ts';
import { Pending, withId, type Lane, type Receiver } from './pending.ts';
import { Results } from './results.ts';
import { Routes } from './routes.ts';
import { leaveEntry, writeEntry } from '../cron/schedules.ts';
import type {
  AnyJobs,
  CallOptions,
  CheckedFlow,
  EnqueueItem,
  EnqueueRest,
  FlowResult,
  JobName,
  JobResult,
  Schedule,
} from './signature.ts';
import { Store } from '../store/store.ts';
import { traceEnqueue } from './tracing.ts';
import { resultOf, Waiter } from './waiter.ts';

/** Options of `new Queue(name, options)`; each has a default. */
export interface QueueOptions<Jobs = AnyJobs> {
  /** Default: `MINQ_REDIS_URL`, then `REDIS_URL`, then `redis://127.0.0.1:6379`. A client is duplicated, never closed. */
  redis?: RedisSource;
  /** First part of every key. Default `minq`. */
  prefix?: string;
  /** Enqueue options for all jobs of this queue object. */
  defaults?: Omit<EnqueueOptions, 'id' | 'unique' | 'runAt' | 'queue'>;
  /** Longest time a call waits for Redis. Default 5 s. */
  callTimeout?: Duration;
  /**
   * The queues of functions that don't go to this one, by name: for jobs, steps of flows and cron entries. The `queue` of an enqueue
   * or of a step wins. See `routesOf`.
   */
  routes?: { readonly [N in JobName<Jobs>]?: string };
}

const ANNOUNCED_EVERY_MS = 60_000;

/**
 * The producer's side: enqueues jobs, waits for results, looks at the queue. Connects at the first use.
 * @typeParam Jobs `typeof import('./jobs.ts')`: names, arguments and results are then checked
 */
export class Queue<Jobs = AnyJobs> extends Operator {
  readonly name: string;
  readonly #prefix: string;
  readonly #defaults: ResolvedEnqueueOptions;
  readonly #routes: Routes;
  readonly #callTimeoutMs: number;
  readonly #connection: Connection;
  readonly #results: Results;
  readonly #lanes = new Map<string, Lane>();
  #closed: Promise<void> | undefined;

  constructor(name = 'default', options: QueueOptions<Jobs> = {}) {
    super();
    this.name = checkName(name, 'queue');
    const {
      prefix = 'minq',
      defaults = {},
      callTimeout = toMs('5s', 'callTimeout'),
      routes,
    } = checkQueueOptions(options);
    this.#routes = new Routes(this.name, routes);
    this.#prefix = prefix;
    this.#defaults = defaults;
    this.#callTimeoutMs = callTimeout;
    const redis = options.redis ?? defaultUrl(); // now: the connection for results is made later
    const open = (role: string) =>
      new Connection(redis, {
        name: `minq:${role}`,
        callTimeoutMs: callTimeout,
      });
    this.#connection = open('queue');
    this.#results = new Results(() => open('results'), randomText(12), callTimeout);
  }

  /**
   * Enqueues one job. Calls made in the same tick share one round trip.
   * @throws {InvalidArgumentError} before anything is sent
   * @throws {RedisUnavailableError} with the job's `id`, and whether it may have been enqueued all the same
   * @throws {RedisOutOfMemoryError | QueueClosedError}
   */
  enqueue<N extends JobName<Jobs>>(
    fn: N,
    ...rest: EnqueueRest<Jobs[N]>
  ): Promise<Job<JobResult<Jobs[N]>>>;
  /**
   * Enqueues a flow made with `step`, `chain`, `group` and `chord`.
   * @returns the handle of its last step; of a flow that ends in a group, that of the group's result
   * @throws {InvalidArgumentError} before anything is sent
   * @throws {RedisUnavailableError} with the id of the last step
   * @throws {MinqError} `FLOW_GIVEN_UP`: it needs several calls, and the last came over a minute after one before; nothing runs
   */
  enqueue<const F>(flow: CheckedFlow<Jobs, F>): Promise<Job<FlowResult<Jobs, F>>>;
  enqueue(fn: unknown, args: readonly unknown[] = [], options?: EnqueueOptions): Promise<Job> {
    if (isFlow(fn)) return this.#enqueueFlow(fn);
    return new Promise((accept, reject) =>
      this.#prepare(fn, args, options).send({ accept, reject }),
    );
  }

  /**
   * Enqueues one job and waits for its result, in one: the call that enqueues it also asks to be told of its end.
   * @param options those of `enqueue`, and of `result`: `timeout` and `signal` end the wait, not the job. (How long the job may
   * run is said at the function.)
   * @throws {InvalidArgumentError} before anything is sent
   * @throws {JobFailedError} with the job's own error as `cause`
   * @throws {JobCancelledError | ResultTimeoutError | ResultNotFoundError} as `result()`
   * @throws {RedisUnavailableError | RedisOutOfMemoryError | QueueClosedError} as `enqueue`
   * @example const sum = await queue.call('add', [2, 3], { timeout: '5s' })
   */
  call<N extends JobName<Jobs>>(
    fn: N,
    ...rest: EnqueueRest<Jobs[N], CallOptions>
  ): Promise<JobResult<Jobs[N]>>;
  async call(fn: unknown, args: readonly unknown[] = [], options?: CallOptions): Promise<unknown> {
    const { timeout, signal, ...own } = options ?? {};
    const limits = options ? checkResultOptions({ timeout, signal }) : {};
    limits.signal?.throwIfAborted();
    const job = this.#prepare(fn, args, options && own, true);
    const waiter = new Waiter(job.id, limits);
    job.call(waiter);
    return resultOf(job.id, await waiter.outcome, async () => fn as string);
  }

  async #enqueueFlow(given: Flow): Promise<Job> {
    this.assertOpen();
    const flow = this.#routes.lay(given);
    const head = headOf(flow, this.name);
    const { id, fn, queue } = head.last;
    const trace = traceEnqueue(queue, fn, id);
    const lay = (meta?: Record<string, string>) =>
      planFlow(flow, this.name, this.#defaults, head, meta);
    const plan = trace ? trace.start(lay) : lay();
    try {
      for (const [name, part] of plan.parts) {
        await this.#lane(name).flow(plan, part);
      }
    } catch (error) {
      const named = withId(error, id);
      trace?.fail(named);
      throw named;
    }
    const handle = new Job(id, fn, false, this.#lane(queue).context);
    trace?.done(handle);
    return handle;
  }

  /**
   * Enqueues many jobs, up to 1,000 in a round trip. All are checked before any is sent; after that each has
   * an outcome of its own, in the order of the items, as from `Promise.allSettled`.
   * @throws {InvalidArgumentError} naming the item, when one can't be enqueued; then none is
   */
  async enqueueMany(items: readonly EnqueueItem<Jobs>[]): Promise<PromiseSettledResult<Job>[]> {
    if (!Array.isArray(items)) refuse('items', items, 'give an array of { fn, args }');
    const prepared: Pending[] = [];
    for (let i = 0; i < items.length; i++) {
      try {
        prepared.push(this.#prepareItem(items[i]));
      } catch (error) {
        const named =
          error instanceof InvalidArgumentError
            ? new InvalidArgumentError(`items[${i}]: ${error.message}`)
            : error;
        for (const one of prepared) one.drop(named);
        throw named;
      }
    }
    const outcomes: PromiseSettledResult<Job>[] = [];
    let open = prepared.length;
    if (open === 0) return outcomes;
    return new Promise((resolve) => {
      const settle = (i: number, outcome: PromiseSettledResult<Job>) => {
        outcomes[i] = outcome;
        if (--open === 0) resolve(outcomes);
      };
      // One for all of them: two closures each would be a fifth of what they cost.
      const receiver: Receiver = {
        accept: (value, i) => settle(i, { status: 'fulfilled', value }),
        reject: (reason, i) => settle(i, { status: 'rejected', reason }),
      };
      for (let i = 0; i < prepared.length; i++) prepared[i]!.send(receiver, i);
    });
  }

  #prepareItem(item: unknown): Pending {
    if (typeof item !== 'object' || item === null) {
      throw new InvalidArgumentError(`${show(item)} is not usable; give { fn, args }`);
    }
    const { fn, args = [] } = item as { fn?: unknown; args?: unknown };
    for (const key in item) {
      if (key === 'fn' || key === 'args') continue;
      const { fn: _, args: __, ...options } = item as Record<string, unknown>;
      return this.#prepare(fn, args, options);
    }
    return this.#prepare(fn, args, undefined);
  }

  #prepare(fn: unknown, args: unknown, given: EnqueueOptions | undefined, waits = false): Pending {
    if (this.#closed) throw new QueueClosedError(this.name);
    if (!isFunctionName(fn)) {
      throw new InvalidArgumentError(
        `fn: ${show(fn)} can't be the name of a job; give the name of a function your jobs file exports`,
      );
    }
    if (!Array.isArray(args)) refuse('args', args, 'give an array of the arguments');
    const options =
      given === undefined ? this.#defaults : checkEnqueueOptions(given, 'options', this.#defaults);
    if (waits && options.resultTtl === 0) {
      refuse('resultTtl', 0, 'call() waits for the result: let it be kept, or use enqueue()');
    }
    if (waits && options.unique === 'waiting') {
      refuse('unique', 'waiting', 'which job it is shows when it is enqueued: use enqueue()');
    }
    const queue = options.queue ?? this.#routes.queueOf(fn);
    const lane = this.#lane(queue);
    const id = options.id ?? newId();
    const trace = traceEnqueue(queue, fn, id, options.meta);
    const job = trace
      ? trace.start((meta) => newJob(fn, args, { ...options, meta }, id))
      : newJob(fn, args, options, id);
    return new Pending(fn, job, lane, trace);
  }

  #lane(queue: string): Lane {
    let lane = this.#lanes.get(queue);
    if (!lane) this.#lanes.set(queue, (lane = this.makeLane(queue)));
    return lane;
  }

  /** @internal */
  protected makeLane(queue: string): Lane {
    const store = this.makeStore(queue);
    const batch = (send: BatchOptions<Pending>['send']) =>
      new Batch<Pending>({
        timeoutMs: this.#callTimeoutMs,
        send: (items, deadline) => {
          this.#announce(lane);
          return send(items, deadline);
        },
      });
    const lane: Lane = {
      announced: { at: -Infinity, done: Promise.resolve() },
      context: { store, results: this.#results, check: () => this.assertOpen() },
      batch: batch(async (items, deadline) => {
        const { refused, renamed } = await store.enqueue(items, deadline);
        for (const [i, item] of items.entries()) {
          item.accept(refused.has(i), '', renamed.get(i));
        }
      }),
      calls: batch(async (items, deadline) => {
        const channel = this.#results.channel(store);
        const { refused, outcomes } = await store.call(items, channel, deadline);
        for (const [i, item] of items.entries()) item.accept(refused.has(i), outcomes[i]);
      }),
      flow: (plan, part) => {
        this.#announce(lane);
        return store.flows.enqueue(plan, part);
      },
      schedule: (name, definition, paused) => {
        this.#announce(lane);
        return writeEntry(store, name, definition, paused);
      },
      leave: (name, fn) => leaveEntry(store, name, fn),
    };
    return lane;
  }

  /** @internal */
  protected makeStore(queue: string): Store {
    return new Store(this.#connection, this.#prefix, queue);
  }

  /** Makes the queue known, beside the call and once a minute: else one that no worker ever served is seen by nobody. */
  #announce(lane: Lane): void {
    const at = performance.now();
    if (at - lane.announced.at < ANNOUNCED_EVERY_MS) return;
    // What Redis refuses, it refuses the call as well, or it was a right that only this lacks.
    const done = lane.context.store.announce().catch(() => {});
    lane.announced = { at, done };
  }

  protected override context(): HandleContext {
    this.assertOpen();
    return this.handles();
  }

  protected override handles(): HandleContext {
    return this.#lane(this.name).context;
  }

  protected override stores(): Store[] {
    this.assertOpen();
    return this.#routes.queues.map((queue) => this.#lane(queue).context.store);
  }

  /** @internal */
  protected assertOpen(): void {
    if (this.#closed) throw new QueueClosedError(this.name);
  }

  /**
   * Adds a cron entry, or replaces the one of this name; the same again changes nothing. At each of its ticks one of the workers
   * enqueues a job, with the id `cron:<name>:<tick in epoch ms>`. One that is paused stays so, unless `paused` says otherwise.
   * @example await queue.schedule('digest', { cron: '0 7 * * MON-FRI', timezone: 'Europe/Berlin', fn: 'sendDigest' })
   * A pattern that fires at other times in BullMQ the whole year round is warned of once (a warning of the process, `MINQ_CRON`).
   * @throws {InvalidArgumentError} before anything is sent
   * @throws {MinqError} `SCHEDULE_TAKEN`: a function's own entry has this name; `TOO_MANY_SCHEDULES`: over 10,000
   */
  async schedule<N extends JobName<Jobs>>(
    name: string,
    schedule: Schedule<Jobs, N>,
  ): Promise<void> {
    const { paused, ...rules } = checkSchedule(schedule);
    const text = definitionText(rules);
    checkScheduleName(name);
    const elsewhere = rules.cron !== undefined && warningOf(rules.cron);
    if (elsewhere) process.emitWarning(`cron entry "${name}", ${elsewhere}`, { code: 'MINQ_CRON' });
    const at = this.#routes.queueOf(rules.fn);
    this.assertOpen();
    await this.#lane(at).schedule(name, text, paused);
    // Its function may have had another route.
    for (const queue of this.#routes.queues) {
      if (queue !== at) await this.#lane(queue).leave(name, rules.fn);
    }
  }

  /** Waits until what was accepted is sent, then closes the connections. Results awaited reject. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      const lanes = [...this.#lanes.values()];
      await Promise.all(lanes.flatMap(({ batch, calls }) => [batch.drained(), calls.drained()]));
      await Promise.all(lanes.map((lane) => lane.announced.done));
      this.#results.close(new QueueClosedError(this.name));
      this.#connection.close();
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
