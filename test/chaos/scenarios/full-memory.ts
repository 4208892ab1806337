/** Redis reaches maxmemory while jobs run: nothing new comes in, what runs is brought to its end. */
import { RedisOutOfMemoryError } from '../../../src/index.ts';
import { gate } from '../../helpers/gate.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, QUEUE, sleep } from '../stand.ts';

const RUNNING = 50;

export default {
  name: 'full-memory',
  what: 'maxmemory reached with 50 running jobs: leases held, all settled, enqueue refused',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const [lease, fullMs] = full ? ([15_000, 30_000] as const) : ([1_500, 5_000] as const);
      const held = gate();
      const again = new Set<number>();
      const jobs = {
        held: async (n: number) => {
          await held.pass();
          if (n % 5 > 0 || again.has(n)) return n;
          again.add(n);
          throw new Error('again, please'); // what has to be written of it needs memory, too
        },
      };
      const queue = stand.queue();
      // More slots than jobs: a worker that is free sees a lease that ends.
      for (let i = 0; i < 2; i++) stand.worker(jobs, { concurrency: RUNNING, lease });
      const handles = await Promise.all(
        Array.from({ length: RUNNING }, (_, n) => queue.enqueue('held', [n], { backoff: 50 })),
      );
      const waiting = handles.map((job) => job.result({ timeout: '90s' }));
      await until(() => held.running === RUNNING);

      const setMaxMemory = (bytes: string) => stand.redis.client.config('SET', 'maxmemory', bytes);
      await setMaxMemory('1mb');
      const refusals = await Promise.allSettled([
        queue.enqueue('held', [99], { id: 'refused' }),
        queue.enqueue('held', [98], { delay: '1h' }),
        queue.enqueueMany([{ fn: 'held', args: [97] }]).then(([outcome]) => {
          if (outcome!.status === 'rejected') throw outcome!.reason;
        }),
        queue.schedule('entry', { every: '1h', fn: 'held' }),
      ]);
      for (const [i, call] of refusals.entries()) {
        const typed = call.status === 'rejected' && call.reason instanceof RedisOutOfMemoryError;
        stand.ensure(typed, `call ${i} ended with ${call.status === 'rejected' ? String(call.reason) : 'success'}`); // prettier-ignore
      }
      const records = await stand.redis.client.hlen(`minq:{${QUEUE}}:jobs`);
      stand.ensure(records === RUNNING, `refused enqueues left ${records - RUNNING} records`);
      await sleep(fullMs); // how long the fault lasts: several leases
      const { recovered } = await queue.stats();
      stand.ensure(recovered === 0, `${recovered} leases were lost`);

      held.open(); // they end while Redis is still full
      for (const [n, end] of (await Promise.allSettled(waiting)).entries()) {
        const right = end.status === 'fulfilled' && end.value === n;
        stand.ensure(right, `job ${n} did not give its result: ${end.status === 'rejected' && String(end.reason)}`); // prettier-ignore
      }
      const stats = await queue.stats();
      stand.ensure(stats.refused === 0, `${stats.refused} settlements were refused`);
      stand.ensure(stats.retried === RUNNING / 5, `${stats.retried} retries`);
      const still = await queue.enqueue('held', [1]).catch((error: Error) => error.name);
      stand.ensure(still === 'RedisOutOfMemoryError', 'Redis was full all the time');

      await setMaxMemory('0');
      const freed = performance.now();
      const next = await queue.enqueue('held', [101], { id: 'refused' });
      stand.ensure(!next.duplicate, 'the refused id is free');
      await next.result({ timeout: '20s' });
      const recoveredMs = Math.round(performance.now() - freed);
      say(`${fullMs} ms full; ${RUNNING} settled`);
      // Retries are runs of the job's own making.
      const own = new Set(handles.filter((_, n) => n % 5 === 0).map(({ id }) => id));
      const accepted = [...handles.map(({ id }) => id), next.id];
      stand.ensure([...own].every((id) => stand.runs.get(id) === 2), 'those that failed ran twice'); // prettier-ignore
      return { accepted, recoveredMs: [recoveredMs], planned: own.size };
    }),
} satisfies Scenario;
