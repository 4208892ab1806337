/** `testing()`: the jobs of an app on a real Redis, run when the test says so, in a time that the test sets forward. */
import { entriesOf } from '../worker/app.ts';
import { Beat } from '../worker/beat.ts';
import { Courier } from '../worker/courier.ts';
import { Worker, type WorkerOptions } from '../worker/worker.ts';
import { collectFunctions } from '../job/define.ts';
import { toMs, type Duration } from '../job/duration.ts';
import { randomText } from '../job/id.ts';
import { lineLogger, messageFirst, unheard } from '../job/log.ts';
import { Queue, type QueueOptions } from '../queue/queue.ts';
import type { RedisSource } from '../redis/client.ts';
import { Connection } from '../redis/connection.ts';
import { readSchedules } from '../cron/schedules.ts';
import { KEY_NAMES } from '../store/keys.ts';
import { Store } from '../store/store.ts';
import { readCounts, readJobs, type Counts } from '../views/inspector.ts';
import { Clock } from './clock.ts';
import { startInProcess } from './server.ts';

/** A run of a job, in a worker of this process. */
export interface TestedRun {
  id: string;
  queue: string;
  fn: string;
  /** 1 for the first. */
  attempt: number;
  /** What the function returned, itself. */
  result?: unknown;
  /** What it threw, itself. */
  error?: unknown;
}

/** Options of `testing(jobs, options)`. */
export interface TestingOptions<Jobs> extends Pick<QueueOptions<Jobs>, 'defaults' | 'routes'> {
  /** A Redis to test on, as for `Queue`. Default: one in this process, of the package js-redis-server. */
  redis?: RedisSource;
  /** Name of the queue. Default `default`. */
  queue?: string;
  /** As of `Worker`. Default: warnings and errors to standard error. */
  logger?: WorkerOptions['logger'];
  middleware?: WorkerOptions['middleware'];
}

/** A queue and its jobs under a test, see `testing()`. */
export interface Testing<Jobs> extends AsyncDisposable {
  /** Enqueues, for code under test; nothing runs before `drain` or `advance`. */
  readonly queue: Queue<Jobs>;
  /** For a queue or a worker that the code under test makes itself: its options. */
  readonly options: { redis: RedisSource; prefix: string };
  /**
   * Runs what is due, on every queue, and all that follows from it, until nothing is left to run now. What failed and is to be
   * tried again later waits for `advance`.
   * @returns the runs, in the order in which they began. It doesn't reject because a job has failed: see `error`
   */
  drain(): Promise<TestedRun[]>;
  /**
   * Time passes: delays, backoffs, cron ticks, limits and what is kept come due one after the other, and what is due is run. Only minq's
   * time: functions that ask for the date get that of the process, or of fake timers.
   * @example await t.advance('1h')
   */
  advance(time: Duration): Promise<TestedRun[]>;
  /** Ends it, and removes from Redis what it has stored there. */
  close(): Promise<void>;
}

/** Longest wait for a Redis in this process, or beside it. */
const CALL_TIMEOUT_MS = 5_000;

/**
 * The functions of a jobs file on a real Redis, for tests: what is enqueued runs when the test calls `drain()`, in this process, and
 * `advance('1h')` lets time pass without waiting. Each has keys of its own (a random prefix), so tests may run side by side.
 * @param jobs a module namespace (`import * as jobs from './jobs.ts'`) or an object of functions
 * @throws {MinqError} `NO_REDIS` where neither a Redis is given nor js-redis-server is installed
 * @example await using t = await testing(jobs); await t.queue.enqueue('add', [2, 3]); await t.drain()
 */
export async function testing<Jobs extends object>(
  jobs: Jobs,
  options: TestingOptions<Jobs> = {},
): Promise<Testing<Jobs>> {
  collectFunctions(jobs);
  const server = options.redis === undefined ? await startInProcess() : undefined;
  const redis = options.redis ?? server!.redis;
  const tested = new Tested(jobs, options, redis, async () => server?.close());
  try {
    await tested.begin();
  } catch (error) {
    await tested.close();
    throw error;
  }
  return tested;
}

class Tested<Jobs extends object> implements Testing<Jobs> {
  readonly queue: Queue<Jobs>;
  readonly options: { redis: RedisSource; prefix: string };
  readonly #jobs: Jobs;
  readonly #given: TestingOptions<Jobs>;
  readonly #clock = new Clock();
  readonly #connection: Connection;
  readonly #control: Connection;
  readonly #end: () => Promise<void>;
  readonly #places = new Map<string, { store: Store; beat: Beat }>();
  #runs: TestedRun[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    jobs: Jobs,
    given: TestingOptions<Jobs>,
    redis: RedisSource,
    end: () => Promise<void>,
  ) {
    const { defaults, routes, queue } = given;
    this.#jobs = jobs;
    this.#given = given;
    this.#end = end;
    this.options = { redis: this.#clock.of(redis), prefix: `test-${randomText(12)}` };
    this.queue = new Queue<Jobs>(queue, {
      ...this.options,
      ...(defaults && { defaults }),
      ...(routes && { routes }),
    });
    const open = (name: string) =>
      new Connection(this.options.redis, { name, callTimeoutMs: CALL_TIMEOUT_MS });
    // Those that workers share: held open, or each would make its own, and there are very many.
    this.#connection = open('minq:worker');
    this.#control = open('minq:control');
  }

  /** From now on there are cron entries: those of functions. */
  async begin(): Promise<void> {
    for (const { beat } of await this.#all()) await beat.round();
  }

  /** Every queue that a function belongs to, or that something went to. */
  async #all(): Promise<{ store: Store; beat: Beat }[]> {
    const { name } = this.queue;
    const own = [...collectFunctions(this.#jobs).values()].map(({ options }) => options.queue);
    const used = await this.#place(name).store.queues();
    return [...new Set([name, ...own, ...used])].flatMap((each) => (each ? this.#place(each) : []));
  }

  #place(queue: string): { store: Store; beat: Beat } {
    let place = this.#places.get(queue);
    if (!place) {
      const store = new Store(this.#connection, this.options.prefix, queue, randomText(12));
      const cron = queue === this.queue.name || 'own';
      const entries = { queue, app: 'tests', cron, burst: false } as const;
      const logger = messageFirst(this.#logger);
      const beat = new Beat({
        store,
        ...entriesOf(collectFunctions(this.#jobs), entries),
        logger,
        onError: () => {}, // of rounds it makes by itself, and it makes none
      });
      this.#places.set(queue, (place = { store, beat }));
    }
    return place;
  }

  get #logger() {
    return this.#given.logger ?? { ...lineLogger(), info: unheard };
  }

  async drain(): Promise<TestedRun[]> {
    const before = this.#runs.length;
    for (let seen = ''; ;) {
      const places = await this.#all();
      for (const { store } of places) await carryPost(store);
      const counts = await Promise.all(places.map(({ store }) => readCounts(store)));
      const now = JSON.stringify(counts);
      if (now === seen) return this.#runs.slice(before);
      seen = now;
      await Promise.all(
        places.map(async ({ store }, i) => {
          if (await hasWork(store, counts[i]!)) await this.#work(store.queue);
        }),
      );
    }
  }

  /** One worker that stops when nothing is left to run now. */
  #work(queue: string): Promise<void> {
    const { middleware } = this.#given;
    const worker = new Worker(this.#jobs, {
      ...this.options,
      queue,
      burst: true,
      logger: this.#logger,
      middleware: async (job, next) => {
        const { id, fn, attempt } = job;
        const run: TestedRun = { id, queue, fn, attempt };
        this.#runs.push(run);
        const ran = async () => {
          try {
            return (run.result = await next());
          } catch (error) {
            run.error = error;
            throw error;
          }
        };
        return middleware ? middleware(job, ran) : ran();
      },
    });
    return worker.run();
  }

  async advance(time: Duration): Promise<TestedRun[]> {
    const before = this.#runs.length;
    const until = this.#clock.now() + toMs(time, 'time');
    await this.drain();
    for (;;) {
      const next = await this.#nextDue();
      if (next > until) break;
      this.#setForward(next);
      await this.#fire();
    }
    this.#setForward(until);
    await this.#fire();
    for (const { store } of this.#places.values()) while (await store.prune());
    return this.#runs.slice(before);
  }

  /** Cron ticks, and what has come due. */
  async #fire(): Promise<void> {
    for (const { beat } of await this.#all()) await beat.round();
    await this.drain();
  }

  #setForward(to: number): void {
    this.#clock.aheadMs += Math.max(0, to - this.#clock.now());
  }

  /** When something is due that isn't yet; of a rate that is used up, when it is used up no more. */
  async #nextDue(): Promise<number> {
    const now = this.#clock.now();
    const times: number[] = [];
    for (const { store } of await this.#all()) {
      const counts = await readCounts(store);
      const perMs = counts.limit?.rate?.perMs;
      if (counts.queued > 0 && !counts.paused && perMs !== undefined) times.push(now + perMs);
      if (counts.scheduled > 0) times.push(await firstDue(store));
      for (const { nextAt } of await readSchedules(store)) times.push(nextAt ?? Infinity);
    }
    return Math.min(...times.filter((each) => each > now), Infinity);
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.queue.close();
      try {
        const stores = (await this.#all()).map(({ store }) => store);
        const erase = (keys: string[]) => this.#connection.call((client) => client.del(keys));
        for (const { keys } of stores) await erase(KEY_NAMES.map((name) => keys[name]));
        await erase([stores[0]!.queuesKey]);
      } finally {
        this.#connection.close();
        this.#control.close();
        await this.#end();
      }
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function hasWork(store: Store, counts: Counts): Promise<boolean> {
  if (counts.queued > 0 || counts.waiting > 0) return true;
  return counts.scheduled > 0 && (await firstDue(store)) <= (await store.now());
}

async function firstDue(store: Store): Promise<number> {
  const [first] = await readJobs(store, 'scheduled', { limit: 1 });
  return first?.dueAt ?? Infinity;
}

/** What one queue's flows and failures have to tell others. */
async function carryPost(store: Store): Promise<void> {
  const failures: unknown[] = [];
  for (;;) {
    const post = await store.flows.delivered([]);
    if (post.length === 0) return;
    const courier = new Courier(store, (error) => failures.push(error));
    courier.carry(post);
    await courier.stop();
    if (failures.length > 0) throw failures[0];
  }
}
