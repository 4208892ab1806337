/** A worker as BullMQ's documentation has it: retries for ever, closes on SIGTERM. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { native } from '../../../bench/native.ts';
import type { WorkerOptions } from './library.ts';
import { tasks, witness, type Run } from './tasks.ts';

const { Worker } = native('bullmq') as typeof import('bullmq');

const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const write = witness(options.evidence);
const runs = new AsyncLocalStorage<Run>();
const jobs = tasks(write, () => runs.getStore()!) as unknown as Record<
  string,
  (...args: unknown[]) => unknown
>;

const worker = new Worker<unknown[]>(
  options.queue,
  async ({ id, name, data, attemptsStarted }) =>
    runs.run({ id: id!, attempt: attemptsStarted }, () => jobs[name]!(...data)),
  {
    connection: { url: options.redis, maxRetriesPerRequest: null },
    concurrency: options.concurrency,
    lockDuration: options.leaseMs, // how often it looks for stalled jobs, and how many stalls it allows: as it comes
  },
);
worker.on('error', (error) => console.error(error.message));

const shutdown = async () => {
  await worker.close();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void shutdown());

await worker.waitUntilReady();
write('ready');
