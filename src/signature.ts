/** Types of the calls to a queue, read off the functions of a jobs file. */
import type { AnyFunction, Jsonify, Storable } from './jsonify.ts';
import type { EnqueueOptions, Ticks } from './options.ts';

/** The shape of a queue without a type argument: every name and argument is accepted. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- "anything" is what is meant
export type AnyJobs = Record<string, (...args: any[]) => any>;

/** Names of the exports that can be jobs: functions, not classes or values. */
export type JobName<Jobs> = {
  [K in keyof Jobs & string]: Jobs[K] extends AnyFunction
    ? K extends 'default' | 'then'
      ? never
      : K
    : never;
}[keyof Jobs & string];

type Parameters<F> = F extends (...args: infer A) => unknown ? A : never;
/** The arguments of a job as they may be given to `enqueue`. */
export type JobArgs<F> = Storable<Parameters<F>> extends infer A extends unknown[] ? A : never;
/** The result of a job as `result()` gives it. */
export type JobResult<F> = F extends (...args: never[]) => infer R ? Jsonify<Awaited<R>> : never;

/** What follows the name in `enqueue`: the arguments may be left out when the function takes none. */
export type EnqueueRest<F> =
  [] extends Parameters<F>
    ? [args?: JobArgs<F>, options?: EnqueueOptions]
    : [args: JobArgs<F>, options?: EnqueueOptions];

/** What `schedule` takes: when, and which function with which arguments and options. */
export type Schedule<Jobs, N extends JobName<Jobs>> = Ticks & {
  fn: N;
  options?: Omit<EnqueueOptions, 'id' | 'unique' | 'delay' | 'runAt' | 'queue'>;
} & ([] extends Parameters<Jobs[N]> ? { args?: JobArgs<Jobs[N]> } : { args: JobArgs<Jobs[N]> });

/** An item of `enqueueMany`: an enqueue option beside the function and its arguments. */
export type EnqueueItem<Jobs> = {
  [N in JobName<Jobs>]: { fn: N } & ([] extends Parameters<Jobs[N]>
    ? { args?: JobArgs<Jobs[N]> }
    : { args: JobArgs<Jobs[N]> }) &
    EnqueueOptions;
}[JobName<Jobs>];
