/** Garbage for every key of a queue, as intruders, other clients, half-written dumps and older or newer versions leave it. */
import type { Redis } from 'ioredis';
import { queueKeys, type KeyName } from '../../src/store/keys.ts';

/** Texts that are nothing anybody expects. */
export const TEXTS: readonly (string | Buffer)[] = [
  '',
  ' ',
  'x',
  'null',
  'true',
  '-1',
  '0',
  'NaN',
  '1e400',
  '99999999999999999999',
  '[]',
  '{}',
  '"text"',
  '[[[[[[',
  '{"fn":"good","args":[',
  '1700000000000',
  '1700000000000null',
  '1700000000000{"fn":"good"',
  '1700000000000{"fn":"good","args":[],"v":99}',
  '1700000000000{"fn":"__proto__","args":[]}',
  '1700000000000{"fn":"constructor","args":["return process"]}',
  '1700000000000{"fn":"good","args":{"__proto__":{"polluted":true}}}',
  '1700000000000{"fn":"good","args":[1],"__proto__":{"polluted":true},"retries":"many","timeout":{},"backoff":[],"meta":7,"expires":"soon"}',
  '__proto__',
  'constructor:1:1',
  'id:with:colons',
  ':::',
  ':1:1',
  'x:99999999999999999999:1',
  'x:1:99999999999999999999',
  'x:-1:-1',
  'x:1:1zz',
  'two words:1:1',
  'new\nline:1:1',
  'queue|flow*1/2',
  'flow*0/1',
  '../../etc/passwd',
  "'; DROP TABLE jobs; --",
  'go flow.0 1 []',
  'clear flow*0 1 1000000000000',
  'fail no-such-queue!|flow.1 x {}',
  'flow 999999999999999',
  'flow 0',
  Buffer.from([0, 1, 2, 255, 254, 192, 128]),
  Buffer.from('\ud800 half a character', 'utf16le'),
  'w'.repeat(300_000),
];

/** `NaN` is refused by Redis itself. */
export const SCORES = ['-inf', '-1', '0', '1', '1e308', '+inf'];

/** Content of the right type for each key, and whether its fields are ids, workers or the like. */
const TYPES: Record<KeyName, 'hash' | 'list' | 'zset' | 'set' | 'string'> = {
  jobs: 'hash',
  high: 'list',
  queued: 'list',
  low: 'list',
  scheduled: 'zset',
  active: 'zset',
  tickets: 'hash',
  dropped: 'set',
  cancelling: 'set',
  outcomes: 'hash',
  errors: 'hash',
  attempts: 'hash',
  progress: 'hash',
  logs: 'hash',
  keep: 'hash',
  limit: 'hash',
  again: 'hash',
  starts: 'zset',
  completed: 'zset',
  failed: 'zset',
  cancelled: 'zset',
  wake: 'list',
  waiters: 'hash',
  workers: 'hash',
  stats: 'hash',
  history: 'list',
  timings: 'hash',
  timingsThen: 'hash',
  timingsNext: 'hash',
  cron: 'zset',
  entries: 'hash',
  lastTicks: 'hash',
  apps: 'hash',
  beat: 'string',
  waiting: 'zset',
  flows: 'hash',
  joins: 'hash',
  flowing: 'list',
  outbox: 'list',
  building: 'zset',
  paused: 'string',
};

export const KEY_NAMES = Object.keys(TYPES) as KeyName[];

/** Fields that mean something where they stand. */
const FIELDS: Partial<Record<KeyName, readonly string[]>> = {
  stats: [
    'enqueued',
    'completed',
    'failed',
    'cancelled',
    'retried',
    'recovered',
    'refused',
    'highestRun',
  ],
  timings: ['good completed', 'good wait 10', 'blocked', 'blockedMs'],
  timingsNext: ['at'],
};

/** Writes all texts into the key: as members, elements, fields and values. @returns how many */
export async function pollute(client: Redis, queue: string, name: KeyName): Promise<number> {
  const key = queueKeys('minq', queue)[name];
  const now = Date.now();
  const pipeline = client.pipeline();
  for (const [i, text] of TEXTS.entries()) {
    const field = FIELDS[name]?.[i % FIELDS[name].length] ?? `hostile-${i}`;
    switch (TYPES[name]) {
      case 'hash':
        pipeline.hset(key, field, text);
        pipeline.hset(key, text, `${now}{"fn":"good","args":[]}`);
        break;
      case 'list':
        pipeline.rpush(key, text);
        break;
      case 'set':
        pipeline.sadd(key, text);
        break;
      case 'zset':
        pipeline.zadd(key, SCORES[i % SCORES.length]!, text);
        break;
      default:
        pipeline.set(key, text);
    }
  }
  const replies = await pipeline.exec();
  for (const [error] of replies!) if (error) throw error;
  return TEXTS.length;
}
