/** Everything Redis holds of a queue, as plain values: for comparing the whole state before and after. */
import type { Redis } from 'ioredis';

export type State = Record<string, unknown>;

/** @returns by key name (without prefix and hash tag): an array, or an object of members */
export async function stateOf(client: Redis, queue: string, prefix = 'minq'): Promise<State> {
  const base = `${prefix}:{${queue}}:`;
  const state: State = {};
  for (const key of (await client.keys(`${prefix}:{${queue}}:*`)).sort()) {
    state[key.slice(base.length)] = await contentOf(client, key);
  }
  return state;
}

/** The same without these keys. */
export function without(state: State, ...names: string[]): State {
  return Object.fromEntries(
    Object.entries(state).filter(([name]) => !names.some((start) => name.startsWith(start))),
  );
}

async function contentOf(client: Redis, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'list':
      return client.lrange(key, 0, -1);
    case 'set':
      return (await client.smembers(key)).sort();
    case 'hash':
      return { ...(await client.hgetall(key)) };
    case 'zset': {
      const flat = await client.zrangebyscore(key, '-inf', '+inf', 'WITHSCORES');
      const scores: Record<string, number> = {};
      for (let i = 0; i < flat.length; i += 2) scores[flat[i]!] = Number(flat[i + 1]);
      return scores;
    }
    default:
      return client.get(key);
  }
}
