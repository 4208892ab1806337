/**
 * The stage for tests on a real Redis: one server for the file, a queue name of its own for each test.
 * After each test everything is closed, no connection is left, and the invariants hold.
 */
import t, { type Test } from 'tap';
import {
  Queue,
  Worker,
  type Logger,
  type QueueOptions,
  type WorkerOptions,
} from '../../src/index.ts';
import { Store } from '../../src/store/store.ts';
import { Connection } from '../../src/redis/connection.ts';
import { violations } from './invariants.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';

export type AnyQueue = Queue;

export interface Stage {
  readonly redis: TestRedis;
  /** The test's queue name. */
  readonly name: string;
  /** Makes a queue that is closed after the test. */
  queue<Jobs = Record<string, (...args: any[]) => any>>(options?: QueueOptions<Jobs>): Queue<Jobs>;
  /** Makes a worker and runs it until after the test. */
  worker(jobs: object, options?: WorkerOptions): Worker;
  /** The transitions themselves, as a worker of this id would call them. */
  store(worker?: string): Store;
  /** Lines the workers logged: `level message {fields}`. */
  readonly log: string[];
  /** Called when the test is over, before the checks: to end what uses Redis. */
  onEnd(close: () => Promise<unknown>): void;
  /** For tests that leave the queue broken on purpose: what the invariants may say. */
  allow(violation: RegExp): void;
}

let server: TestRedis | undefined;
let counter = 0;

/** One Redis for all tests of the file. */
export async function sharedRedis(flags?: string[]): Promise<TestRedis> {
  if (!server) {
    const started = (server = await startRedis(flags));
    t.teardown(() => started.stop());
  }
  return server;
}

/**
 * Runs the test on a stage. `redis`: a server of the test's own, else the file's. `beside`: those that have it run beside
 * each other, on servers of their own, as many at once as the file allows with `t.jobs`.
 */
export function scene(
  what: string,
  body: (test: Test, stage: Stage) => Promise<void>,
  { redis: ownRedis, beside = false }: { redis?: () => Promise<TestRedis>; beside?: boolean } = {},
): void {
  void t.test(what, { buffered: beside }, async (test) => {
    const start = ownRedis ?? (beside ? startRedis : undefined);
    const redis = start ? await start() : await sharedRedis();
    if (start) test.teardown(() => redis.stop());
    const name = `test-${++counter}`;
    const closing: (() => Promise<unknown>)[] = [];
    const allowed: RegExp[] = [];
    const log: string[] = [];
    const at =
      (level: string) =>
      (message: string, fields: object = {}) =>
        void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    };
    const stage: Stage = {
      redis,
      name,
      log,
      queue: <Jobs>(given: QueueOptions<Jobs> = {}) => {
        const queue = new Queue<Jobs>(name, { redis: redis.url, ...given });
        closing.unshift(() => queue.close());
        return queue;
      },
      worker: (jobs, given = {}) => {
        const worker = new Worker(jobs, { redis: redis.url, queue: name, logger, ...given });
        const running = worker.run();
        running.catch((error: Error) => log.push(`run rejected: ${error.message}`));
        closing.unshift(() => worker.stop({ timeout: 200 }));
        return worker;
      },
      store: (worker) => {
        const connection = new Connection(redis.url, { name: 'minq:test', callTimeoutMs: 5_000 });
        closing.unshift(async () => connection.close());
        return new Store(connection, 'minq', name, worker);
      },
      onEnd: (close) => void closing.unshift(close),
      allow: (violation) => void allowed.push(violation),
    };
    try {
      await body(test, stage);
    } finally {
      for (const close of closing) await close();
    }
    const found = (await violations(redis.client, name)).filter(
      (line) => !allowed.some((re) => re.test(line)),
    );
    test.same(found, [], 'invariants hold');
    await until(async () => !String(await redis.client.client('LIST')).includes(' name=minq:'), {
      what: 'no connection of minq is left',
    });
  });
}
