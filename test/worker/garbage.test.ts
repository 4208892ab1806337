/** What somebody wrote into a key that is not a job's: it stops nothing else, and nothing goes round and round for it. */
import t from 'tap';
import { Fail, Queue, Retry } from '../../src/index.ts';
import { queueKeys, type KeyName } from '../../src/store/keys.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const BINARY = Buffer.from([0, 1, 2, 255, 254, 192, 128]);
const add = (a: number, b: number) => a + b;

/** Scripts that clients have called within a second. */
async function callsInASecond(stage: Stage): Promise<number> {
  const calls = async () => {
    const stats = await stage.redis.client.info('commandstats');
    return [...stats.matchAll(/cmdstat_(?:evalsha|lrem|lrange):calls=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0); // prettier-ignore
  };
  const before = await calls();
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // a window to count in
  return (await calls()) - before;
}

const works = async (stage: Stage) =>
  (await stage.queue().enqueue('add', [1, 2], { id: 'mine' })).result({ timeout: '10s' });

for (const [what, spoil] of [
  [
    'counters that are no numbers',
    (stage: Stage) =>
      stage.redis.client.hset(
        stage.store().keys.stats,
        'enqueued',
        'x',
        'completed',
        '',
        'highestRun',
        'x',
      ),
  ],
  [
    'counters in a key of another type',
    (stage: Stage) => stage.redis.client.set(stage.store().keys.stats, 'x'),
  ],
] as const) {
  scene(`${what}: jobs are accepted and settled all the same`, async (t, stage) => {
    await spoil(stage);
    stage.worker({ add, fails: () => Promise.reject(new Error('no')) });
    t.equal(await works(stage), 3);
    const failing = await stage.queue().enqueue('fails', [], { retries: 1, backoff: 10 });
    await t.rejects(failing.result({ timeout: '10s' }), { code: 'JOB_FAILED' });
    await stage.redis.client.del(stage.store().keys.stats);
  }); // prettier-ignore
}

scene('an outcome that can not be read is a typed error, not a value', async (t, stage) => {
  stage.allow(/./);
  const { keys } = stage.store();
  const queue = stage.queue();
  for (const text of ['', '1700000000000{', '1700000000000null', '1700000000000{}', '1700000000000{"state":"x"}']) {
    await stage.redis.client.hset(keys.outcomes, 'bad', text);
    await t.rejects(queue.job('bad').result({ timeout: '5s' }), { code: 'BAD_RECORD' }, text);
  }
}); // prettier-ignore

scene('a flow in part that is none: workers start, and prune', async (t, stage) => {
  const { keys } = stage.store();
  await stage.redis.client.zadd(keys.building, '1', 'x', '2', 'flow 999999999999999', '3', '', '4', BINARY); // prettier-ignore
  stage.worker({ add });
  t.equal(await works(stage), 3);
  // What was given up must not begin later.
  const left = () => stage.redis.client.zrange(keys.building, '0', '-1');
  await until(async () => (await left()).join() === 'flow gone');
});

scene('a key of a wrong type: a worker starts all the same', async (t, stage) => {
  const { keys } = stage.store();
  await stage.redis.client.set(keys.history, 'x');
  stage.worker({ add });
  t.equal(await works(stage), 3);
  await stage.redis.client.del(keys.history);
});

scene('a sign of life that is none is no worker', async (t, stage) => {
  const { keys } = stage.store();
  const now = Date.now();
  for (const [i, text] of ['{}', '[]', '5', 'null', '"x"', '{"host":"h","running":[null]}'].entries()) {
    await stage.redis.client.hset(keys.workers, `bad-${i}`, `${now}${text}`);
  }
  t.same(await stage.queue().workers(), []);
  await stage.redis.client.del(keys.workers);
}); // prettier-ignore

scene('a message to another queue that is no text is thrown away, not carried for ever', async (t, stage) => {
  const { keys } = stage.store();
  await stage.redis.client.rpush(keys.outbox, BINARY, 'x', BINARY);
  stage.worker({ add });
  t.equal(await works(stage), 3);
  await until(async () => (await stage.redis.client.exists(keys.outbox)) === 0);
}); // prettier-ignore

scene('a flow with members without number does not keep workers busy', async (t, stage) => {
  const { keys } = stage.store();
  await stage.redis.client.rpush(keys.flowing, 'clear flow*0 1 1000000000000');
  stage.worker({ add });
  t.equal(await works(stage), 3);
  await until(async () => (await stage.redis.client.exists(keys.flowing)) === 0);
  t.ok((await callsInASecond(stage)) < 40);
});

scene('a ticket that is no text ends failed when its lease does, and does not come back', async (t, stage) => {
  stage.allow(/no record/);
  const { keys } = stage.store();
  await stage.redis.client.rpush(keys.queued, BINARY);
  stage.worker({ add }, { lease: 400 });
  const queue = stage.queue();
  t.equal(await works(stage), 3);
  await until(async () => (await queue.counts()).failed === 1);
  t.match(await queue.counts(), { queued: 0, active: 0 });
  t.match(await queue.jobs('failed'), [{ error: { name: 'BadRecordError' } }]);
}); // prettier-ignore

scene('entries of cron that can not be moved on: no tight loop, and the others fire', async (t, stage) => {
  const { keys } = stage.store();
  const { client } = stage.redis;
  const queue = stage.queue();
  const fired = gate();
  fired.open();
  await queue.schedule('good', { every: '1s', fn: 'pass' });
  const definition = (await client.hget(keys.entries, 'good'))!;
  await client.hset(keys.entries, BINARY, definition, 'never', definition);
  await client.zadd(keys.cron, '1', BINARY, '-inf', 'never', '1', 'nowhere');
  stage.worker({ pass: fired.pass });
  await until(() => fired.started >= 2);
  t.ok((await callsInASecond(stage)) < 40);
  t.equal(await client.zscore(keys.cron, 'nowhere'), null, 'without a definition it is no entry');
}); // prettier-ignore

scene('a key of another type holds jobs up at most: what was done is told when it is mended', async (t, stage) => {
  const { client } = stage.redis;
  const broken: KeyName[] = [
    'joins', 'flows', 'flowing', 'waiting', 'outbox', 'attempts', 'errors', 'progress', 'tickets', 'stats', 'timings', 'keep',
    'completed', 'failed', 'cancelled', 'scheduled', 'cancelling', 'dropped', 'waiters', 'queued', 'low', 'building', 'outcomes',
  ];
  const ended = await Promise.all(
    broken.map(async (name) => {
      const queue = new Queue(`broken-${name}`, { redis: stage.redis.url });
      stage.onEnd(() => queue.close());
      const held = gate();
      let runs = 0;
      const work = async (how: string) => {
        runs++;
        await held.pass();
        if (how === 'fails') throw new Fail('it failed');
        if (how === 'retries') throw new Retry({ delay: '1h' });
        return 'done';
      };
      stage.worker({ work }, { queue: queue.name, lease: 1_000 });
      const ids = ['works', 'fails', 'retries'];
      await queue.enqueueMany(ids.map((id) => ({ fn: 'work', args: [id], id })));
      await until(() => held.running === 3);
      const key = queueKeys('minq', queue.name)[name];
      await client.multi().del(key).set(key, 'of another app').exec();
      held.open();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await client.del(key);
      const states = async () => Promise.all(ids.map((id) => queue.job(id).state().catch(() => 'gone')));
      await until(async () => !(await states()).some((state) => ['active', 'queued'].includes(state)), { timeoutMs: 5_000 }).catch(() => {});
      return { name, states: await states(), runs, limbo: (await queue.repair()).repaired };
    }),
  );
  t.same(
    ended,
    broken.map((name) => ({ name, states: ['completed', 'failed', 'scheduled'], runs: 3, limbo: 0 })),
  );
}); // prettier-ignore
