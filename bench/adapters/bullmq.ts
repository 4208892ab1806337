/**
 * BullMQ: `addBulk` for many, one worker with a concurrency, `removeOnComplete` with a count (its default
 * keeps every job for ever), and `waitUntilFinished` with a `QueueEvents` for results.
 */
import type { Worker as BullWorker } from 'bullmq';
import { native } from '../native.ts';
import { KEPT, type Connect } from './adapter.ts';

const { Queue, QueueEvents, Worker } = native('bullmq') as typeof import('bullmq');

export const connect: Connect = async (url, waits) => {
  const connection = { url, maxRetriesPerRequest: null };
  const queue = new Queue<{ i: number }>('bench', {
    connection,
    defaultJobOptions: { removeOnComplete: { count: KEPT } },
  });
  await queue.waitUntilReady();
  const events = waits ? new QueueEvents('bench', { connection }) : undefined;
  await events?.waitUntilReady();
  let worker: BullWorker | undefined;
  return {
    enqueue: (i) => queue.add('noop', { i }),
    enqueueMany: (numbers) => queue.addBulk(numbers.map((i) => ({ name: 'noop', data: { i } }))),
    async work(concurrency, job) {
      worker = new Worker<{ i: number }>('bench', async ({ data }) => job(data.i), {
        connection,
        concurrency,
      });
      await worker.waitUntilReady();
    },
    async callAndWait(i) {
      const job = await queue.add('noop', { i });
      return job.waitUntilFinished(events!);
    },
    async close() {
      await worker?.close();
      await events?.close();
      await queue.close();
    },
  };
};
