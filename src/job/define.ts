/** Jobs as users define them: plain functions, with options attached by `job()`. */
import { InvalidArgumentError } from './errors.ts';
import { refuse, show } from './refuse.ts';
import { isFunctionName } from './names.ts';
import type { AnyFunction } from './jsonify.ts';
import { checkJobOptions, type ResolvedJobOptions } from './checks.ts';
import type { CronJobOptions, JobOptions } from './options.ts';

/** Shared between copies of minq, should an app have two. */
const OPTIONS = Symbol.for('minq.job.options');

/**
 * Attaches options to a function and returns that same function. With `cron` or `every`, workers also run it by
 * itself at these times; it then takes no arguments (`currentJob().tick` tells it the time).
 * @example export const fetchPage = job({ retries: 10, timeout: '10s' }, async (url: string) => { ... })
 * @example export const nightly = job({ cron: '0 2 * * *', timezone: 'Europe/Berlin' }, async () => { ... })
 * @throws {InvalidArgumentError} for a bad option, or a function that has options already
 */
export function job<F extends () => unknown>(options: CronJobOptions, fn: F): F;
export function job<F extends AnyFunction>(options: JobOptions, fn: F): F;
export function job<F extends AnyFunction>(options: JobOptions | CronJobOptions, fn: F): F {
  if (typeof fn !== 'function') throw new InvalidArgumentError(`job: ${show(fn)} is no function`);
  if (Object.hasOwn(fn, OPTIONS)) {
    throw new InvalidArgumentError(
      `job: function "${fn.name}" has options already; wrap it in another function`,
    );
  }
  const checked = checkJobOptions(options);
  const when = checked.cron === undefined ? checked.every && 'every' : 'cron';
  if (when && fn.length > 0) {
    throw new InvalidArgumentError(
      `${when}: function "${fn.name}" takes ${fn.length} argument${fn.length > 1 ? 's' : ''}, but a tick has none to give; enqueue it from a function without any, or use queue.schedule with 'args'`,
    );
  }
  Object.defineProperty(fn, OPTIONS, { value: checked });
  return fn;
}

/** A function a worker can run, by its name. */
export interface JobFunction {
  readonly name: string;
  readonly fn: AnyFunction;
  readonly options: ResolvedJobOptions;
  /** The queue to which the function belongs that its `onFailure` names. */
  readonly failureQueue?: string;
}

/**
 * The queues that functions say they belong to, with `job({ queue })`: for producers that may import the functions.
 * @example new Queue<typeof jobs>('default', { routes: routesOf(jobs) })
 * @throws {InvalidArgumentError} when there is no function in `jobs`
 */
export function routesOf<Jobs extends object>(jobs: Jobs): { [N in keyof Jobs & string]?: string } {
  const routes: Record<string, string> = {};
  for (const { name, options } of collectFunctions(jobs).values()) {
    if (options.queue !== undefined) routes[name] = options.queue;
  }
  return routes as { [N in keyof Jobs & string]?: string };
}

/**
 * The functions of a jobs file. A Map, so that `constructor` and its kin find nothing; own functions only,
 * no classes.
 * @throws {InvalidArgumentError} when there is none, or an `onFailure` names none of them
 */
export function collectFunctions(jobs: unknown): Map<string, JobFunction> {
  if (typeof jobs !== 'object' || jobs === null) {
    refuse('jobs', jobs, 'give a module or an object of functions');
  }
  const functions = new Map<string, JobFunction>();
  for (const [name, fn] of Object.entries(jobs)) {
    if (typeof fn !== 'function' || isClass(fn) || !isFunctionName(name)) continue;
    const options = (fn as { [OPTIONS]?: ResolvedJobOptions })[OPTIONS] ?? {};
    functions.set(name, { name, fn: fn as AnyFunction, options });
  }
  if (functions.size === 0) {
    const hidden = 'default' in jobs ? " by their names: the default export isn't looked at" : '';
    throw new InvalidArgumentError(
      `jobs: no function found; export the functions that are to be jobs${hidden}`,
    );
  }
  for (const [name, fn] of functions) {
    const { onFailure } = fn.options;
    if (onFailure === undefined) continue;
    const handler = functions.get(onFailure);
    if (!handler) {
      throw new InvalidArgumentError(
        `onFailure of "${name}": there is no function ${show(onFailure)} in the jobs file`,
      );
    }
    const { queue } = handler.options;
    if (queue !== undefined) functions.set(name, { ...fn, failureQueue: queue });
  }
  return functions;
}

const isClass = (fn: object): boolean => /^class\b/.test(Function.prototype.toString.call(fn));
