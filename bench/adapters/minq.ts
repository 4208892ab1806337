/** minq as it ships, with its defaults: up to 10,000 results are kept, for an hour. */
import { Queue, Worker } from '../../dist/index.js';
import type { Connect } from './adapter.ts';

export const connect: Connect = async (redis) => {
  const queue = new Queue<{ noop(i: number): unknown }>('bench', { redis });
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  return {
    enqueue: (i) => queue.enqueue('noop', [i]),
    async enqueueMany(numbers) {
      const outcomes = await queue.enqueueMany(numbers.map((i) => ({ fn: 'noop', args: [i] })));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
    async work(concurrency, job) {
      worker = new Worker({ noop: job }, { queue: 'bench', redis, concurrency });
      running = worker.run();
    },
    async callAndWait(i) {
      const job = await queue.enqueue('noop', [i]);
      return job.result();
    },
    async close() {
      await worker?.stop();
      await running;
      await queue.close();
    },
  };
};
