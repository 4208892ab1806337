/** Tests of queues and workers on servers of several processes: closed at the end, and then nothing of them is left. */
import t, { type Test } from 'tap';
import { Queue, Worker, type QueueOptions, type WorkerOptions } from '../../src/index.ts';
import { violations } from './invariants.ts';
import type { TestRedis } from './redis.ts';
import { until } from './until.ts';

/** What the tests run on. */
export interface Servers {
  /** What queues and workers are given as `redis`. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  /** The server that holds a queue. */
  masterOf(queue: string): Promise<TestRedis>;
  stop(): Promise<void>;
}

export interface Ground {
  queue(name: string, options?: QueueOptions): Queue;
  /** Runs until after the test. */
  worker(name: string, jobs: object, options?: WorkerOptions): Worker;
  /** Lines the workers logged. */
  readonly log: string[];
  /** Called when the test is over. */
  onEnd(close: () => Promise<unknown>): void;
}

/** @param start the servers of this test; they are stopped after it */
export function distributed<S extends Servers>(
  what: string,
  start: () => Promise<S>,
  body: (test: Test, ground: Ground, servers: S) => Promise<void>,
): void {
  void t.test(what, async (test) => {
    const servers = await start();
    test.teardown(() => servers.stop());
    const closing: (() => Promise<unknown>)[] = [];
    const names = new Set<string>();
    const log: string[] = [];
    const at =
      (level: string) =>
      (message: string, fields: object = {}) =>
        void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    const redis = servers.url;
    try {
      await body(
        test,
        {
          log,
          queue: (name, options) => {
            names.add(name);
            const queue: Queue = new Queue(name, { redis, ...options });
            closing.unshift(() => queue.close());
            return queue;
          },
          worker(name, jobs, options) {
            names.add(name);
            const worker = new Worker(jobs, { redis, queue: name, logger, ...options });
            worker.run().catch((error: Error) => log.push(`run rejected: ${error.message}`));
            closing.unshift(() => worker.stop({ timeout: 200 }));
            return worker;
          },
          onEnd: (close) => void closing.unshift(close),
        },
        servers,
      );
    } finally {
      for (const close of closing) await close();
    }
    for (const name of names) {
      const { client } = await servers.masterOf(name);
      test.same(await violations(client, name), [], `invariants of ${name} hold`);
    }
    for (const server of servers.nodes.filter(({ running }) => running)) {
      await until(async () => !String(await server.client.client('LIST')).includes('minq:'), {
        what: 'no connection of minq is left',
      });
    }
  });
}
