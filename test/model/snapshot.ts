/** All that Redis holds of a queue, read at one moment. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { queueKeys, type KeyName } from '../../src/keys.ts';
import { PUBLISHED } from './virtual-time.ts';

const READERS = {
  HGETALL: [
    'jobs', 'tickets', 'outcomes', 'errors', 'attempts', 'progress', 'waiters', 'stats', 'workers', 'timings', 'flows',
    'joins', 'entries', 'lastTicks', 'apps',
  ],
  LRANGE: ['high', 'queued', 'low', 'wake', 'outbox', 'flowing'],
  ZRANGE: ['scheduled', 'active', 'completed', 'failed', 'cancelled', 'waiting', 'cron'],
  SMEMBERS: ['dropped', 'cancelling'],
  GET: ['beat', 'paused'],
} as const satisfies Record<string, readonly KeyName[]>; // prettier-ignore

type Named<R extends keyof typeof READERS> = (typeof READERS)[R][number];

export type Snapshot = Record<Named<'HGETALL'>, Map<string, string>> &
  Record<Named<'LRANGE'>, string[]> &
  Record<Named<'ZRANGE'>, Map<string, number>> &
  Record<Named<'SMEMBERS'>, Set<string>> &
  Record<Named<'GET'>, string | null> & { published: string[] };

const NAMES = Object.values(READERS).flat();
const LUA = `
local found, at = {}, 0
local rest = { LRANGE = { 0, -1 }, ZRANGE = { 0, -1, 'WITHSCORES' } }
for word, count in string.gmatch(ARGV[1], '(%u+) (%d+)') do
  for i = at + 1, at + count do found[i] = redis.call(word, KEYS[i], unpack(rest[word] or {})) end
  at = at + count
end
found[at + 1] = redis.call('LRANGE', KEYS[at + 1], 0, -1)
redis.call('DEL', KEYS[at + 1])
return found`;
const SHA = createHash('sha1').update(LUA).digest('hex');
const PLAN = Object.entries(READERS).map(([word, names]) => `${word} ${names.length}`).join(' '); // prettier-ignore

const keysOf = new Map<string, string[]>();

export async function prepare(client: Redis, ...queues: string[]): Promise<void> {
  await client.script('LOAD', LUA);
  for (const queue of queues) {
    const keys = queueKeys('minq', queue);
    keysOf.set(queue, [...NAMES.map((name) => keys[name]), PUBLISHED]);
  }
}

/** Sent at once. What was published since the last time is read, and forgotten. */
export async function read(client: Redis, queue: string): Promise<Snapshot> {
  const keys = keysOf.get(queue)!;
  const reply = (await client.evalsha(SHA, keys.length, ...keys, PLAN)) as (
    string[] | string | null
  )[];
  const snapshot: Record<string, unknown> = {};
  let at = 0;
  for (const [word, names] of Object.entries(READERS)) {
    for (const name of names) snapshot[name] = contentOf(word, reply[at++]!);
  }
  const published = reply[at] as string[];
  snapshot['published'] = published.map((line) => line.replace(/^minq:\{\w\}:/, ''));
  return snapshot as unknown as Snapshot;
}

function contentOf(word: string, content: string[] | string | null): unknown {
  if (word === 'SMEMBERS') return new Set(content);
  if (word !== 'HGETALL' && word !== 'ZRANGE') return content;
  const pairs = new Map<string, string | number>();
  for (let i = 0; i < content!.length; i += 2) {
    const value = content![i + 1]!;
    pairs.set(content![i]!, word === 'ZRANGE' ? Number(value) : value);
  }
  return pairs;
}
