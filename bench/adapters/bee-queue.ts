/**
 * bee-queue: `saveAll` for many, and everything off that the scenario has no use for (events, job objects held
 * in memory), as its documentation advises. It can't keep a number of results: finished jobs stay, all of
 * them, and what a job returned is told to those who listen but not stored. Both are to its advantage here.
 */
import { native } from '../native.ts';
import type { Connect } from './adapter.ts';

const Queue = native('bee-queue') as typeof import('bee-queue');

export const connect: Connect = async (url, waits) => {
  const { hostname, port } = new URL(url);
  const queue = new Queue<{ i: number }>('bench', {
    redis: { host: hostname, port: Number(port) },
    getEvents: waits,
    sendEvents: waits,
    storeJobs: waits,
  });
  await queue.ready();
  return {
    enqueue: (i) => queue.createJob({ i }).save(),
    async enqueueMany(numbers) {
      const errors = await queue.saveAll(numbers.map((i) => queue.createJob({ i })));
      for (const error of errors.values()) throw error;
    },
    async work(concurrency, job) {
      queue.process(concurrency, async ({ data }) => job(data.i));
    },
    callAndWait: (i) =>
      new Promise((resolve, reject) => {
        const job = queue.createJob({ i });
        job.on('succeeded', resolve);
        job.on('failed', reject);
        job.save().catch(reject);
      }),
    close: () => queue.close(),
  };
};
