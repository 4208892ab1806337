/** The demo's Redis: the one you name, or one of its own. */
import { Redis } from 'ioredis';
import { startLocalRedis } from '../../dist/cli/local-redis.js';

export interface DemoRedis {
  readonly url: string;
  /** For people; without the password a URL may hold. */
  readonly what: string;
  /** Too slow for thousands of jobs. */
  readonly slow: boolean;
  /** Leaves nothing behind: stops a Redis of our own; clears a queue's keys from yours. */
  stop(queue: string): Promise<void>;
}

/** MINQ_REDIS_URL, else a redis-server or valkey-server that is installed, else js-redis-server. */
export async function findRedis(): Promise<DemoRedis> {
  const given = process.env['MINQ_REDIS_URL'];
  if (given !== undefined) {
    const { host } = new URL(given);
    return {
      url: given,
      what: `yours at ${host}`,
      slow: false,
      stop: (queue) => clear(given, queue),
    };
  }
  const local = await startLocalRedis();
  return {
    url: local.url,
    what: `${local.what}, started for this demo`,
    slow: local.what.startsWith('js-redis-server'),
    stop: async () => local.stop(),
  };
}

/** What jobs left, minq itself clears in time; a queue nobody will use again need not wait for that. */
async function clear(url: string, queue: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on('error', () => {}); // the command that fails says so
  try {
    for await (const keys of client.scanStream({ match: `minq:{${queue}}:*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
    }
    await client.zrem('minq:queues', queue);
  } finally {
    client.disconnect();
  }
}
