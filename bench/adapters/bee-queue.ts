/**
 * bee-queue: `saveAll` for many, and everything off that the scenario has no use for (events, job objects held
 * in memory), as its documentation advises. It can't keep a number of results: finished jobs stay, all of
 * them, and what a job returned is told to those who listen but not stored. Both are to its advantage here.
 */
import { native } from '../native.ts';
import type { Arg, Connect } from './adapter.ts';

const Queue = native('bee-queue') as typeof import('bee-queue');

export const connect: Connect = async (url, uses) => {
  const waits = uses === 'results';
  const { hostname, port } = new URL(url);
  const queue = new Queue<{ i: Arg }>('bench', {
    redis: { host: hostname, port: Number(port) },
    getEvents: waits,
    sendEvents: waits,
    storeJobs: waits,
    activateDelayedJobs: uses === 'delays',
  });
  await queue.ready();
  const jobOf = (i: Arg) => queue.createJob({ i });
  const saveAll = async (jobs: ReturnType<typeof jobOf>[]) => {
    const errors = await queue.saveAll(jobs);
    for (const error of errors.values()) throw error;
  };
  return {
    waitingKey: 'bq:bench:waiting',
    enqueue: (i) => jobOf(i).save(),
    enqueueMany: (numbers) => saveAll(numbers.map(jobOf)),
    delayMany: (numbers, dueAt) => saveAll(numbers.map((i) => jobOf(i).delayUntil(dueAt))),
    enqueueRetried: (numbers) => saveAll(numbers.map((i) => jobOf(i).retries(1))),
    async work(concurrency, job) {
      queue.process(concurrency, async ({ data }) => job(data.i));
    },
    callAndWait: (i) =>
      new Promise((resolve, reject) => {
        const job = jobOf(i);
        job.on('succeeded', resolve);
        job.on('failed', reject);
        job.save().catch(reject);
      }),
    close: () => queue.close(),
  };
};
