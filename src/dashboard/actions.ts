/** What the pages may do. */
import pLimit from 'p-limit';
import { checkConcurrency, type Check } from '../job/checks.ts';
import { STATES } from '../job/job.ts';
import { checkJobId, checkScheduleName, isFunctionName } from '../job/names.ts';
import { refuse, show } from '../job/refuse.ts';
import type { WorkerAnswer } from '../queue/control.ts';
import { MinqError } from '../job/errors.ts';
import { Refusal } from './answer.ts';
import type { Action, ActionReply } from './api.ts';
import type { Kinds } from './kinds.ts';
import type { Shown } from './queues.ts';
import type { Source } from './replies.ts';

/** As their checks have let them through. */
type Fields = Partial<
  Record<'id' | 'key' | 'fn' | 'error' | 'state' | 'name' | 'args' | 'rate', string>
> & { ids?: string[]; concurrency?: string | number };

/** Of a worker. */
const workerId: Check<string> = (value, name) =>
  typeof value === 'string' && /^\w{1,64}$/.test(value)
    ? value
    : refuse(name, value, 'give the id of a worker');

/** Fields are texts. */
const slots: Check<string> = (value, name) => String(checkConcurrency(value, name));

interface Kind {
  /** Besides `action` and `queue`. */
  fields: Record<string, Check<unknown>>;
  act: (queue: Shown, fields: Fields, kinds: Kinds) => Promise<ActionReply>;
}

const AT_ONCE = 10;
/** Jobs that somebody has ticked. */
const MOST_TICKED = 100;
const ids: Check<string[]> = (value, name) =>
  Array.isArray(value) && value.length > 0 && value.length <= MOST_TICKED
    ? value.map((id) => checkJobId(id))
    : refuse(name, value, `give 1 to ${MOST_TICKED} ids`);

/** JSON of an array. */
const args: Check<string> = (value, name) => {
  try {
    if (typeof value === 'string' && Array.isArray(JSON.parse(value))) return value;
  } catch {
    // Said below.
  }
  return refuse(name, value, 'give the arguments as a JSON array');
};

const fn: Check<string> = (value, name) =>
  isFunctionName(value) ? value : refuse(name, value, 'give the name of a function');

const words: Check<string> = (value, name) =>
  typeof value === 'string' && value !== '' && value.length <= 1_000
    ? value
    : refuse(name, value, 'give 1 to 1,000 characters');

const state: Check<string> = (value, name) =>
  STATES.find((known) => known === value) ?? refuse(name, value, 'give a state');

const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, name) =>
    value === undefined ? undefined : check(value, name);

const done = async (doing: Promise<unknown>): Promise<ActionReply> => ({
  done: (await doing) !== false,
});

const answered = async (asking: Promise<WorkerAnswer[]>): Promise<ActionReply> => ({
  done: (await asking).every((each) => each.answered),
});

const counted = async (counting: Promise<number>): Promise<ActionReply> => {
  const count = await counting;
  return { done: count > 0, count };
};

/** One after the other: what can't be done to one, because it has moved on, is done to the others. */
async function each(
  { ids = [] }: Fields,
  act: (id: string) => Promise<boolean>,
): Promise<ActionReply> {
  const done = await pLimit(AT_ONCE).map(ids, (id) =>
    act(id).catch((error: unknown) => {
      if (error instanceof MinqError && !error.code.startsWith('REDIS')) return false;
      throw error;
    }),
  );
  const count = done.filter(Boolean).length;
  return { done: count > 0, count };
}

const KINDS: Record<Action['action'], Kind> = {
  retry: {
    fields: { id: checkJobId },
    act: async (queue, { id }) => {
      const retried = await queue.retry(id!);
      return { done: retried !== false, ...retried };
    },
  },
  runNow: { fields: { id: checkJobId }, act: (queue, { id }) => done(queue.runNow(id!)) },
  cancel: { fields: { id: checkJobId }, act: (queue, { id }) => done(queue.job(id!).cancel()) },
  remove: { fields: { id: checkJobId }, act: (queue, { id }) => done(queue.remove(id!)) },
  retryAll: {
    fields: { fn: optional(fn), error: optional(words) },
    act: (queue, filter) => counted(queue.retryAll(filter)),
  },
  retryKind: {
    fields: { key: words },
    act: async (queue, { key }, kinds) => counted(queue.retryAll(await kinds.find(queue, key!))),
  },
  removeKind: {
    fields: { key: words },
    act: async (queue, { key }, kinds) =>
      counted(queue.purge('failed', await kinds.find(queue, key!))),
  },
  retryThese: {
    fields: { ids },
    act: (queue, fields) => each(fields, async (id) => (await queue.retry(id)) !== false),
  },
  removeThese: { fields: { ids }, act: (queue, fields) => each(fields, (id) => queue.remove(id)) },
  cancelThese: {
    fields: { ids },
    act: (queue, fields) => each(fields, (id) => queue.job(id).cancel()),
  },
  copy: {
    fields: { id: checkJobId, args },
    act: async (queue, { id, args }) => ({
      done: true,
      id: await queue.copy(id!, JSON.parse(args!) as unknown[]),
    }),
  },
  limit: {
    fields: { rate: optional(words), concurrency: optional(checkConcurrency) },
    act: async (queue, { rate, concurrency }) => {
      const limit = { ...(rate && { rate }), ...(concurrency && { concurrency: +concurrency }) };
      await queue.limit(Object.keys(limit).length > 0 ? limit : null);
      return { done: true };
    },
  },
  purge: {
    fields: { state },
    act: (queue, fields) => counted(queue.purge(fields.state as 'failed')),
  },
  pause: { fields: {}, act: (queue) => done(queue.pause()) },
  resume: { fields: {}, act: (queue) => done(queue.resume()) },
  run: {
    fields: { name: checkScheduleName },
    act: async (queue, { name }) => {
      const { id, duplicate } = await queue.runSchedule(name!);
      return { done: !duplicate, id };
    },
  },
  pauseSchedule: {
    fields: { name: checkScheduleName },
    act: (queue, { name }) => done(queue.pauseSchedule(name!)),
  },
  resumeSchedule: {
    fields: { name: checkScheduleName },
    act: (queue, { name }) => done(queue.resumeSchedule(name!)),
  },
  stopWorker: {
    fields: { id: workerId },
    act: (queue, { id }) => answered(queue.control('stop', id)),
  },
  resizeWorker: {
    fields: { id: workerId, concurrency: slots },
    act: (queue, { id, concurrency }) =>
      answered(queue.control({ concurrency: Number(concurrency) }, id)),
  },
};

/**
 * @param body whatever was sent
 * @throws {Refusal | InvalidArgumentError} when it is no action
 */
export async function act({ queues, kinds }: Source, body: unknown): Promise<ActionReply> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'the body is no JSON object');
  }
  const { action, queue, ...given } = body as Record<string, unknown>;
  if (typeof action !== 'string' || !Object.hasOwn(KINDS, action)) {
    return refuse('action', action, `give one of ${Object.keys(KINDS).join(', ')}`);
  }
  const { fields, act } = KINDS[action as Action['action']];
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(fields, key)) throw new Refusal(400, `${show(key)}: there is no such field`);
  }
  const checked: Record<string, unknown> = {};
  for (const [key, check] of Object.entries(fields)) checked[key] = check(given[key], key);
  if (typeof queue !== 'string') return refuse('queue', queue, 'give the name of a queue');
  return act(await queues.get(queue), checked as Fields, kinds);
}
