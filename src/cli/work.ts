/** One process that works: from loading the jobs file to the exit code. */
import path from 'node:path';
import { appOfAll } from '../worker/app.ts';
import { describeError } from '../job/codec.ts';
import { loadJobs } from '../worker/load.ts';
import type { Logger } from '../job/log.ts';
import { Worker, type WorkerOptions } from '../worker/worker.ts';
import { runs } from '../job/context.ts';
import type { Address } from './listen.ts';
import { serveProbes, type Probing } from './probes.ts';
import { sendFiles, whenAskedToStop } from './process.ts';
import { sourcesOf } from './watch.ts';

/** A queue to work on. */
export interface QueueChoice {
  queue: string;
  concurrency?: number;
}

export interface WorkOptions {
  /** Of each worker. */
  options: WorkerOptions;
  /** What the config file is made of, to be watched. */
  files: readonly string[];
  /** Whether the file's cron entries fire: on the queues of their functions, or else on the first one, or each tick would fire on all. */
  cron: boolean;
  /** Where it answers whoever watches it. */
  probes: readonly [what: Probing, at: Address][];
  logger: Logger;
}

/** @param files from `jobsPath` */
export async function work(
  files: readonly string[],
  queues: readonly QueueChoice[],
  { options, files: ofConfig, cron, probes, logger }: WorkOptions,
): Promise<number> {
  let workers: Worker[] = [];
  let exitCode = 0;
  let asked = 0;
  const drain = (reason: string) => {
    logger.info(`${reason}: stopping; running jobs may finish`);
    for (const worker of workers) void worker.stop();
  };
  whenAskedToStop((reason) => {
    if (workers.length === 0) process.exit(0); // still loading: nothing is claimed yet
    if (++asked === 1) return drain(reason);
    exitCode = 1;
    for (const worker of workers) void worker.stop({ timeout: 0 });
  });

  // Should a file not load, a change to one of them is a new try.
  sendFiles([...files.flatMap(sourcesOf), ...ofConfig]);
  const loaded = await loadJobs(files);
  sendFiles(loaded.files.filter((each) => !each.includes('node_modules')));
  const { app = appOfAll(files) } = options;
  workers = queues.map((choice, i) => {
    const own = { ...choice, logger, app, cron: cron && (i === 0 || ('own' as const)) };
    return new Worker(loaded.exports, { ...options, ...own });
  });

  // An exception thrown outside any promise leaves this process in an unknown state: the job that threw it
  // fails, the others may finish, and whoever supervises us starts a fresh process.
  process.on('uncaughtException', (error) => {
    const run = runs.getStore();
    if (run) run.failFloating('uncaught exception', error);
    else logger.error(`uncaught exception: ${describeError(error).message}`);
    if (exitCode === 0 && asked === 0) drain('uncaught exception');
    exitCode = 1;
  });

  // Before the first claim: who can't be watched as asked doesn't begin.
  const servers: { close(): void }[] = [];
  for (const [what, at] of probes) servers.push(await serveProbes(what, at, workers, logger));
  logger.info('jobs loaded', { files: files.map((each) => path.relative('', each)).join(' ') });
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } catch (error) {
    for (const worker of workers) void worker.stop({ timeout: 0 });
    throw error;
  } finally {
    for (const server of servers) server.close();
  }
  return exitCode;
}
