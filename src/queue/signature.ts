/** Types of the calls to a queue, read off the functions of a jobs file. */
import type { Chain, Flow, Group, Step } from '../flow/flow.ts';
import type {
  AnyFunction,
  Json,
  Jsonify,
  NotStorable,
  Storable,
  TakesJson,
} from '../job/jsonify.ts';
import type { EnqueueOptions, Ticks } from '../job/options.ts';
import type { ResultOptions } from './handle.ts';

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
export type JobArgs<F> = StorableArgs<Parameters<F>> extends infer A extends unknown[] ? A : never;
type StorableArgs<P> = { [K in keyof P]: Storable<P[K]> } extends infer A extends unknown[]
  ? A extends WithoutGaps<A> // as it was written, with its names, where that says the same
    ? A
    : WithoutGaps<A>
  : never;

/** JSON has no undefined: an argument can be left out only where all after it are left out too. */
type WithoutGaps<A extends unknown[]> = number extends A['length']
  ? A
  : A extends [unknown?, ...infer Rest]
    ? Rest extends []
      ? A
      : [Exclude<A[0], undefined>, ...WithoutGaps<Rest>] | NoneOf<A>
    : A;
type NoneOf<A extends unknown[]> = { [K in keyof A]: undefined } extends infer None extends A
  ? None
  : never;

/** The result of a job as `result()` gives it. */
export type JobResult<F> = F extends (...args: never[]) => infer R ? Jsonify<Awaited<R>> : never;

/** What follows the name in `enqueue`: the arguments may be left out when the function takes none. */
export type EnqueueRest<F, Options = EnqueueOptions> =
  [] extends Parameters<F>
    ? [args?: JobArgs<F>, options?: Options]
    : [args: JobArgs<F>, options?: Options];

/** Options of `call`: those of `enqueue`, but for the job's own `timeout`, and those of `result`. */
export type CallOptions = Omit<EnqueueOptions, 'timeout'> & ResultOptions;

/** What `schedule` takes: when, and which function with which arguments and options. */
export type Schedule<Jobs, N extends JobName<Jobs>> = Ticks & {
  fn: N;
  options?: Omit<EnqueueOptions, 'id' | 'unique' | 'delay' | 'runAt' | 'queue'>;
  /** Whether it is to wait for `resumeSchedule`. */
  paused?: boolean;
} & ([] extends Parameters<Jobs[N]> ? { args?: JobArgs<Jobs[N]> } : { args: JobArgs<Jobs[N]> });

/** An item of `enqueueMany`: an enqueue option beside the function and its arguments. */
export type EnqueueItem<Jobs> = {
  [N in JobName<Jobs>]: { fn: N } & ([] extends Parameters<Jobs[N]>
    ? { args?: JobArgs<Jobs[N]> }
    : { args: JobArgs<Jobs[N]> }) &
    EnqueueOptions;
}[JobName<Jobs>];

/**
 * What `result()` of a flow's last step gives. For a group the results of its members in order, as JSON has them: null
 * for that of a function without one. (Of a mere name, as for that step.)
 */
export type FlowResult<Jobs, F> = [Flow] extends [F]
  ? unknown
  : F extends string
    ? F extends JobName<Jobs>
      ? JobResult<Jobs[F]>
      : never
    : F extends Step<infer N>
      ? FlowResult<Jobs, N>
      : F extends Chain<infer T>
        ? FlowResult<Jobs, Last<T>>
        : F extends Group<infer T>
          ? { -readonly [I in keyof T]: NullIfNone<FlowResult<Jobs, T[I]>> }
          : never;

/**
 * `F` itself where it is a flow that fits the functions of `Jobs`; else a type that no value has, but that says what is
 * wrong. As the type of a parameter it stands alone, so that the compiler infers `F` through it and its message says
 * no more than that.
 */
export type CheckedFlow<Jobs, F> = [Misfit<Jobs, F, null>] extends [never]
  ? F
  : Misfit<Jobs, F, null>;

/** Shows up in the compiler's message; no value has this type. */
export interface NotEnqueueable<Reason extends string, Expected, Given> {
  readonly __minq: Reason;
  readonly expected: Expected;
  readonly given: Given;
}

/** What a step is handed in front of its own arguments: a result, and how a message calls it. */
interface Handed<Result, Of> {
  result: Result;
  of: Of;
}

/** What keeps a flow from being enqueued; `never` when nothing does. `H` is null where nothing stands before. */
type Misfit<Jobs, F, H> = [Flow] extends [F]
  ? StepMisfit<Jobs, string, readonly unknown[], H>
  : F extends Step<infer N, infer A>
    ? StepMisfit<Jobs, N, A, H>
    : F extends Chain<infer T>
      ? ChainMisfit<Jobs, T, H>
      : F extends Group<infer T>
        ? { [I in keyof T]: Misfit<Jobs, T[I], H> }[number & keyof T]
        : F extends JobName<Jobs> // `enqueue('add')`, where the arguments are missing
          ? NotEnqueueable<`the arguments of '${F}' are missing`, JobArgs<Jobs[F]>, []>
          : F extends string
            ? NotEnqueueable<`there is no job '${F}'`, JobName<Jobs>, F>
            : NotEnqueueable<'this is neither the name of a job nor a flow', Flow, F>;

/** The first of a chain only: those after it may just follow from it. */
type ChainMisfit<Jobs, T, H> = T extends readonly [infer First, ...infer Rest]
  ? [Misfit<Jobs, First, H>] extends [never]
    ? ChainMisfit<Jobs, Rest, HandedBy<Jobs, First>>
    : Misfit<Jobs, First, H>
  : T extends readonly []
    ? never
    : T extends readonly (infer F)[] // of unknown length: each may be the first, or stand behind another
      ? Misfit<Jobs, F, H> | Misfit<Jobs, F, HandedBy<Jobs, F>>
      : never;

type StepMisfit<Jobs, N extends string, A extends readonly unknown[], H> =
  N extends JobName<Jobs>
    ? H extends Handed<infer R, infer Of extends string>
      ? [readonly [R, ...A]] extends [AsRead<HandedArgs<Parameters<Jobs[N]>>>]
        ? never
        : HandedMisfit<N, Parameters<Jobs[N]>, A, R, Of>
      : [A] extends [AsRead<JobArgs<Jobs[N]>>]
        ? never
        : NotEnqueueable<`the arguments of '${N}' do not fit`, JobArgs<Jobs[N]>, A>
    : string extends N
      ? NotEnqueueable<
          'the type of this flow does not name its functions: let it be inferred',
          JobName<Jobs>,
          N
        >
      : NotEnqueueable<`there is no job '${N}'`, JobName<Jobs>, N>;

/** A result must fit the first parameter as it was declared, for it has been JSON before; the others as in `enqueue`. */
type HandedArgs<P> = P extends readonly []
  ? never
  : P extends readonly [(infer First)?, ...infer Rest]
    ? [First, ...Extract<StorableArgs<Rest>, readonly unknown[]>]
    : never;

type HandedMisfit<N extends string, P, A, R, Of extends string> = P extends readonly []
  ? NotEnqueueable<`'${N}' takes no arguments, but is handed the result of ${Of}`, [], [R]>
  : P extends readonly [(infer First)?, ...infer Rest]
    ? [R] extends [AsRead<First>]
      ? NotEnqueueable<
          `the arguments of '${N}' after the result of ${Of} do not fit`,
          Storable<Rest>,
          A
        >
      : NotEnqueueable<`the result of ${Of} does not fit the first parameter of '${N}'`, First, R>
    : never;

/** What stands behind `F` is handed this. */
type HandedBy<Jobs, F> = Handed<Arrived<NullIfNone<FlowResult<Jobs, F>>>, Called<F>>;
type Called<F> = [Flow] extends [F]
  ? 'a flow'
  : F extends Step<infer N>
    ? `'${N}'`
    : F extends Chain<infer T>
      ? Called<Last<T>>
      : 'the group';
type Last<T> = T extends readonly [...unknown[], infer F]
  ? F
  : T extends readonly (infer F)[]
    ? F
    : never;

/** The result of a function without one is handed on as null, JSON having no `undefined`: so the next must take null. */
type NullIfNone<R> = undefined extends R ? Exclude<R, undefined | void> | null : R;

/** `Jsonify` says `never` of what can't be stored, and `never` fits every parameter; this fits none. */
type Arrived<T> = unknown extends T
  ? T
  : TakesJson<T> extends true
    ? T
    : T extends object
      ? {
          [K in keyof T]: [T[K]] extends [never]
            ? NotStorable<'it does not arrive'>
            : Arrived<T[K]>;
        }
      : T;

/** Readonly arrays will do for mutable ones: the function gets a copy. Literals in `step` are readonly. */
type AsRead<P> = unknown extends P
  ? P
  : TakesJson<P> extends true
    ? P | Json
    : P extends Date | AnyFunction | NotStorable<string>
      ? P
      : P extends object
        ? { readonly [K in keyof P]: AsRead<P[K]> }
        : P;
