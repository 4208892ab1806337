/** Types of values that travel as JSON. What the compiler accepts here is what codec.ts lets through. */

/** Anything JSON can say. It is itself before and after the journey; following its recursion would not end. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type MutableJson =
  string | number | boolean | null | MutableJson[] | { [key: string]: MutableJson };
/** Whether `T` takes any JSON. */
export type TakesJson<T> = [MutableJson] extends [T] ? true : false;

/** What is read back after `T` was stored: a `Date` is an ISO string, what JSON can't say is `never`. */
export type Jsonify<T> = unknown extends T
  ? T
  : TakesJson<T> extends true
    ? T
    : T extends string | number | boolean | null | undefined | void
      ? T
      : T extends
            bigint | symbol | AnyFunction | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? never
        : T extends { toJSON(...args: never[]): infer J }
          ? Jsonify<J>
          : T extends object
            ? { [K in keyof T]: T extends readonly unknown[] ? Item<Jsonify<T[K]>> : Jsonify<T[K]> }
            : never;

/** In an array, JSON has null for undefined. */
type Item<T> = T extends undefined | void ? null : T;

/**
 * What may be given for a parameter of type `P`: whatever still fits `P` after the journey. A `Date` fits
 * a parameter that also takes a string, for a string is what arrives.
 */
export type Storable<P, Whole = P> = unknown extends P
  ? P
  : TakesJson<P> extends true
    ? P
    : P extends string | number | boolean | null | undefined | void
      ? P
      : P extends Date
        ? string extends Whole
          ? P
          : NotStorable<'a Date arrives as an ISO string: declare the parameter as string'>
        : P extends
              bigint | symbol | AnyFunction | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
          ? NotStorable<'this can not be stored as JSON'>
          : P extends object
            ? { [K in keyof P]: P extends readonly unknown[] ? StorableItem<P[K]> : Storable<P[K]> }
            : never;

type StorableItem<P> = P extends undefined
  ? NotStorable<'in an array undefined can not be stored as JSON: use null'>
  : Storable<P>;

/** Shows up in the compiler's message; no value has this type. */
export interface NotStorable<Reason extends string> {
  readonly __minq: Reason;
}

// `any` where a function type is matched: `unknown` or `never` parameters would match too few or too many.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;
