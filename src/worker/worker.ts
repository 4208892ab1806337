/** A worker: wires the roles together, starts them and stops them in the right order. */
import { performance, now, setTimeout } from '../job/globals.ts';
import { appOf, entriesOf } from './app.ts';
import type { RedisSource } from '../redis/client.ts';
import { describeError } from '../job/codec.ts';
import { misfit, shared } from '../job/copies.ts';
import { Connection, type ConnectionSettings } from '../redis/connection.ts';
import { collectFunctions, type JobFunction } from '../job/define.ts';
import { LONGEST_TIMER_MS, toMs, type Duration } from '../job/duration.ts';
import { MinqError, RedisCommandError } from '../job/errors.ts';
import { randomText } from '../job/id.ts';
import { lineLogger, messageFirst, unheard, type Logger } from '../job/log.ts';
import { reportOnce, within, type Loop } from './loop.ts';
import {
  checkConcurrency,
  checkMiddleware,
  checkWorkerOptions,
  RUN_DEFAULTS,
} from '../job/checks.ts';
import { CRON_CHANGED } from '../store/scripts/cron.ts';
import { FAILED_KEPT_MS, MAX_KEPT } from '../store/scripts/fragments.ts';
import { isDenied } from '../redis/rights.ts';
import { Store } from '../store/store.ts';
import { Beat } from './beat.ts';
import { startControl } from './control.ts';
import { Courier } from './courier.ts';
import type { Middleware } from './executor.ts';
import {
  factsOf,
  namesOf,
  presenceOf,
  readinessOf,
  type Readiness,
  type Sources,
  type WorkerFacts,
} from './facts.ts';
import { untilFit } from './fit.ts';
import { startHeartbeat } from './heartbeat.ts';
import { homeOf } from './home.ts';
import { Idle } from './idle.ts';
import { LoopWatch } from './loop-watch.ts';
import { Orders } from './orders.ts';
import { Processor } from './processor.ts';
import { startPruner } from './pruner.ts';
import { catchRejections } from './rejections.ts';
import { Slots } from './slots.ts';
import { Strangers } from './strangers.ts';
import { Timings } from './timings.ts';

/** Options of `new Worker(jobs, options)`; each has a default. */
export interface WorkerOptions {
  /** Name of the queue. Default `default`. */
  queue?: string;
  /** Jobs that run at once, 1 to 1,000. Default 10. */
  concurrency?: number;
  /** How long a claim lasts without a heartbeat; a killed worker's jobs start again after it. Default 15 s, at least 300 ms. */
  lease?: Duration;
  /** How long `stop()` waits for running jobs before it gives them back. Default 25 s. */
  shutdownTimeout?: Duration;
  /**
   * How long failed jobs are kept, default 7 days, and how many, default 10,000 (at most 1,000,000). Give all workers of a
   * queue the same. A count below 10,000 is looked at once a minute.
   */
  keepFailed?: { age?: Duration; count?: number };
  /** The same of completed jobs; `age` is that of jobs without a `resultTtl` of their own, default 1 hour. */
  keepCompleted?: { age?: Duration; count?: number };
  /** Stop by itself when nothing is left to run now. Default false. */
  burst?: boolean;
  /**
   * Whether the functions' own cron entries (`job({ cron }, fn)`) fire on this queue. Default true. An entry fires on each queue
   * that has it: where the same functions work on several queues, let all workers but one queue's have `'own'`, only those of
   * functions with this `queue`. Of a function with another `queue` it doesn't fire here in any case.
   */
  cron?: boolean | 'own';
  /**
   * Name of the app: entries it defined once and doesn't any more are removed, other apps' are left alone.
   * Default: name of the package and path in it, of the jobs file (`minq worker`) or the main script.
   */
  app?: string;
  /** As for `Queue`. */
  redis?: RedisSource;
  /** First part of every key. Default `minq`. */
  prefix?: string;
  /** Longest time a call waits for Redis. Default 5 s. */
  callTimeout?: Duration;
  /** `console`, pino, winston or the like. Default: warnings and errors to standard error. */
  logger?: Logger;
  /** Of `currentQueue()`, as for `Queue`. Those that functions say with `job({ queue })` need none. */
  routes?: { readonly [fn: string]: string | undefined };
  /** Wraps each run: `async (job, next) => { await next() }`. */
  middleware?: Middleware;
}

/** Most functions that are named when it starts. */
const MOST_SAID = 20;
/** After the time for running jobs is over: how long giving them back and signing off may take, together. Gone within 2 s. */
const LEAVE_MS = 1_500;
const LEAVE_NOW_MS = 700;

/**
 * Runs jobs of a queue: plain async functions, several at once on one event loop.
 * @example const worker = new Worker(jobs); await worker.run()
 */
export class Worker {
  /** Unique to this object; two workers may share host, name and pid. */
  readonly id = randomText(12);
  readonly #functions: ReadonlyMap<string, JobFunction>;
  readonly #options;
  readonly #logger: Logger;
  #processor: Processor | undefined;
  readonly #slots: Slots;
  readonly #timings = new Timings();
  readonly #watch: LoopWatch;
  #connection: Connection | undefined;
  #running: Promise<void> | undefined;
  #stop: ((timeoutMs: number) => void) | undefined;
  #stopAsked: number | undefined;

  static readonly #everywhere = shared('middleware', (): Middleware[] => []);

  /**
   * Adds middleware to every worker that this process makes from now on, around that of its own options. Meant for
   * a file that the jobs file imports: so `minq worker` and `minq dev`, which make the worker themselves, have it too.
   * @throws {InvalidArgumentError}
   */
  static use(middleware: Middleware): void {
    checkMiddleware(middleware, 'middleware');
    Worker.#everywhere.push(middleware);
  }

  /**
   * @param jobs a module namespace (`import * as jobs from './jobs.ts'`) or an object of functions
   * @throws {InvalidArgumentError} for a bad option, or when there is no function in `jobs`
   * @throws {MinqError} `COPIES` when another version of minq that doesn't fit is in this process
   */
  constructor(jobs: object, options: WorkerOptions = {}) {
    const wrong = misfit();
    if (wrong !== undefined) throw new MinqError('COPIES', wrong);
    const given = checkWorkerOptions(options);
    this.#functions = collectFunctions(jobs);
    this.#options = {
      queue: 'default',
      concurrency: 10,
      lease: toMs('15s', 'lease'),
      shutdownTimeout: toMs('25s', 'shutdownTimeout'),
      burst: false,
      cron: true,
      app: appOf(process.argv[1] ?? 'node'),
      prefix: 'minq',
      callTimeout: toMs('5s', 'callTimeout'),
      ...given,
      keep: {
        completed: { age: RUN_DEFAULTS.resultTtl, count: MAX_KEPT, ...given.keepCompleted },
        failed: { age: FAILED_KEPT_MS, count: MAX_KEPT, ...given.keepFailed },
      },
      redis: options.redis,
      middleware: [...Worker.#everywhere, ...(options.middleware ? [options.middleware] : [])],
    };
    this.#logger = options.logger ? messageFirst(options.logger) : quietLogger();
    this.#slots = new Slots(this.#options.concurrency);
    this.#watch = new LoopWatch(this.#slots, this.#timings, this.#logger);
  }

  /** Jobs that run at once, 1 to 1,000. */
  get concurrency(): number {
    return this.#slots.concurrency;
  }

  /**
   * May be changed while the worker runs: new slots are filled at once; of fewer, those that are taken go on until their
   * jobs have ended.
   * @throws {InvalidArgumentError}
   */
  set concurrency(value: number) {
    this.#slots.concurrency = checkConcurrency(value, 'concurrency');
    this.#processor?.lookAgain();
  }

  /**
   * Works until `stop()` is called (or, with `burst`, until nothing is left).
   * Redis being away is waited out; Redis refusing us (password, rights, version) is an error.
   * @throws {RedisCommandError}
   */
  run(): Promise<void> {
    if (this.#running) {
      const why = 'run() was called before on this worker';
      return Promise.reject(new MinqError('WORKER_RUNNING', why));
    }
    this.#running = this.#work();
    return this.#running;
  }

  /**
   * Claims no more jobs, waits for the running ones, aborts and gives back what is left after `timeout`
   * (no attempt is charged), and resolves. A second call with a shorter timeout hurries the first.
   */
  async stop(options: { timeout?: Duration } = {}): Promise<void> {
    const timeoutMs =
      options.timeout === undefined
        ? this.#options.shutdownTimeout
        : toMs(options.timeout, 'timeout');
    this.#stopAsked = Math.min(timeoutMs, this.#stopAsked ?? Infinity);
    this.#stop?.(timeoutMs);
    await this.#running?.catch(() => {}); // who called run() hears of its failure
  }

  /** How this worker is, and what it has done since it was started: for metrics. No I/O. */
  facts(): WorkerFacts {
    return { id: this.id, queue: this.#options.queue, ...factsOf(this.#sources, this.#connection) };
  }

  /** Whether it can do its work now: it has started, isn't stopping, and Redis answers within a second. For probes. */
  readiness(): Promise<Readiness> {
    return readinessOf(this.#processor && this.#connection, this.#stopAsked !== undefined);
  }

  get #sources(): Sources {
    return { slots: this.#slots, timings: this.#timings, watch: this.#watch };
  }

  async #work(): Promise<void> {
    const { prefix, queue, lease, redis, callTimeout, burst } = this.#options;
    const { slots, timings, watch } = this.#sources;
    const logger = this.#logger;
    let stopping = false;
    let denied: RedisCommandError | undefined;
    const end = (error: RedisCommandError) => {
      denied ??= error;
      void this.stop({ timeout: 0 }); // what runs can't be settled either: it comes back by its lease
    };
    const onError = (what: string) => (error: unknown) => {
      if (isDenied(error)) end(error);
      else if (!stopping) logger.error(`${what}: ${describeError(error).message}`);
    };
    const open = (settings: Omit<ConnectionSettings, 'callTimeoutMs'>) =>
      new Connection(redis, { ...settings, callTimeoutMs: callTimeout });

    // One of the three connections speaks for all; they break together.
    const report = reportOnce(onError('Redis'));
    const connection = (this.#connection = open({ name: 'minq:worker', onError: report }));
    const store = new Store(connection, prefix, queue, this.id);
    const stopped = new Promise<number>((resolve) => {
      this.#stop = resolve;
      if (this.#stopAsked !== undefined) resolve(this.#stopAsked);
    });
    try {
      const closeIfUnused = () => this.#processor ?? connection.close();
      if (!(await untilFit(connection, store, logger, stopped.then(closeIfUnused)))) return;
    } catch (error) {
      connection.close();
      throw error;
    }

    const idle = new Idle(
      open({ name: `minq:wait:${queue}`, alone: true, resend: false }),
      store.keys.wake,
      lease,
    );
    const courier = new Courier(store, reportOnce(onError('flows')));
    const strangers = new Strangers(store, this.#functions);
    const home = homeOf(this.#options, this.#functions, slots, logger);
    const processor: Processor = (this.#processor = new Processor({
      store,
      home,
      functions: this.#functions,
      slots,
      leaseMs: lease,
      keep: this.#options.keep,
      logger,
      idle,
      middleware: this.#options.middleware,
      timings,
      watch,
      courier,
      strangers,
      onDenied: end,
      onDrained: () => {
        if (burst) this.#stop?.(this.#options.shutdownTimeout);
      },
    }));
    const { definitions, app } = entriesOf(this.#functions, this.#options);
    const beat = burst
      ? undefined
      : new Beat({ store, app, definitions, logger, onError: reportOnce(onError('cron')) });
    const orders = new Orders({
      worker: this.id,
      logger,
      resize: (concurrency) => (this.concurrency = concurrency),
      stop: () => void this.stop(),
      onHeard: () => heartbeat.soon(),
    });
    const control = startControl(
      open({ name: 'minq:control' }),
      store.keys.control,
      (message) => {
        if (message === CRON_CHANGED) beat?.look();
        else if (strangers.heard(message)) processor.lookAgain();
        else if (orders.heard(message)) return;
        else slots.held().get(message)?.cancel();
      },
      () => {
        heartbeat.soon();
        beat?.look(); // an idle worker's heartbeat would wait
        processor.lookForStrangers();
      },
      (error) => isDenied(error) && end(error), // else its connection has told it
    );
    const startedAt = now();
    const known = namesOf(this.#functions.keys());
    const heartbeat: Loop = startHeartbeat({
      store,
      leaseMs: lease,
      slots,
      timings,
      beat,
      logger,
      presence: () => presenceOf(this.#sources, startedAt, known, orders.answered),
      orders,
      onError: onError('heartbeat'),
    });
    const pruner = startPruner(store, this.#options.keep, logger, onError('pruner'));
    const stopCatching = catchRejections();
    watch.start();
    beat?.start();
    processor.lookAgain();
    const { concurrency, id: worker } = this;
    const functions = known.functions.slice(0, MOST_SAID).join(', ');
    logger.info('worker started', {
      queue,
      concurrency,
      worker,
      redis: connection.place,
      functions,
    });

    // Several calls of stop() within one tick: the shortest counts.
    const timeoutMs = Math.min(await stopped, this.#stopAsked ?? Infinity);
    const beatOver = beat?.stop().catch(() => {}); // else another takes it at the next tick
    const leaveBy = await this.#finish(processor, timeoutMs);
    stopping = true;
    stopCatching();
    watch.stop();
    const signOff = async () => {
      await heartbeat.stop(); // one that came after it would put us on the list again
      do {
        const counted = timings.take();
        await store.leave(counted);
        timings.sent(counted);
      } while (!timings.empty);
    };
    const signedOff = signOff().catch(() => {}); // else we are off the list within a minute
    const said = home.producer?.close(); // what jobs have enqueued is sent
    await within(leaveBy - performance.now(), Promise.all([signedOff, said]));
    // Connections close last, which also ends whatever call of a loop is still under way.
    control.stop();
    const carried = courier.stop();
    processor.end();
    connection.close();
    await Promise.all([heartbeat.stop(), pruner.stop(), beatOver, carried]);
    if (denied) throw denied;
    logger.info('worker stopped', { queue, worker: this.id });
  }

  /**
   * Nothing new is claimed; leases are renewed until the last job is settled or given back.
   * @returns when the worker has to be gone, though Redis may be away
   */
  async #finish(processor: Processor, timeoutMs: number): Promise<number> {
    processor.stopClaiming();
    const hurried = new Promise<void>((resolve) => {
      this.#stop = (ms) => void setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS)).unref();
    });
    await within(timeoutMs, processor.quiet(), hurried);
    const left = [...this.#slots].filter((run) => !run.decided).length;
    if (left > 0) this.#logger.warn(`giving back ${left} unfinished job${left === 1 ? '' : 's'}`);
    const leaveMs = this.#stopAsked === 0 ? LEAVE_NOW_MS : LEAVE_MS;
    const leaveBy = performance.now() + leaveMs;
    await within(leaveMs, processor.releaseAll());
    return leaveBy;
  }
}

/** Warnings and errors only: a library doesn't talk unasked. */
const quietLogger = (): Logger => ({ ...lineLogger(), info: unheard });
