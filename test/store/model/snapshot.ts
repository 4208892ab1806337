/** All that Redis holds of a queue, read at one moment. */
import type { Redis } from 'ioredis';
import { queueKeys, type KeyName } from '../../../src/store/keys.ts';
import { PUBLISHED } from './virtual-time.ts';

const READERS = {
  HGETALL: [
    'jobs', 'tickets', 'outcomes', 'errors', 'attempts', 'progress', 'logs', 'waiters', 'stats', 'workers', 'timings', 'flows',
    'joins', 'entries', 'lastTicks', 'apps', 'limit', 'again',
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

/** Reads the keys of one queue; they stand in the text, so that a step sends little. */
function scriptFor(queue: string): string {
  const keys = queueKeys('minq', queue);
  const rest = { LRANGE: ', 0, -1', ZRANGE: ", 0, -1, 'WITHSCORES'" } as Record<string, string>;
  const reads = Object.entries(READERS).flatMap(([word, names]) =>
    names.map((name) => `redis.call('${word}', '${keys[name]}'${rest[word] ?? ''})`),
  );
  return `
local published = redis.call('LRANGE', '${PUBLISHED}', 0, -1)
redis.call('DEL', '${PUBLISHED}')
return { ${reads.join(', ')}, published }`;
}

const shas = new Map<string, string>();

export async function prepare(client: Redis, ...queues: string[]): Promise<void> {
  for (const queue of queues) {
    shas.set(queue, (await client.script('LOAD', scriptFor(queue))) as string);
  }
}

/** Sent at once. What was published since the last time is read, and forgotten. */
export async function read(client: Redis, queue: string): Promise<Snapshot> {
  const reply = (await client.evalsha(shas.get(queue)!, 0)) as (string[] | string | null)[];
  const snapshot: Record<string, unknown> = {};
  let at = 0;
  for (const [word, names] of Object.entries(READERS)) {
    for (const name of names) snapshot[name] = contentOf(word, reply[at++]!);
  }
  const published = reply[at] as string[];
  snapshot['published'] = published.flatMap((message) => {
    const [channel, ...words] = message.replace(/^minq:\{\w\}:/, '').split(' ');
    const said = words.join(' ').split('\n'); // a line for each job
    return said.map((line) => `${channel} ${line}`);
  });
  return snapshot as unknown as Snapshot;
}

function contentOf(word: string, content: string[] | string | null): unknown {
  if (word === 'SMEMBERS') return new Set(content);
  if (word !== 'HGETALL' && word !== 'ZRANGE') return content;
  const pairs = new Map<string, string | number>();
  for (let i = 0; i < content!.length; i += 2) {
    const value = content![i + 1]!;
    pairs.set(content![i]!, word !== 'ZRANGE' ? value : value === 'inf' ? Infinity : Number(value));
  }
  return pairs;
}
