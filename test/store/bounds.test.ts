/** Bounds of what one call to Redis does or carries, counted: the numbers are written down here, and read nowhere. */
import { chain, group, step } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { ERROR, claim, settlement } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

/** Of the scripts that are called meanwhile: how many arguments the longest call has, beside its keys, and its bytes. */
async function longest(stage: Stage, body: () => Promise<unknown>) {
  const sent = await commandsDuring(stage.redis, body);
  const calls = sent.filter(([name]) => /^(evalsha|eval|fcall)(_ro)?$/i.test(name!));
  return {
    calls: calls.length,
    args: Math.max(...calls.map((args) => args.length - 3 - Number(args[2]))),
    bytes: Math.max(...calls.map((args) => args.join('').length)),
  };
}

const ids = (count: number, name = 'j') => Array.from({ length: count }, (_, i) => `${name}${i}`);

scene('failed jobs run again, a hundred a call', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  await queue.enqueueMany(ids(350).map((id) => ({ fn: 'f', args: [], id })));
  for (let turn = 1; turn <= 4; turn++) {
    const { claimed } = await claim(store, turn * 2, 100);
    await claim(
      store,
      turn * 2 + 1,
      0,
      ...claimed.map(({ ticket }) => settlement(ticket, { kind: 'failed', error: ERROR })),
    );
  }
  t.match(await queue.counts(), { failed: 350 });
  const { calls, args } = await longest(stage, async () => t.equal(await queue.retryAll(), 350));
  t.ok(args <= 105 && calls >= 4, `${calls} calls, ${args} arguments`);
});

scene(
  'jobs in no place are looked for 200 at a time, and put back a hundred a call',
  async (t, stage) => {
    const queue = stage.queue();
    await queue.enqueueMany(ids(2_000).map((id) => ({ fn: 'f', args: [], id })));
    await stage.redis.client.ltrim(stage.store().keys.queued, 350, -1);
    const { calls, args } = await longest(stage, async () =>
      t.match(await queue.repair(), { repaired: 350, left: 0 }),
    );
    t.ok(args <= 105, `${args} arguments`);
    t.ok(calls >= 4 + 5, `${calls} calls`);
  },
);

scene(
  'a flow is cancelled 200 steps a call, and its states are read 500 at a time',
  async (t, stage) => {
    const queue = stage.queue();
    const flow = await queue.enqueue(chain(group(ids(1_100).map(() => step('f'))), step('g')));
    const read = await longest(stage, async () => {
      const states = (await flow.flow())!.steps.map(({ state }) => state);
      t.equal(
        states.filter((state) => ['queued', 'waiting'].includes(state)).length,
        1_101,
        'each has its own',
      );
    });
    t.ok(read.args < 530 && read.calls >= 3, `${read.calls} calls, ${read.args} arguments`);
    const { calls } = await longest(stage, () => flow.cancel());
    t.ok(calls >= 6, `${calls} calls`);
    await until(
      async () =>
        (await queue.counts()).cancelled === 1_101 || (await queue.counts()).waiting === 0,
    );
  },
);

scene('a thousand queues are known, those that were used last', async (t, stage) => {
  const { client } = stage.redis;
  const store = stage.store();
  const known = store.queuesKey;
  await client.zadd(known, ...ids(1_020, 'q').flatMap((name, i) => [String(1_000 + i), name]));
  await store.announce();
  t.equal(await client.zcard(known), 1_000);
  t.ok(await client.zscore(known, stage.name), 'this one too');
  t.equal(await client.zscore(known, 'q0'), null, 'the oldest went');
  await client.del(known);
});

scene(
  'only a thousand jobs in front of a lane are looked at for one that is new',
  async (t, stage) => {
    const queue = stage.queue();
    const { client } = stage.redis;
    const { queued } = stage.store().keys;
    await queue.enqueue('f', [], { id: 'new' });
    const lies = ids(999, 'old').map((id) => `${id}:2:2`);
    await client.lpush(queued, ...lies);
    t.type(await queue.oldestWaitingMs(), 'number', 'the thousandth is seen');
    await client.lpush(queued, 'older:2:2');
    t.equal(await queue.oldestWaitingMs(), undefined, 'the one behind is not');
    await client.lrem(queued, 0, 'older:2:2');
    for (const ticket of lies) await client.lrem(queued, 0, ticket);
  },
);

scene('of jobs that no worker knows, the first thousand are looked at', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  const store = stage.store();
  const many = ids(1_200);
  await queue.enqueueMany(many.map((id) => ({ fn: 'f', args: [], id, delay: '10s' })));
  const error = '{"name":"UnknownFunctionError","message":"m","fn":"f"}';
  await client.hset(store.keys.errors, ...many.flatMap((id) => [id, error]));
  t.equal((await store.strangers()).length, 1_000);
});

scene('a queue holds 10,000 cron entries', async (t, stage) => {
  const queue = stage.queue();
  const { entries, cron } = stage.store().keys;
  const { client } = stage.redis;
  await queue.schedule('first', { fn: 'f', every: '1h' });
  const definition = (await client.hget(entries, 'first'))!;
  const names = ids(9_998, 'e');
  await client.hset(entries, ...names.flatMap((name) => [name, definition]));
  await client.zadd(cron, ...names.flatMap((name) => ['9999999999999', name]));
  await queue.schedule('last', { fn: 'f', every: '1h' });
  await t.rejects(queue.schedule('more', { fn: 'f', every: '1h' }), {
    code: 'TOO_MANY_SCHEDULES',
    message: /at most 10000 cron entries/,
  });
  t.equal(await client.hlen(entries), 10_000);
});
