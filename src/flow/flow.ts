/** Signatures: jobs described, and how they follow from each other, before anything is enqueued. */
import { refuse } from '../job/refuse.ts';
import { InvalidArgumentError } from '../job/errors.ts';
import { isFunctionName } from '../job/names.ts';
import { checkEnqueueOptions, type ResolvedEnqueueOptions } from '../job/checks.ts';
import type { EnqueueOptions } from '../job/options.ts';

/** One job of a flow. */
export interface Step<
  N extends string = string,
  A extends readonly unknown[] = readonly unknown[],
> {
  readonly kind: 'step';
  readonly fn: N;
  readonly args: A;
  readonly options: ResolvedEnqueueOptions;
}

/** One after the other; the result of each is the first argument of the next. */
export interface Chain<T extends readonly Flow[] = readonly Flow[]> {
  readonly kind: 'chain';
  readonly steps: T;
}

/** All at once; the result is the array of theirs, in order. */
export interface Group<T extends readonly Flow[] = readonly Flow[]> {
  readonly kind: 'group';
  readonly members: T;
}

/** What `enqueue` takes in place of a function's name. It may be enqueued many times, and be part of others. */
export type Flow = Step | Chain | Group;

/** Options of a step: those of `enqueue` that make sense however often a flow is enqueued. */
export type StepOptions = Omit<EnqueueOptions, 'id' | 'unique' | 'runAt'>;

/** Shared between copies of minq, should an app have two. Marks what was checked here. */
const FLOW = Symbol.for('minq.flow');

const NOT_FOR_STEPS = {
  id: 'a step gets a new id each time its flow is enqueued',
  unique: 'a step gets a new id each time its flow is enqueued',
  runAt: "a flow may be enqueued at any time; give 'delay'",
};

/**
 * A job described, not yet enqueued. In a chain, the result of what stands before comes in front of `args`.
 * @example chain(step('fetchPage', [url]), step('save'))
 * @throws {InvalidArgumentError}
 */
export function step<const N extends string>(
  fn: N,
  args?: undefined,
  options?: StepOptions,
): Step<N, readonly []>;
export function step<const N extends string, const A extends readonly unknown[]>(
  fn: N,
  args: A,
  options?: StepOptions,
): Step<N, A>;
export function step(fn: string, args: readonly unknown[] = [], options?: EnqueueOptions): Step {
  if (!isFunctionName(fn)) {
    refuse('fn', fn, 'give the name of a function your jobs file exports');
  }
  if (!Array.isArray(args)) refuse('args', args, 'give an array');
  for (const [name, mend] of Object.entries(NOT_FOR_STEPS)) {
    const given = (options as Record<string, unknown> | null | undefined)?.[name];
    if (given !== undefined) refuse(name, given, mend);
  }
  const checked = checkEnqueueOptions(options);
  for (const value of Object.values(checked)) Object.freeze(value);
  return mark({
    kind: 'step',
    fn,
    args: Object.freeze([...args]),
    options: Object.freeze(checked),
  });
}

/**
 * One after the other: the result of each is the first argument of the next. The result is that of the last.
 * @throws {InvalidArgumentError}
 */
export function chain<const T extends readonly Flow[]>(...steps: T): Chain<T> {
  if (steps.length === 0) {
    throw new InvalidArgumentError('steps: there are none; give a chain at least one');
  }
  return mark({ kind: 'chain', steps: checkFlows(steps, 'steps') });
}

/**
 * All at once: each member gets the result of what stands before the group. The result is the array of theirs, in
 * order, with null for that of a function without one.
 * @example group(files.map((file) => step('resize', [file])))
 * @throws {InvalidArgumentError}
 */
export function group<const T extends readonly Flow[]>(members: T): Group<T> {
  if (!Array.isArray(members)) refuse('members', members, 'give an array of flows');
  return mark({ kind: 'group', members: checkFlows(members, 'members') });
}

/**
 * A group and what comes after all of it: `chain(group(members), callback)`.
 * @throws {InvalidArgumentError}
 */
export function chord<const T extends readonly Flow[], const C extends Flow>(
  members: T,
  callback: C,
): Chain<readonly [Group<T>, C]> {
  checkFlow(callback, 'callback');
  return chain(group(members), callback);
}

/** Whether `step`, `chain`, `group` or `chord` made it, and so checked it. */
export const isFlow = (value: unknown): value is Flow =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, FLOW);

function mark<F extends Flow>(flow: F): F {
  return Object.freeze(Object.defineProperty(flow, FLOW, { value: true }));
}

function checkFlow(value: unknown, name: string): void {
  if (!isFlow(value)) refuse(name, value, 'give what step, chain, group or chord returned');
}

function checkFlows<T extends readonly Flow[]>(flows: T, name: string): T {
  const copy = Array.from(flows);
  for (const [i, flow] of copy.entries()) checkFlow(flow, `${name}[${i}]`);
  return Object.freeze(copy) as readonly Flow[] as T;
}
