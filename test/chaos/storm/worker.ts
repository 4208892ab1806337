/** A worker process of a storm: `worker.ts <evidence file> <Settings as JSON>`. Stops at a message of its parent. */
import { Worker } from '../../../src/index.ts';
import { openEvidence, sampleEvery, untilAsked, watchProcess } from './evidence.ts';
import { makeJobs } from './jobs.ts';

export interface WorkerSettings {
  readonly redis: string;
  readonly queue: string;
  readonly leaseMs: number;
  readonly resultTtl: string;
  /** How often to say how big it is; 0: never. */
  readonly sampleMs: number;
}

const [file, text] = process.argv.slice(2) as [string, string];
const { redis, queue, leaseMs, resultTtl, sampleMs } = JSON.parse(text) as WorkerSettings;
const write = openEvidence(file);
watchProcess(write);
if (sampleMs > 0) sampleEvery(sampleMs, write);

const worker = new Worker(makeJobs(write, resultTtl), {
  redis,
  queue,
  lease: leaseMs,
  callTimeout: 1_000,
  logger: {
    debug() {},
    info: (message) => {
      if (message !== 'worker started') return;
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
void untilAsked().then(() => {
  process.disconnect();
  return worker.stop();
});
await worker.run();
