/** Redis has reached maxmemory: nothing new comes in, what runs is brought to its end. */
import t from 'tap';
import { RedisOutOfMemoryError } from '../../src/index.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const ownRedis = { redis: () => startRedis() };

const setMaxMemory = (stage: Stage, bytes: string) =>
  stage.redis.client.config('SET', 'maxmemory', bytes);

scene(
  'maxmemory reached: enqueue is refused and leaves nothing, jobs settle and retry, it ends by itself',
  async (t, stage) => {
    const lease = 600;
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const tries = new Map<number, number>();
    const jobs = {
      held: async (n: number) => {
        const run = (tries.get(n) ?? 0) + 1;
        tries.set(n, run);
        await gate;
        if (n % 5 === 0 && run === 1) throw new Error('again, please');
        return n;
      },
    };
    const queue = stage.queue();
    stage.worker(jobs, { concurrency: 21, lease }); // one slot is free: it would take back a lease that ends
    const handles = await Promise.all(
      Array.from({ length: 20 }, (_, n) => queue.enqueue('held', [n], { backoff: 50 })),
    );
    const results = handles.map((job) => job.result({ timeout: '20s' }));
    await until(async () => (await queue.counts()).active === 20);
    await setMaxMemory(stage, '1mb');

    const refused = await queue
      .enqueue('held', [99], { id: 'refused' })
      .catch((error: Error) => error);
    t.type(refused, RedisOutOfMemoryError);
    const many = await queue.enqueueMany([
      { fn: 'held', args: [98] },
      { fn: 'held', args: [97], delay: '1h' },
    ]);
    for (const outcome of many) {
      t.equal(outcome.status, 'rejected');
      t.type((outcome as PromiseRejectedResult).reason, RedisOutOfMemoryError);
    }
    t.equal(await stage.redis.client.hlen(`minq:{${stage.name}}:jobs`), 20, 'nothing is left');
    t.same(await queue.counts(), {
      ...(await queue.counts()),
      active: 20,
      queued: 0,
      scheduled: 0,
    });

    await new Promise((resolve) => setTimeout(resolve, 3 * lease)); // leases must be renewed meanwhile
    t.equal((await queue.stats()).recovered, 0, 'no lease was lost');
    open();
    t.same(
      await Promise.all(results),
      Array.from({ length: 20 }, (_, n) => n),
    );
    const stats = await queue.stats();
    t.equal(stats.completed, 20);
    t.equal(stats.retried, 4);
    t.equal(stats.refused, 0);
    t.equal(stats.enqueued, 20);

    await t.rejects(queue.enqueue('held', [1]), { code: 'REDIS_OUT_OF_MEMORY' });
    await setMaxMemory(stage, '0');
    const next = await queue.enqueue('held', [100], { id: 'refused' });
    t.notOk(next.duplicate);
    t.equal(await next.result({ timeout: '5s' }), 100);
  },
  ownRedis,
);

scene(
  'maxmemory reached: what is queued is worked off, and cancelling works',
  async (t, stage) => {
    const queue = stage.queue();
    const handles = await Promise.all(
      Array.from({ length: 50 }, (_, n) => queue.enqueue('echo', [n])),
    );
    const unwanted = await queue.enqueue('echo', [0], { delay: '1h' });
    await setMaxMemory(stage, '1mb');
    t.ok(await unwanted.cancel());
    const worker = stage.worker({ echo: (n: number) => n });
    for (const [n, job] of handles.entries()) t.equal(await job.result({ timeout: '10s' }), n);
    await worker.stop();
    t.same(await queue.workers(), [], 'the worker could take its leave');
    await setMaxMemory(stage, '0');
  },
  ownRedis,
);

scene(
  'a Redis that may evict jobs: the worker says so when it starts',
  async (t, stage) => {
    await stage.redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    stage.worker({ echo: () => {} });
    await until(() => stage.log.some((line) => line.includes('worker started')));
    const warnings = stage.log.filter((line) => line.startsWith('warn'));
    t.equal(warnings.length, 1);
    t.match(warnings[0], /evict.*allkeys-lru.*noeviction/);
  },
  ownRedis,
);
