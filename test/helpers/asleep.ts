import type { Stage } from './setup.ts';

/** So many workers have found nothing to claim, and block. */
export async function asleep({ redis, name }: Stage, workers = 1): Promise<boolean> {
  const list = String(await redis.client.client('LIST'));
  const waiting = list.split('\n').filter((line) => line.includes(`name=minq:wait:${name} `));
  return waiting.filter((line) => line.includes(' cmd=blpop ')).length === workers;
}
