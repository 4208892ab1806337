/** Scenario 7: Redis is gone for a good while. Workers wait for it, producers are told in time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '../libraries/library.ts';
import { rssOf } from '../memory.ts';
import { startsOf } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, msToResume, play } from '../setting.ts';

const BACKLOG = 300;
const WARM_UP = 300;
const CALL_TIMEOUT_MS = 1_500;
const REJECTED_MS = 2_000;
const RESUMED_MS = 3_000;
const GROWTH_MB = 20;
const BETWEEN_CALLS_MS = 250;

const redisAway: Scenario = {
  name: 'redis-away',
  what: 'Redis gone for a minute (10 s in the short form)',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(
      ground,
      { redisFlags: ['--appendonly', 'yes'], producer: { callTimeoutMs: CALL_TIMEOUT_MS } },
      async (setting) => {
        const broken: string[] = [];
        const start = () => setting.startWorker({ concurrency: 2 });
        const workers = await Promise.all([start(), start()]);
        const enqueue = (count: number, ms: number) =>
          Promise.all(Array.from({ length: count }, () => setting.enqueue('sleep', [ms])));
        await enqueue(WARM_UP, 1); // a process takes memory for its first jobs that it keeps
        await setting.drained();
        await enqueue(BACKLOG, 50);
        const memory = () => Promise.all(workers.map(({ pid }) => rssOf(pid!)));
        const before = await memory();

        await setting.redis.kill();
        const goneAt = Date.now();
        const calls: Promise<Refusal | undefined>[] = [];
        while (Date.now() < goneAt + (ground.full ? 60_000 : 10_000)) {
          calls.push(refused(setting.producer, `refused-${calls.length}`));
          await sleep(BETWEEN_CALLS_MS);
        }
        const after = await memory();
        const growth = Math.max(0, ...after.map((bytes, i) => bytes - before[i]!)) / 2 ** 20;
        const early = await Promise.all(calls);
        const resumed = await msToResume(setting, workers);
        ground.say(`resumed after ${resumed} ms`);
        const refusals = early.filter((each) => each !== undefined);
        await Promise.all(refusals.map(({ id }) => setting.enqueue('sleep', [1], { id })));
        await setting.drained();

        if (workers.some(ended)) broken.push('a worker has ended');
        if (resumed > RESUMED_MS)
          broken.push(`${resumed} ms until both workers were at work again`);
        if (growth > GROWTH_MB) broken.push(`a worker grew by ${growth.toFixed(1)} MB`);
        if (refusals.length < calls.length) broken.push('an enqueue resolved without Redis');
        const slowest = Math.max(...refusals.map(({ ms }) => ms));
        if (slowest > REJECTED_MS) broken.push(`${slowest} ms until an enqueue rejected`);
        const twice = refusals.filter(({ id }) => startsOf(setting.entries(), id).length !== 1);
        if (twice.length > 0) broken.push(`${twice.length} of the refused ones ran not just once`);
        return setting.outcome([resumed], broken, {
          notes: [
            `${calls.length} enqueues refused, each within ${slowest} ms`,
            `workers grew by at most ${growth.toFixed(1)} MB`,
          ],
        });
      },
    ),
};
export default redisAway;

interface Refusal {
  readonly id: string;
  readonly ms: number;
}

/** How long the call took to reject; undefined: it did not. */
async function refused(producer: Producer, id: string): Promise<Refusal | undefined> {
  const startedAt = performance.now();
  return producer.enqueue('sleep', [1], { id }).then(
    () => undefined,
    () => ({ id, ms: Math.round(performance.now() - startedAt) }),
  );
}
