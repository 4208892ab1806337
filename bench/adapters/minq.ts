/** minq as it ships, with its defaults: up to 10,000 results are kept, for an hour. */
import path from 'node:path';
import type { Worker as MinqWorker } from '../../dist/index.js';
import { native } from '../native.ts';
import type { Arg, Connect } from './adapter.ts';

interface Jobs {
  noop(arg: Arg): unknown;
  last(results: unknown[], arg: number): unknown;
}

/**
 * @param folder of a checkout that was built
 * @param name of the queue: two builds side by side must not run each other's jobs
 */
export const minqFrom =
  (folder: string, name: string): Connect =>
  async (redis, _uses, queueName = name) => {
    const { chord, Queue, step, Worker } = native(
      path.resolve(folder, 'dist/index.js'),
    ) as typeof import('../../dist/index.js');
    const queue = new Queue<Jobs>(queueName, { redis });
    let worker: MinqWorker | undefined;
    let running: Promise<void> | undefined;
    const enqueueMany = async (
      numbers: readonly number[],
      options?: { delay?: number; retries?: number; backoff?: number },
    ) => {
      const outcomes = await queue.enqueueMany(
        numbers.map((i) => ({ fn: 'noop', args: [i], ...options })),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    };
    return {
      waitingKey: `minq:{${queueName}}:queued`,
      enqueue: (arg) => queue.enqueue('noop', [arg]),
      enqueueMany: (numbers) => enqueueMany(numbers),
      delayMany: (numbers, dueAt) => enqueueMany(numbers, { delay: dueAt - Date.now() }),
      enqueueRetried: (numbers) => enqueueMany(numbers, { retries: 1, backoff: 0 }),
      enqueueChord: (numbers, last) =>
        queue.enqueue(
          chord(
            numbers.map((i) => step('noop', [i])),
            step('last', [last]),
          ),
        ),
      async work(concurrency, job) {
        const jobs: Jobs = { noop: job, last: (_results, arg) => job(arg) };
        worker = new Worker({ ...jobs }, { queue: queueName, redis, concurrency });
        running = worker.run();
      },
      async callAndWait(i) {
        // A build to compare with may be older than `call`.
        if ((queue as Partial<typeof queue>).call) return queue.call('noop', [i]);
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
