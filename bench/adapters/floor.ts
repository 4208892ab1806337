/**
 * The floor: moves the same data (a record in, the record out, an outcome in) with the fewest commands and no
 * feature at all. No lease, no retry, no fence, no wake-up: a job is lost when its worker dies. No queue in
 * Node on this Redis can be much faster, so it says how much of the possible speed a library leaves.
 */
import { native } from '../native.ts';
import type { Arg, Connect } from './adapter.ts';

const { Redis } = native('ioredis') as typeof import('ioredis');

const KEYS = ['floor:jobs', 'floor:queued', 'floor:outcomes'] as const;

const ENQUEUE = `
local ids = {}
for i = 1, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
redis.call('HSET', KEYS[1], unpack(ARGV))
redis.call('RPUSH', KEYS[2], unpack(ids))`;

/** Settles what is finished (id, outcome, ...) and claims up to ARGV[1] more: ids and records. */
const TURN = `
if #ARGV > 1 then redis.call('HSET', KEYS[3], unpack(ARGV, 2)) end
local ids = redis.call('LPOP', KEYS[2], ARGV[1])
if not ids then return {} end
return { ids, redis.call('HMGET', KEYS[1], unpack(ids)) }`;

/** As many as Lua's \`unpack\` takes at ease. */
const MOST = 1_000;

interface Commands {
  enqueue(...args: (string | number)[]): Promise<unknown>;
  turn(...args: (string | number)[]): Promise<[ids?: string[], records?: string[]]>;
}

export const connect: Connect = async (url) => {
  const client = new Redis(url, {
    protocol: 2,
    scripts: {
      enqueue: { lua: ENQUEUE, numberOfKeys: KEYS.length },
      turn: { lua: TURN, numberOfKeys: KEYS.length },
    },
  });
  const commands = client as unknown as Commands;
  let nextId = 0;
  let batch: string[] = [];
  let sent: Promise<unknown> | undefined;
  let working = true;
  let filled = false;
  let wake = () => {};
  let loop: Promise<void> | undefined;

  const flush = () => {
    const items = batch;
    batch = [];
    sent = undefined;
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < items.length; i += MOST * 2) {
      calls.push(commands.enqueue(...KEYS, ...items.slice(i, i + MOST * 2)));
    }
    return Promise.all(calls).then(() => {
      filled = true;
      wake();
    });
  };
  /** Between rounds it must not ask in vain, or it would slow the others down. */
  const untilFilled = async () => {
    if (!filled) await new Promise<void>((resolve) => (wake = resolve));
    filled = false;
  };
  /** All jobs of a tick share one call and one promise. */
  const enqueue = (i: Arg): Promise<unknown> => {
    batch.push(String(++nextId), `{"fn":"noop","args":${JSON.stringify([i])}}`);
    return (sent ??= new Promise<void>((resolve) => process.nextTick(resolve)).then(flush));
  };

  return {
    waitingKey: KEYS[1],
    enqueue,
    async enqueueMany(numbers) {
      for (const i of numbers) void enqueue(i);
      await sent;
    },
    async work(concurrency, job) {
      loop = (async () => {
        let outcomes: string[] = [];
        let idle = true;
        while (working) {
          if (idle) await untilFilled();
          const [ids = [], records = []] = await commands.turn(...KEYS, concurrency, ...outcomes);
          outcomes = [];
          idle = ids.length === 0;
          const results = records.map((record) => {
            const { args } = JSON.parse(record) as { args: [Arg] };
            return job(...args);
          });
          for (const [i, result] of (await Promise.all(results)).entries()) {
            outcomes.push(ids[i]!, `{"state":"completed","result":${JSON.stringify(result)}}`);
          }
        }
      })();
    },
    async close() {
      working = false;
      wake();
      await loop;
      client.disconnect();
    },
  };
};
