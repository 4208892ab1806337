/** A worker process of a storm: `worker.ts <evidence file> <Settings as JSON>`. Stops at a message of its parent. */
import { Worker } from '../../../src/index.ts';
import { openEvidence, sampleEvery, untilAsked, watchProcess } from './evidence.ts';
import { makeJobs } from './jobs.ts';

export interface WorkerSettings {
  readonly redis: string;
  readonly queue: string;
  /** Of a second worker, for steps of flows. */
  readonly far: string;
  readonly leaseMs: number;
  readonly resultTtl: string;
  /** How often to say how big it is; 0: never. */
  readonly sampleMs: number;
}

const [file, text] = process.argv.slice(2) as [string, string];
const { redis, queue, far, leaseMs, resultTtl, sampleMs } = JSON.parse(text) as WorkerSettings;
const write = openEvidence(file);
watchProcess(write);
if (sampleMs > 0) sampleEvery(sampleMs, write);

let ready = 0;
const jobs = makeJobs(write, resultTtl);
const open = (name: string) =>
  new Worker(jobs, {
    redis,
    queue: name,
    lease: leaseMs,
    cron: name === queue,
    callTimeout: 1_000,
    logger: {
      debug() {},
      info: (message) => {
        if (message !== 'worker started' || ++ready < 2) return;
        write('ready');
        process.send!('ready');
      },
      warn: (message, fields) => {
        if (message.startsWith('settlement refused')) {
          write('took', { id: String(fields?.['id']), more: 'refused' });
        }
      },
      error: (message, fields) =>
        write('error', { id: String(fields?.['id'] ?? '-'), more: message }),
    },
  });
const workers = [open(queue), open(far)];
void untilAsked().then(() => {
  process.disconnect();
  return Promise.all(workers.map((worker) => worker.stop()));
});
await Promise.all(workers.map((worker) => worker.run()));
