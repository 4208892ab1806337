import { RedisUnavailableError } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { startRedis } from '../helpers/redis.ts';

scene('many jobs: an outcome for each, in the order of the items', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('f', ['old'], { id: 'taken' });
  const outcomes = await queue.enqueueMany([
    { fn: 'f', args: [1] },
    { fn: 'g' },
    { fn: 'f', args: [2], id: 'taken' },
    { fn: 'f', args: [3], priority: 'high', delay: '1h', meta: { a: 'b' } },
  ]);
  t.same(
    outcomes.map((outcome) => outcome.status),
    Array(4).fill('fulfilled'),
  );
  const jobs = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : null)!);
  t.same(
    jobs.map((job) => [job.fn, job.duplicate]),
    [
      ['f', false],
      ['g', false],
      ['f', true],
      ['f', false],
    ],
  );
  t.match(await jobs[3]!.info(), { state: 'scheduled', priority: 'high', meta: { a: 'b' } });
  t.match(await queue.counts(), { queued: 3, scheduled: 1 });
});

scene('none is nothing', async (t, stage) => {
  const queue = stage.queue();
  const sent = await commandsDuring(stage.redis, async () => {
    t.same(await queue.enqueueMany([]), []);
  });
  t.same(sent, []);
});

scene('10,000 jobs go out in calls of 1,000, all get in, in order', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('warm', [-1]);
  const items = Array.from({ length: 10_000 }, (_, i) => ({ fn: 'f', args: [i] }));
  let jobs: { id: string }[] = [];
  const sent = await commandsDuring(stage.redis, async () => {
    const outcomes = await queue.enqueueMany(items);
    jobs = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  });
  t.equal(sent.length, 10);
  t.equal(new Set(jobs.map((job) => job.id)).size, 10_000);
  t.equal((await queue.counts()).queued, 10_001);
  const order: unknown[] = [];
  for (let offset = 0; offset < 10_001; offset += 1_000) {
    const page = await queue.jobs('queued', { offset, limit: 1_000 });
    order.push(...page.map((job) => job.args[0]));
  }
  t.strictSame(order, [-1, ...items.map((item) => item.args[0])]);
});

scene('big arguments go out in smaller calls', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('warm');
  const text = 'x'.repeat(1_000_000);
  const sent = await commandsDuring(stage.redis, async () => {
    await queue.enqueueMany(Array.from({ length: 12 }, () => ({ fn: 'f', args: [text] })));
  });
  t.equal(sent.length, 3, '4 MiB each');
  t.equal((await queue.counts()).queued, 13);
});

scene(
  'when Redis is away every item says so, with its id and whether it may have got in',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: 300 });
    await queue.enqueue('warm');
    const failing = async () =>
      (await queue.enqueueMany([{ fn: 'f', id: 'mine' }, { fn: 'f' }])).map((outcome) =>
        outcome.status === 'rejected' ? (outcome.reason as RedisUnavailableError) : undefined,
      );
    stage.redis.signal('SIGSTOP');
    for (const error of await failing()) {
      t.type(error, RedisUnavailableError);
      t.equal(error!.maybeEnqueued, true, 'it was sent, and nobody knows');
    }
    await stage.redis.kill();
    await queue.counts().catch(() => {}); // now the client knows
    const errors = await failing();
    for (const error of errors) {
      t.type(error, RedisUnavailableError);
      t.equal(error!.maybeEnqueued, false, 'it was never sent');
    }
    t.equal(errors[0]!.id, 'mine');
    t.match(errors[1]!.id, /^\w{12,}$/);
    await stage.redis.restart();
    const patient = stage.queue(); // a reconnect may take longer than the 300 ms of the other
    const again = await patient.enqueue('f', [], { id: 'mine', unique: 'kept' });
    t.equal(again.duplicate, false);
  },
  { redis: () => startRedis() },
);

scene(
  'when Redis is full nothing is stored, and every item says so',
  async (t, stage) => {
    const queue = stage.queue();
    await queue.enqueue('warm');
    await stage.redis.client.config('SET', 'maxmemory', '1');
    const outcomes = await queue.enqueueMany([{ fn: 'f' }, { fn: 'f', priority: 'low' }]);
    for (const outcome of outcomes) {
      t.match(outcome, { status: 'rejected', reason: { code: 'REDIS_OUT_OF_MEMORY' } });
    }
    await stage.redis.client.config('SET', 'maxmemory', '0');
    t.equal((await queue.counts()).queued, 1);
  },
  { redis: () => startRedis() },
);
