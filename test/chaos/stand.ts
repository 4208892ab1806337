/**
 * What the scenarios stand on that have minq run within their own process: a Redis of their own, queues and workers
 * on it, a count of all runs. Everything is closed at the end, and the invariants are looked at before.
 */
import { Queue, Worker, type QueueOptions, type WorkerOptions } from '../../src/index.ts';
import { violations } from '../helpers/invariants.ts';
import { startProxy, type Proxy } from '../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import type { Outcome } from './scenario.ts';

export const QUEUE = 'chaos';

export interface Stand {
  readonly redis: TestRedis;
  /** What was promised and is not so. */
  readonly broken: string[];
  /** Runs begun so far, by the job's id: of all workers of the stand; of other processes who has them adds them. */
  readonly runs: Map<string, number>;
  /** Lines the workers logged: `level message {fields}`. */
  readonly log: readonly string[];
  /** Workers that ended though nobody stopped them are said to be broken. */
  worker(jobs: object, options?: WorkerOptions): Worker;
  /** @param name of another queue than the stand's */
  queue(options?: QueueOptions, name?: string): Queue;
  /** Between minq and Redis, for the queues and workers that are given its URL. */
  proxy(): Promise<Proxy>;
  /** Notes the promise as broken unless it holds. */
  ensure(holds: boolean, promise: string): void;
  /** Waits for it; that it doesn't come is a promise broken, and no error. @returns how long it took, ms */
  within(ms: number, what: string, condition: () => unknown): Promise<number>;
  /** Of these jobs, those that have not come to an end, by what Redis holds of them. */
  unfinished(ids: Iterable<string>, queue?: string): Promise<string[]>;
  onEnd(close: () => Promise<unknown>): void;
}

export interface Found {
  /** Ids of the jobs that were accepted. */
  readonly accepted: readonly string[];
  readonly recoveredMs: readonly number[];
  /** How many of them were lost, where they are too many for Redis to keep all outcomes. */
  readonly lost?: number;
  /** Runs beyond the first that the jobs themselves asked for. */
  readonly planned?: number;
  /** What the invariants may say, where the scenario leaves the queue broken on purpose. */
  readonly allowed?: RegExp;
}

/** @param flags of redis-server */
export async function onStand(
  body: (stand: Stand) => Promise<Found>,
  flags: string[] = [],
): Promise<Outcome> {
  const redis = await startRedis(flags);
  const closing: (() => Promise<unknown>)[] = [];
  const broken: string[] = [];
  const log: string[] = [];
  const runs = new Map<string, number>();
  const onRejection = (reason: unknown) => broken.push(`unhandled rejection: ${String(reason)}`);
  process.on('unhandledRejection', onRejection);
  const stand: Stand = {
    redis,
    broken,
    runs,
    log,
    worker(jobs, given = {}) {
      const worker = new Worker(jobs, {
        redis: redis.url,
        queue: QUEUE,
        logger: loggerOf(log),
        middleware: (job, next) => {
          runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
          return next();
        },
        ...given,
      });
      let stopping = false;
      const stop = worker.stop.bind(worker);
      worker.stop = (how) => {
        stopping = true;
        return stop(how);
      };
      worker.run().then(
        () => stopping || broken.push('a worker ended by itself'),
        (error: Error) => broken.push(`a worker ended: ${error.message}`),
      );
      closing.unshift(() => worker.stop({ timeout: 500 }));
      return worker;
    },
    queue(given = {}, name = QUEUE) {
      const queue = new Queue(name, { redis: redis.url, ...given });
      closing.unshift(() => queue.close());
      return queue;
    },
    async proxy() {
      const proxy = await startProxy(redis.port);
      closing.unshift(() => proxy.close());
      return proxy;
    },
    ensure: (holds, promise) => void (holds || broken.push(promise)),
    async within(ms, what, condition) {
      const started = performance.now();
      await until(condition, { timeoutMs: ms, what }).catch((error: Error) => {
        broken.push(error.message);
      });
      return Math.round(performance.now() - started);
    },
    async unfinished(ids, queue = QUEUE) {
      const outcomes = new Set(await redis.client.hkeys(`minq:{${queue}}:outcomes`));
      return [...ids].filter((id) => !outcomes.has(id));
    },
    onEnd: (close) => void closing.unshift(close),
  };
  try {
    const { accepted, recoveredMs, planned = 0, allowed, ...found } = await body(stand);
    const lost = found.lost ?? (await stand.unfinished(accepted)).length;
    for (const close of closing.splice(0)) await close();
    const wrong = await violations(redis.client, QUEUE);
    broken.push(...wrong.filter((line) => !allowed?.test(line)).slice(0, 20));
    const again = accepted.reduce((sum, id) => sum + Math.max(0, (runs.get(id) ?? 0) - 1), 0);
    const lines = [...new Set(broken)].slice(0, 60);
    return {
      accepted: accepted.length,
      lost,
      extraRuns: again - planned,
      recoveredMs,
      broken: lines,
    };
  } finally {
    for (const close of closing) await close().catch(() => {});
    await redis.stop();
    process.off('unhandledRejection', onRejection);
  }
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

function loggerOf(log: string[]) {
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { debug() {}, info: at('info'), warn: at('warn'), error: at('error') };
}
