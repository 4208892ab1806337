/** Lays a job out as the enqueue scripts take it. */
import { encodeArgs, encodeValue } from './codec.ts';
import { newId } from './id.ts';
import type { JobRecord } from './job.ts';
import type { ResolvedEnqueueOptions } from './checks.ts';

/** A job as the enqueue script takes it; see there (store/scripts/enqueue.ts) for `how`. */
export interface NewJob {
  readonly id: string;
  readonly how: string;
  readonly json: string;
}

/** Most jobs have no options, and take the short way. */
export function newJob(
  fn: string,
  args: readonly unknown[],
  options: ResolvedEnqueueOptions,
  id: string,
): NewJob {
  const { unique, priority, delay = 0, runAt = 0 } = options;
  const given = options.id !== undefined;
  const plain = !given && letterOf(priority) === 'n' && !delay && options.runAt === undefined;
  const mode = given ? (unique ?? 'pending') : '-';
  const due = delay ? `+${delay}` : runAt;
  return {
    id,
    how: plain ? '' : `${letterOf(priority)} ${mode} ${due}`,
    json: recordOf(fn, args, options),
  };
}

/** The record as stored, without the time in front. `fn` and `args` come first: what follows in a flow is put there. */
export function recordOf(
  fn: string,
  args: readonly unknown[],
  options: ResolvedEnqueueOptions,
): string {
  const head = `{"fn":"${fn}","args":${encodeArgs(args)}`;
  if (isEmpty(options)) return `${head}}`;
  const { id, unique: _, queue: __, priority, ...rest } = options;
  const stored: Partial<JobRecord> = rest;
  if (priority === 'high' || priority === 'low') stored.priority = priority;
  if (id !== undefined) stored.call = newId();
  const tail = encodeValue(stored, 'options')!; // `meta` may hold anything
  return tail === '{}' ? `${head}}` : `${head},${tail.slice(1)}`;
}

function isEmpty(options: object): boolean {
  for (const _ in options) return false;
  return true;
}

/** Lane of a priority: n for normal. */
export const letterOf = (priority: ResolvedEnqueueOptions['priority']): string =>
  priority?.[0] ?? 'n';
