/** A master that sentinels watch is replaced under load. */
import type { TestRedis } from '../helpers/redis.ts';
import type { Watched } from '../helpers/sentinel.ts';
import { until } from '../helpers/until.ts';
import { underLoad } from './failover.ts';
import type { Ground, Outcome } from './scenario.ts';

const RESUMED_MS = 5_000;

/** @param fault what befalls the master; it may go on after another was promoted */
export function replaced(
  ground: Ground,
  servers: Watched,
  fault: (master: TestRedis) => Promise<void>,
): Promise<Outcome> {
  return underLoad(ground, servers, ['watched'], RESUMED_MS, async (bench) => {
    const master = await servers.master();
    const masterGone = performance.now();
    const done = fault(master);
    await until(async () => (await servers.master()) !== master, { what: 'another is promoted' });
    const over = performance.now();
    await bench.more(1);
    await done;
    return { over, masterGone };
  });
}
