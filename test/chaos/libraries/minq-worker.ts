/** `minq worker`, with a lease of our choice: its command line has no option for one. */
import path from 'node:path';
import { work } from '../../../dist/cli/work.js';
import { lineLogger, type LogFields } from '../../../dist/job/log.js';
import type { WorkerOptions } from './library.ts';
import { witness } from './tasks.ts';

const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const write = witness(options.evidence);
const logger = {
  ...lineLogger(),
  info: (message: string, _fields?: LogFields) => {
    if (message === 'worker started') write('ready');
  },
};
const choice = {
  queue: options.queue,
  concurrency: options.concurrency,
  lease: options.leaseMs,
  ...(options.shutdownMs !== undefined && { shutdownTimeout: options.shutdownMs }),
};
const code = await work([path.join(import.meta.dirname, 'minq-tasks.ts')], [choice], {
  options: {},
  files: [],
  cron: false,
  probes: [],
  logger,
});
process.exit(code);
