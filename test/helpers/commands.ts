/** What clients send to Redis, seen by MONITOR. What a script calls doesn't count: it costs no round trip. */
import type { TestRedis } from './redis.ts';
import { until } from './until.ts';

/** Sent by ioredis itself when it connects. */
const HANDSHAKE = /^(info|client|hello|select)$/i;

let marks = 0;

/** @returns the commands that reached Redis while `body` ran, in order, without those of connecting */
export async function commandsDuring(
  redis: TestRedis,
  body: () => Promise<unknown>,
): Promise<string[][]> {
  const monitor = await redis.client.monitor();
  const seen: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua' && !HANDSHAKE.test(args[0]!)) seen.push(args);
  });
  const mark = `mark-${++marks}`;
  try {
    await body();
    // MONITOR tells in order: when the mark has come, all before it has.
    await redis.client.echo(mark);
    await until(() => seen.some((args) => args[1] === mark), { what: 'MONITOR has caught up' });
  } finally {
    monitor.disconnect();
  }
  return seen.filter((args) => args[1] !== mark);
}
