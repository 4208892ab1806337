/** Scenes whose minq talks to Redis through a proxy that can fail; the test itself looks at Redis directly. */
import type { Test } from 'tap';
import type { Queue, QueueOptions, Worker, WorkerOptions } from '../../src/index.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { scene, type Stage } from './setup.ts';

export interface FaultyStage extends Stage {
  readonly proxy: Proxy;
  /** As on a stage, but through the proxy, and with a short deadline and lease. */
  queue<Jobs = Record<string, (...args: any[]) => any>>(options?: QueueOptions<Jobs>): Queue<Jobs>;
  worker(jobs: object, options?: WorkerOptions): Worker;
}

export function faultyScene(
  what: string,
  body: (test: Test, stage: FaultyStage) => Promise<void>,
  options: Parameters<typeof scene>[2] = {},
): void {
  scene(
    what,
    async (test, stage) => {
      const proxy = await startProxy(stage.redis.port);
      stage.onEnd(() => proxy.close());
      const through = { redis: proxy.url, callTimeout: 1_000 };
      await body(test, {
        ...stage,
        proxy,
        queue: <Jobs>(given: QueueOptions<Jobs> = {}) =>
          stage.queue<Jobs>({ ...through, ...given }),
        worker: (jobs, given = {}) => stage.worker(jobs, { lease: 1_000, ...through, ...given }),
      });
    },
    options,
  );
}
