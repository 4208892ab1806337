/** `minq.config.ts`: what a project says once, for its own code and for every command. */
import type { DashboardOptions } from '../dashboard/index.ts';
import { checkConfig, markConfig } from '../job/checks.ts';
import type { QueueOptions } from '../queue/queue.ts';
import type { WorkerOptions } from '../worker/worker.ts';

/** Options of queues and workers, and what `minq worker` works on; each means what it means there. */
export interface Config<Jobs = Record<string, (...args: never[]) => unknown>>
  extends
    Omit<QueueOptions<Jobs>, 'redis'>,
    Omit<WorkerOptions, 'queue' | 'burst' | 'cron' | 'concurrency' | 'routes'> {
  /** Jobs file or files of `minq worker`; a path begins at the folder of the config file. */
  jobs?: string | readonly string[];
  /** Queues of `minq worker`, by name, with how many jobs at once; or their names. Default: `default`. */
  queues?: Readonly<Record<string, number>> | readonly string[];
  /** Jobs at once on each queue without a number of its own. Default 10. */
  concurrency?: number;
  /** Options of `minq dashboard` and of `dashboard()`. */
  dashboard?: Omit<DashboardOptions, 'redis' | 'prefix'>;
}

/**
 * To be exported as the default of `minq.config.ts`, `.js` or `.mjs`, where every command of `minq` finds it. `new Queue` and
 * `new Worker` take it as their options.
 * @example export default defineConfig({ redis: 'redis://db:6379', jobs: 'jobs.ts', queues: { mail: 5, default: 20 } })
 * @throws {InvalidArgumentError} naming the option, the value and the mend
 */
export function defineConfig<Jobs = Record<string, (...args: never[]) => unknown>>(
  config: Config<Jobs>,
): Config<Jobs> {
  checkConfig(config);
  return markConfig(config);
}
