/** What holds for all scripts: bounded work, one hash tag, survival of a flushed script cache. */
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { claim, jobs, settlement, ticketsOf } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

const many = (count: number) => Array.from({ length: count }, (_, i) => `j${i}`);

scene(
  '5,000 jobs due at once are promoted in bounded calls, and all of them run',
  async (t, stage) => {
    const store = stage.store('observer');
    for (let i = 0; i < 5; i++) {
      await store.enqueue(jobs('n - +3600000', ...many(1_000).map((id) => `${i}${id}`)));
    }
    const due = await stage.redis.client.zrangebyscore(store.keys.scheduled, '-inf', '+inf');
    await stage.redis.client.zadd(store.keys.scheduled, ...due.flatMap((ticket) => ['1', ticket]));
    const { nextIn } = await claim(store, 1, 0);
    t.equal(nextIn, 0, 'more is due: come again at once');
    t.same((await store.counts()).slice(0, 2), [4_500, 500], 'one call promotes 500');
    const ran = new Map<string, number>();
    const queue = stage.queue();
    const worker = stage.worker({ f: () => {} }, { concurrency: 100, middleware: async (job, next) => {
    ran.set(job.id, (ran.get(job.id) ?? 0) + 1);
    return next();
  } }); // prettier-ignore
    await until(async () => (await queue.counts()).completed === 5_000);
    await worker.stop();
    t.equal(ran.size, 5_000);
    t.same([...new Set(ran.values())], [1], 'each once');
  },
);

scene(
  '300 leases that end at once are taken back in bounded calls, none lost',
  async (t, stage) => {
    const store = stage.store('dead');
    await store.enqueue(jobs('', ...many(300)));
    t.equal((await claim(store, 1, 300)).claimed.length, 300);
    const { client } = stage.redis;
    await client.zadd(store.keys.active, ...many(300).flatMap((id) => ['1', `${id}:1:1`]));
    const other = stage.store('alive');
    const { nextIn } = await claim(other, 1, 0);
    t.equal(nextIn, 0);
    t.same(await store.counts(), [0, 100, 200, 0, 0, 0, 0, 0], 'one call takes 100 back');
    stage.worker({ f: () => {} });
    const queue = stage.queue();
    await until(async () => (await queue.counts()).completed === 300);
    t.equal((await queue.stats()).recovered, 300);
  },
);

scene(
  '3,000 cancelled jobs in front of one that waits are swept in bounded calls',
  async (t, stage) => {
    const store = stage.store('worker-a');
    for (let i = 0; i < 3; i++) {
      await store.enqueue(jobs('', ...many(1_000).map((id) => `${i}${id}`)));
    }
    await store.enqueue(jobs('', 'last'));
    await Promise.all([0, 1, 2].flatMap((i) => many(1_000).map((id) => store.cancel(`${i}${id}`))));
    t.same(await store.counts(), [0, 1, 0, 0, 0, 3_000, 0, 0]);
    const first = await claim(store, 1, 10);
    t.same(first.claimed, []);
    t.equal(first.nextIn, 0, 'there is more: come again at once');
    t.same(await store.counts(), [0, 1, 0, 0, 0, 3_000, 0, 0], 'half swept, the counts are right');
    let turn = 1;
    let got: string[] = [];
    while (got.length === 0 && turn < 10) got = ticketsOf(await claim(store, ++turn, 10));
    t.same(got, ['last:1:1']);
    t.equal(await stage.redis.client.exists(store.keys.dropped), 0);
  },
);

scene('a flushed script cache is not noticed, in the middle of the work', async (t, stage) => {
  const store = stage.store('worker-a');
  const { client } = stage.redis;
  const flush = () => client.script('FLUSH');
  await store.enqueue(jobs('', 'a', 'b'));
  await flush();
  t.same(ticketsOf(await claim(store, 1, 1)), ['a:1:1']);
  await flush();
  const turn = await claim(store, 2, 1, settlement('a:1:1', { kind: 'completed', result: '1' }));
  t.same([turn.refused, ticketsOf(turn)], [[], ['b:1:1']]);
  await flush();
  t.equal(await store.cancel('b'), 'cancelling');

  const queue = stage.queue();
  stage.worker({ add: (x: number) => x + 1 }, { concurrency: 20 });
  const results: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) {
    void flush();
    for (let n = 0; n < 20; n++) {
      const number = i * 20 + n;
      results.push(queue.enqueue('add', [number]).then((job) => job.result({ timeout: '20s' })));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same(await Promise.all(results), results.map((_, i) => i + 1)); // prettier-ignore
  t.equal((await queue.stats()).enqueued, 402, 'each enqueued once');
});

scene(
  'every key of a queue carries its hash tag, after all that can happen to it',
  async (t, stage) => {
    const queue = stage.queue();
    const held = gate();
    const worker = stage.worker({
      add: (a: number, b: number) => a + b,
      hold: held.pass,
      fail: () => Promise.reject(new Error('no')),
    });
    const results = await Promise.all([
      queue.enqueue('add', [1, 2], { priority: 'high' }).then((job) => job.result()),
      queue.enqueue('add', [1, 2], { priority: 'low', id: 'mine' }).then((job) => job.result()),
    ]);
    t.same(results, [3, 3]);
    await queue.enqueue('add', [1, 2], { delay: '1h' });
    await queue.enqueue('fail', [], { backoff: '1h' });
    const failed = await queue.enqueue('fail', [], { retries: 0 });
    await failed.result().catch(() => {});
    const running = await queue.enqueue('hold');
    await until(() => held.running === 1);
    const waiting = running.result();
    await queue.pause();
    await (await queue.enqueue('add', [5, 5])).cancel();
    await queue.enqueue('add', [5, 5], { priority: 'high' });
    await queue.enqueue('add', [5, 5], { priority: 'low' });
    await running.cancel();
    await t.rejects(waiting, { name: 'JobCancelledError' });
    held.open();
    const keys = await stage.redis.client.keys(`*${stage.name}*`);
    t.ok(keys.length >= 15, `${keys.length} keys`);
    t.same(keys.filter((key) => !key.startsWith(`minq:{${stage.name}}:`)), []); // prettier-ignore
    const all = (await stage.redis.client.keys('*')).filter(
      (key) => !key.startsWith('minq:{test-'),
    );
    t.same(all, ['minq:queues'], 'and only the list of queues is outside of them');
    await queue.resume();
    await worker.stop();
  },
);

scene('a key somebody broke stops the work, and loses no job', async (t, stage) => {
  const store = stage.store('worker-a');
  const { client } = stage.redis;
  await store.enqueue(jobs('h - 0', 'lost', 'unwanted'));
  await claim(store, 1, 2);
  await store.cancel('unwanted');
  await client.zadd(store.keys.active, '1', 'lost:1:1h', '1', 'unwanted:1:1h');
  await store.enqueue(jobs('n - +60000', 'due'));
  await client.zadd(store.keys.scheduled, '1', 'due:1:1');
  const { keys } = store;
  for (const broken of [keys.queued, keys.high]) {
    await client.set(broken, 'garbage');
    await t.rejects(claim(store, 2, 1), { name: 'RedisCommandError', message: /WRONGTYPE/ });
    await client.del(broken);
  }
  t.same(ticketsOf(await claim(store, 3, 9)).sort(), ['due:1:1', 'lost:2:2h']);
  t.same(await store.counts(), [0, 0, 2, 0, 0, 1, 0, 0]);
});
