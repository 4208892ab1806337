/** BullMQ as its documentation recommends: a producer that fails fast, workers that retry for ever, its own defaults. */
import { native } from '../../../bench/native.ts';
import { launch } from './launch.ts';
import type { Library } from './library.ts';

const { Queue } = native('bullmq') as typeof import('bullmq');
const { version } = native('bullmq/package.json') as { version: string };

/** Its default `lockDuration`, which `stalledInterval` equals: shorter ones no user would get to see. */
const LOCK_MS = 30_000;
const KEPT = 10_000;

export const bullmq: Library = {
  name: 'bullmq',
  leaseMs: { full: LOCK_MS, short: LOCK_MS },
  settings: (leaseMs) =>
    `BullMQ ${version}, lock ${leaseMs / 1_000} s, stalled check every 30 s (its defaults)`,
  producer(redis, name) {
    const queue = new Queue<unknown[]>(name, {
      connection: { url: redis, enableOfflineQueue: false },
      defaultJobOptions: { removeOnComplete: { count: KEPT }, removeOnFail: { count: KEPT } },
    });
    queue.on('error', () => {}); // the call that fails says so
    return {
      async enqueue(task, args, { id, delayMs, retries }) {
        await queue.waitUntilReady();
        await queue.add(task, [...args], {
          jobId: id,
          ...(delayMs !== undefined && { delay: delayMs }),
          ...(retries !== undefined && { attempts: retries + 1 }),
        });
      },
      async finished() {
        const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
        return { completed, failed };
      },
      async ended(id) {
        const job = await queue.getJob(id);
        const state = await job?.getState();
        if (state !== 'completed' && state !== 'failed') return undefined;
        return state === 'completed'
          ? { state, result: String(job!.returnvalue) }
          : { state, error: job!.failedReason };
      },
      close: () => queue.close(),
    };
  },
  startWorker: (options) => launch('bullmq-worker.ts', options),
};
