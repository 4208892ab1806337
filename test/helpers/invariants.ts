/**
 * What must be true of a queue at every moment, read in one atomic script: every job is in exactly one place,
 * and nothing is left of jobs that are gone. It starts from the records, not from the structures, or it would
 * never see a job that is in none.
 */
import type { Redis } from 'ioredis';
import { queueKeys } from '../../src/store/keys.ts';

/** What NAMES stand for, of one queue after the other. */
const READ = `
local all = {}
for from = 0, #KEYS - ARGV[1], ARGV[1] do
  local k = {}
  for i = 1, ARGV[1] do k[i] = KEYS[from + i] end
  all[#all + 1] = {
    redis.call('HKEYS', k[1]), redis.call('HGETALL', k[2]),
    redis.call('LRANGE', k[3], 0, -1), redis.call('LRANGE', k[4], 0, -1), redis.call('LRANGE', k[5], 0, -1),
    redis.call('ZRANGE', k[6], 0, -1), redis.call('ZRANGE', k[7], 0, -1), redis.call('SMEMBERS', k[8]),
    redis.call('HKEYS', k[9]),
    redis.call('ZRANGE', k[10], 0, -1), redis.call('ZRANGE', k[11], 0, -1), redis.call('ZRANGE', k[12], 0, -1),
    redis.call('HKEYS', k[13]), redis.call('HKEYS', k[14]), redis.call('HKEYS', k[15]), redis.call('LLEN', k[16]),
    redis.call('SMEMBERS', k[17]), redis.call('ZRANGE', k[18], 0, -1), redis.call('HGETALL', k[19]),
    redis.call('HKEYS', k[20]), redis.call('LLEN', k[21]), redis.call('LRANGE', k[22], 0, -1), redis.call('HKEYS', k[23]), redis.call('HKEYS', k[24]) }
end
return all`;

const NAMES = [
  'jobs', 'tickets', 'high', 'queued', 'low', 'scheduled', 'active', 'dropped', 'outcomes',
  'completed', 'failed', 'cancelled', 'errors', 'progress', 'waiters', 'wake', 'cancelling',
  'waiting', 'flows', 'joins', 'flowing', 'outbox', 'attempts', 'logs',
] as const; // prettier-ignore

/** Members of each structure; of `tickets` and `flows`, pairs of field and value. */
export type Members = (name: Exclude<(typeof NAMES)[number], 'wake' | 'flowing'>) => string[]; // prettier-ignore

/**
 * @param more queues that have flows with it: all are read at one moment
 * @returns what is wrong, one line each; empty when all is well
 */
export async function violations(
  client: Redis,
  queue: string,
  prefix = 'minq',
  more: readonly string[] = [],
): Promise<string[]> {
  const keys = [queue, ...more].flatMap((name) => {
    const of = queueKeys(prefix, name);
    return NAMES.map((each) => of[each]);
  });
  const replies = (await client.eval(READ, keys.length, ...keys, NAMES.length)) as unknown[][];
  const membersOf =
    (reply: unknown[]): Members =>
    (name) =>
      reply[NAMES.indexOf(name)] as string[];
  const nodes = replies.map((reply) => unfinishedOf(membersOf(reply)));
  return replies.flatMap((reply, i) => {
    const elsewhere = nodes.filter((_, at) => at !== i).flat();
    return violationsIn(membersOf(reply), reply[NAMES.indexOf('wake')] as number, elsewhere);
  });
}

/** Nodes of flows of which other queues have yet to hear. */
function unfinishedOf(list: Members): string[] {
  const ended = new Set(list('outcomes'));
  const told = list('outbox').flatMap((text) => /\|(\S+)/.exec(text)?.[1] ?? []);
  return list('jobs')
    .filter((id) => !ended.has(id))
    .concat(told);
}

/**
 * The same of what was read already.
 * @param elsewhere nodes of flows on other queues that have yet to tell this one of their end
 */
export function violationsIn(
  list: Members,
  tokens: number,
  elsewhere: readonly string[] = [],
): string[] {
  const found: string[] = [];

  const pairs = list('tickets');
  const current = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) current.set(pairs[i]!, pairs[i + 1]!);
  const dropped = new Set(list('dropped'));
  const jobs = new Set(list('jobs'));

  const places = new Map<string, string[]>();
  const put = (id: string, where: string) => places.set(id, [...(places.get(id) ?? []), where]);
  const idOf = (ticket: string) => /^(.+):\d+:\d+[a-z]?$/s.exec(ticket)?.[1] ?? ticket;
  for (const where of ['high', 'queued', 'low', 'scheduled', 'active'] as const) {
    for (const ticket of list(where)) {
      const id = idOf(ticket);
      const inList = where === 'high' || where === 'queued' || where === 'low';
      if (inList && dropped.delete(ticket)) continue;
      put(id, where);
      const expected = current.get(id) ?? `${id}:1:1`;
      if (ticket !== expected)
        found.push(`${where} holds ${ticket}, the current ticket is ${expected}`);
    }
  }
  for (const where of ['completed', 'failed', 'cancelled', 'waiting'] as const) {
    for (const id of list(where)) put(id, where);
  }
  const outcomes = new Set(list('outcomes'));
  for (const id of jobs) {
    const where = places.get(id) ?? [];
    if (where.length !== 1)
      found.push(`job ${id} is in ${where.length} places: ${where.join(', ')}`);
    const final = where.some((place) => ['completed', 'failed', 'cancelled'].includes(place));
    if (final !== outcomes.has(id))
      found.push(`job ${id} in ${where.join()}: outcome ${outcomes.has(id)}`);
  }
  for (const [id, where] of places) {
    if (!jobs.has(id)) found.push(`${where.join()} holds ${id}, which has no record`);
  }
  for (const name of ['outcomes', 'errors', 'attempts', 'progress', 'logs', 'waiters'] as const) {
    for (const id of list(name))
      if (!jobs.has(id)) found.push(`${name} holds ${id}, which has no record`);
  }
  for (const id of current.keys())
    if (!jobs.has(id)) found.push(`tickets holds ${id}, which has no record`);
  for (const ticket of dropped) found.push(`dropped holds ${ticket}, which is in no list`);
  for (const ticket of list('cancelling')) {
    if (!list('active').includes(ticket))
      found.push(`cancelling holds ${ticket}, which isn't active`);
  }
  const unfinished = [...jobs].filter((id) => !outcomes.has(id)).concat(elsewhere);
  found.push(...flowViolations(list('flows'), list('joins'), jobs, list('waiting'), unfinished));
  if (tokens > 1) found.push(`${tokens} wake tokens`);
  return found;
}

/** Steps that wait are waited for by somebody who comes; nothing is left of flows that are over. */
function flowViolations(
  flat: string[],
  joins: string[],
  jobs: ReadonlySet<string>,
  waiting: readonly string[],
  unfinished: readonly string[],
): string[] {
  const found: string[] = [];
  const flows = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) flows.set(flat[i]!, flat[i + 1]!);
  const flowOf = (field: string) => field.replace(/(\.\d+|\*\d+(\/\d*)?)$/, '');
  const alive = new Set(unfinished.map(flowOf));
  const kept = new Set([...jobs, ...unfinished].map(flowOf));
  for (const field of flows.keys()) {
    if (/\.\d+$/.test(field)) {
      if (!jobs.has(field)) found.push(`flows holds step ${field}, which has no record`);
    } else if (field.includes('*')) {
      // A group may outlive what follows it only while members run.
      if (!kept.has(flowOf(field))) found.push(`flows holds ${field} of a flow that is over`);
    } else if (!kept.has(field))
      found.push(`flows holds the shape of ${field}, which has no steps`);
  }
  for (const id of waiting) if (!flows.has(id)) found.push(`${id} waits, and is in no flow`);
  for (const field of joins) {
    if (!flows.has(field.replace(/\/\d+$/, ''))) found.push(`joins holds ${field} of no group`);
    else if (!alive.has(flowOf(field))) found.push(`joins holds ${field} of a flow that is over`);
  }
  return found;
}
