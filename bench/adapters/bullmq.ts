/**
 * BullMQ: `addBulk` for many, one worker with a concurrency, `removeOnComplete` with a count (its default
 * keeps every job for ever), `waitUntilFinished` with a `QueueEvents` for results, and a `FlowProducer` for chords.
 */
import type { FlowProducer as BullFlows, Worker as BullWorker } from 'bullmq';
import { native } from '../native.ts';
import { KEPT, type Arg, type Connect } from './adapter.ts';

const { FlowProducer, Queue, QueueEvents, Worker } = native('bullmq') as typeof import('bullmq');

export const connect: Connect = async (url, uses) => {
  const connection = { url, maxRetriesPerRequest: null };
  const kept = { removeOnComplete: { count: KEPT } };
  const queue = new Queue<{ i: Arg }>('bench', {
    connection,
    defaultJobOptions: kept,
  });
  await queue.waitUntilReady();
  const events = uses === 'results' ? new QueueEvents('bench', { connection }) : undefined;
  await events?.waitUntilReady();
  let worker: BullWorker | undefined;
  let flows: BullFlows | undefined;
  return {
    waitingKey: 'bull:bench:wait',
    enqueue: (i) => queue.add('noop', { i }),
    enqueueMany: (numbers) => queue.addBulk(numbers.map((i) => ({ name: 'noop', data: { i } }))),
    delayMany: (numbers, dueAt) =>
      queue.addBulk(
        numbers.map((i) => ({ name: 'noop', data: { i }, opts: { delay: dueAt - Date.now() } })),
      ),
    enqueueRetried: (numbers) =>
      queue.addBulk(numbers.map((i) => ({ name: 'noop', data: { i }, opts: { attempts: 2 } }))),
    enqueueChord(numbers, last) {
      flows ??= new FlowProducer({ connection });
      const noop = { name: 'noop', queueName: 'bench', opts: kept };
      const children = numbers.map((i) => ({ ...noop, data: { i } }));
      return flows.add({ ...noop, name: 'last', data: { i: last }, children });
    },
    async work(concurrency, job) {
      worker = new Worker<{ i: Arg }>(
        'bench',
        async (one) => {
          // What minq gives to the job as an argument.
          if (one.name === 'last') await one.getChildrenValues();
          return job(one.data.i);
        },
        { connection, concurrency },
      );
      await worker.waitUntilReady();
    },
    async callAndWait(i) {
      const job = await queue.add('noop', { i });
      return job.waitUntilFinished(events!);
    },
    async close() {
      await worker?.close();
      await events?.close();
      await flows?.close();
      await queue.close();
    },
  };
};
