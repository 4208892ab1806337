/** What the pages may do. */
import { checkConcurrency, type Check } from '../job/checks.ts';
import { STATES } from '../job/job.ts';
import { checkJobId, checkScheduleName, isFunctionName } from '../job/names.ts';
import { refuse, show } from '../job/refuse.ts';
import type { WorkerAnswer } from '../queue/control.ts';
import type { Operator } from '../queue/operator.ts';
import { Refusal } from './answer.ts';
import type { Action, ActionReply } from './api.ts';
import type { Queues } from './queues.ts';

type Fields = Record<string, string | undefined>;

/** Of a worker. */
const workerId: Check<string> = (value, name) =>
  typeof value === 'string' && /^\w{1,64}$/.test(value)
    ? value
    : refuse(name, value, 'give the id of a worker');

/** Fields are texts. */
const slots: Check<string> = (value, name) => String(checkConcurrency(value, name));

interface Kind {
  /** Besides `action` and `queue`. */
  fields: Record<string, Check<string | undefined>>;
  act: (queue: Operator, fields: Fields) => Promise<ActionReply>;
}

const fn: Check<string> = (value, name) =>
  isFunctionName(value) ? value : refuse(name, value, 'give the name of a function');

const words: Check<string> = (value, name) =>
  typeof value === 'string' && value !== '' && value.length <= 1_000
    ? value
    : refuse(name, value, 'give 1 to 1,000 characters');

const state: Check<string> = (value, name) =>
  STATES.find((known) => known === value) ?? refuse(name, value, 'give a state');

const optional =
  (check: Check<string>): Check<string | undefined> =>
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
  purge: {
    fields: { state },
    act: (queue, fields) => counted(queue.purge(fields['state'] as 'failed')),
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
export async function act(queues: Queues, body: unknown): Promise<ActionReply> {
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
  const checked: Fields = {};
  for (const [key, check] of Object.entries(fields)) checked[key] = check(given[key], key);
  if (typeof queue !== 'string') return refuse('queue', queue, 'give the name of a queue');
  return act(await queues.get(queue), checked);
}
