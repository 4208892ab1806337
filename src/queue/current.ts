/** For jobs that enqueue jobs. */
import { currentRun } from '../job/context.ts';
import { Queue } from './queue.ts';
import type { AnyJobs } from './signature.ts';

/**
 * The queue of the job this code runs in: the same Redis, prefix and name as its worker. Functions that say with `job({ queue })`
 * where they belong go there. One for all jobs of a worker, which closes it when it has stopped.
 * @typeParam Jobs as of `Queue`. A function whose own result depends on it needs its return type written down, or the types
 * go round in a circle (TS7023).
 * @example await currentQueue<typeof import('./orders.ts')>().enqueue('printLabel', [id])
 * @throws {MinqError} `NO_JOB` where no worker of this process runs it
 */
export function currentQueue<Jobs = AnyJobs>(): Queue<Jobs> {
  const { home } = currentRun('currentQueue');
  const { queue, redis, prefix, callTimeout, routes } = home;
  home.producer ??= new Queue(queue, { redis: redis as never, prefix, callTimeout, routes });
  return home.producer as Queue<Jobs>;
}
