/** What people and the upkeep do to a queue: cancel, retry, remove, purge, heartbeat, prune, progress, watch. */
import { MAX_KEPT, TRIMMED_AHEAD } from '../../src/store/scripts/fragments.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf, without } from '../helpers/state.ts';
import { claim, ERROR, jobs, JSON_OF_JOB, LEASE_MS, settlement } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

const state = ({ redis, name }: Stage) => stateOf(redis.client, name);

scene(
  'a waiting job is cancelled at once; its ticket stays behind and is swept',
  async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue([...jobs('', 'a', 'b'), ...jobs('l - 0', 'c')]);
    t.equal(await store.cancel('a'), 'cancelled');
    t.equal(await store.cancel('c'), 'cancelled');
    t.same(await store.counts(), [0, 1, 0, 0, 0, 2, 0, 0], 'the counts leave void tickets out');
    t.match(await state(stage), {
      queued: ['a:1:1', 'b:1:1'],
      dropped: ['a:1:1', 'c:1:1l'],
      outcomes: { a: /^\d{13}\{"state":"cancelled","reason":"cancelled"\}$/ },
    });
    const before = await state(stage);
    t.equal(await store.cancel('a'), 'ended', 'sent again');
    t.same(await state(stage), before);
    const turn = await claim(store, 1, 5);
    t.same(turn.claimed.map(({ ticket }) => ticket), ['b:1:1']); // prettier-ignore
    const after = await state(stage);
    t.notOk(after['dropped'] ?? after['queued'] ?? after['queued:low'], 'nothing is left of them');
    t.equal((await store.info('a')).row[1], 'ended', 'its record can still be read');
  },
);

scene('a scheduled job is cancelled at once', async (t, stage) => {
  const store = stage.store();
  await store.enqueue(jobs('n - +60000', 'a'));
  t.equal(await store.cancel('a'), 'cancelled');
  const after = await state(stage);
  t.notOk(after['scheduled'] ?? after['dropped']);
  t.same(await store.counts(), [0, 0, 0, 0, 0, 1, 0, 0]);
});

scene('a running job is marked and its worker told, once for each call', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a'));
  await claim(store, 1, 1);
  const told: string[] = [];
  const listener = stage.redis.client.duplicate();
  stage.onEnd(async () => listener.disconnect());
  listener.on('message', (_channel, message) => told.push(message));
  await listener.subscribe(store.keys.control);
  t.equal(await store.cancel('a'), 'cancelling');
  t.equal(await store.cancel('a'), 'cancelling', 'sent again');
  await until(() => told.length === 2);
  t.same(told, ['a:1:1', 'a:1:1']);
  t.same((await state(stage))['cancelling'], ['a:1:1']);
  t.same(await store.heartbeat('{}', LEASE_MS, ['a:1:1']), {
    lost: [],
    unwanted: ['a:1:1'],
    tick: -1,
    appKnown: false,
  });
  t.equal(await store.cancel('nobody'), 'unknown');
});

scene(
  'a failed or cancelled job runs again with a new ticket and all attempts',
  async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue([...jobs('h - 0', 'a'), ...jobs('', 'b', 'c')]);
    await claim(store, 1, 1);
    await claim(store, 2, 0, settlement('a:1:1h', { kind: 'failed', error: ERROR }));
    await store.cancel('b');
    t.same(await store.retry(['a']), ['queued']);
    t.same(await store.retry(['b']), ['queued']);
    t.same((await state(stage))['queued:high'], ['a:2:1h'], 'in its own lane');
    const before = await state(stage);
    t.same(await store.retry(['a']), ['other'], 'sent again');
    t.same(await store.retry(['c']), ['other']);
    t.same(await store.retry(['nobody']), ['unknown']);
    t.same(await state(stage), before);
    const again = await claim(store, 3, 9);
    t.same(again.claimed.map(({ ticket }) => ticket), ['a:2:1h', 'c:1:1', 'b:2:1'], 'the void ticket of b is passed by'); // prettier-ignore
    t.same(await store.counts(), [0, 0, 3, 0, 0, 0, 0, 0]);
  },
);

scene('a removed job leaves no trace, wherever it was; a running one stays', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue([...jobs('', 'run', 'done', 'wait'), ...jobs('n - +60000', 'later')]);
  await claim(store, 1, 2);
  await claim(store, 2, 0, settlement('done:1:1', { kind: 'completed', result: '1' }));
  for (const id of ['done', 'wait', 'later']) t.equal(await store.remove(id), 'removed');
  t.equal(await store.remove('run'), 'active');
  t.equal(await store.remove('wait'), 'unknown');
  const after = await state(stage);
  t.same(Object.keys(after['jobs'] as object), ['run']);
  t.notOk(after['outcomes'] ?? after['completed'] ?? after['scheduled']);
  t.same(await store.counts(), [0, 0, 1, 0, 0, 0, 0, 0]);
});

scene(
  'an id that comes again after its job was removed gets a ticket never seen',
  async (t, stage) => {
    const store = stage.store('worker-a');
    const { client } = stage.redis;
    const enqueue = (call: string) =>
      store.enqueue([
        { id: 'mine', how: 'n pending 0', json: `{"fn":"f","args":[],"call":"${call}"}` },
      ]);
    await enqueue('1');
    const [first] = await client.lrange(store.keys.queued, 0, -1);
    await store.remove('mine');
    await enqueue('2');
    const [second, ...rest] = (await claim(store, 1, 9)).claimed;
    t.ok(second && second.ticket !== first && rest.length === 0, `${first}, ${second?.ticket}`);
    t.notOk((await state(stage))['dropped']);
  },
);

scene('so does one that is brought back by a call sent again, in every lane', async (t, stage) => {
  const store = stage.store('worker-a');
  const sent = [...jobs('', 'a'), ...jobs('h - 0', 'b')];
  for (const call of [sent, jobs('', 'a')]) {
    await store.enqueue(call);
    for (const { id } of call) t.equal(await store.remove(id), 'removed');
    await store.enqueue(call); // its reply was lost
  }
  t.same(await store.counts(), [0, 2, 0, 0, 0, 0, 0, 0]);
  t.equal(await store.cancel('b'), 'cancelled');
  const [only, ...rest] = (await claim(store, 1, 9)).claimed;
  t.match(only?.ticket, /^a:[2-9]:1$/, 'the job is there once, with a ticket of its own');
  t.same(rest, []);
  t.notOk((await state(stage))['dropped']);
});

for (const [where, how] of Object.entries({ queued: '', scheduled: 'n - +60000' })) {
  scene(`purge empties ${where} and tells how many jobs went`, async (t, stage) => {
    const store = stage.store();
    await store.enqueue(jobs(how, 'a', 'b', 'c'));
    await store.cancel('b');
    const taken = where === 'queued' ? 3 : 2;
    t.same(await store.purge(where), { taken, jobs: 2 });
    t.same(await store.counts(), [0, 0, 0, 0, 0, 1, 0, 0]);
    t.same(await store.purge('cancelled'), { taken: 1, jobs: 1 });
    t.same(without(await state(stage), 'wake', 'stats'), {});
  });
}

scene(
  'a heartbeat renews what is held, names what is lost, and never revives it',
  async (t, stage) => {
    const store = stage.store('worker-a');
    const { client } = stage.redis;
    await store.enqueue(jobs('', 'a', 'b', 'c'));
    await claim(store, 1, 3);
    await client.zadd(store.keys.active, 1, 'b:1:1', 5, 'a:1:1');
    await claim(stage.store('worker-b'), 1, 0);
    await client.zadd(store.keys.active, 9e12, 'c:1:1');
    const beat = () => store.heartbeat('{"pid":1}', LEASE_MS, ['a:1:1', 'b:1:1', 'c:1:1', 'd:1:1']);
    t.same(await beat(), {
      lost: [
        { ticket: 'a:1:1', why: 'lost' },
        { ticket: 'b:1:1', why: 'lost' },
        { ticket: 'd:1:1', why: 'gone' },
      ],
      unwanted: [],
      tick: -1,
      appKnown: false,
    });
    const active = (await state(stage))['active'] as Record<string, number>;
    t.same(Object.keys(active), ['c:1:1']);
    t.ok(active['c:1:1']! < 9e12, 'counted from now by the clock of Redis');
    t.match((await store.workers())['worker-a'], /^\d{13}\{"pid":1\}$/);
    await store.leave();
    t.same(await store.workers(), {});
  },
);

scene('progress is stored while the run is in charge, and not after', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a'));
  await claim(store, 1, 1);
  t.equal(await store.progress('a:1:1', '10'), true);
  t.equal(await store.progress('a:1:1', '20'), true);
  await stage.redis.client.zadd(store.keys.active, 1, 'a:1:1');
  await claim(store, 2, 1);
  t.equal(await store.progress('a:1:1', '99'), false, 'the lease was lost');
  t.same((await state(stage))['progress'], { a: '20' });
  await claim(store, 3, 0, settlement('a:2:2', { kind: 'completed', result: '1' }));
  t.equal(await store.progress('a:2:2', '99'), false, 'the run has ended');
});

scene(
  'a log is kept while the run is in charge, and not after: of a job that is gone nothing is left',
  async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a'));
    await claim(store, 1, 1);
    t.equal(await store.keepLog('a:1:1', 'one\n'), 'stored');
    t.equal(await store.keepLog('a:1:1', 'two\n'), 'stored');
    t.same((await state(stage))['logs'], { a: 'one\ntwo\n' });
    await claim(
      store,
      2,
      0,
      settlement('a:1:1', { kind: 'completed', result: '1' }, { keptMs: 0 }),
    );
    t.equal(await store.keepLog('a:1:1', 'late\n'), 'lost');
    t.equal((await state(stage))['logs'], undefined);
  },
);

scene('what waits for a result is told once, at every kind of end', async (t, stage) => {
  const store = stage.store('worker-a');
  const listener = stage.redis.client.duplicate();
  t.teardown(() => listener.disconnect());
  const heard: string[] = [];
  listener.on('message', (_channel, text: string) => heard.push(text.replace(/\d{13}/, '<time>')));
  await listener.subscribe('me', 'you');
  await store.enqueue(jobs('', 'done', 'cancelled', 'gone', 'trace'));
  for (const channel of ['me', 'me', 'you']) {
    t.same(await store.watch(['done', 'nobody'], channel), ['', null]);
  }
  t.same(await store.watch(['cancelled', 'gone', 'trace'], 'me'), ['', '', '']);
  await store.cancel('cancelled');
  await store.remove('gone');
  await claim(store, 1, 9);
  const completed = { kind: 'completed', result: '7' } as const;
  const send = () =>
    claim(
      store,
      2,
      0,
      settlement('done:1:1', completed),
      settlement('trace:1:1', completed, { keptMs: 0 }),
    );
  await send();
  await send();
  const outcome = '<time>{"state":"completed","result":7,"attempt":1,"startedAt":1000,"ranMs":2}';
  await listener.ping(); // what was published before has arrived
  t.same(heard, [
    'cancelled <time>{"state":"cancelled","reason":"cancelled"}',
    'gone ',
    `done ${outcome}`,
    `done ${outcome}`,
    'trace ', // nobody gets what nobody keeps
  ]);
  t.notOk((await state(stage))['waiters']);
  t.match(await store.watch(['done'], 'me'), [/"result":7/], 'asked later: there at once');
});

scene('prune removes what is kept too long, and workers that are gone', async (t, stage) => {
  const store = stage.store('worker-a');
  const { client } = stage.redis;
  await store.enqueue(jobs('', 'old', 'new'));
  await claim(store, 1, 2);
  const ids = ['old', 'new'].map((id) => settlement(`${id}:1:1`, { kind: 'failed', error: ERROR }));
  await claim(store, 2, 0, ...ids);
  await client.zadd(store.keys.failed, 1, 'old');
  await store.heartbeat('{}', LEASE_MS, []);
  await client.hset(store.keys.workers, 'dead', '1000000000000{}');
  t.equal(await store.prune(), false);
  t.same(Object.keys((await state(stage))['jobs'] as object), ['new']);
  t.same(Object.keys(await store.workers()), ['worker-a']);
});

scene(
  `no more than ${MAX_KEPT} outcomes of a kind are kept, those first up go first`,
  async (t, stage) => {
    const store = stage.store('worker-a');
    const { client } = stage.redis;
    const ids = Array.from({ length: MAX_KEPT + 1_500 }, (_, i) => `j${i}`);
    for (let i = 0; i < ids.length; i += 1_000) {
      const some = ids.slice(i, i + 1_000);
      await client.hset(
        store.keys.jobs,
        ...some.flatMap((id) => [id, `1000000000000${JSON_OF_JOB}`]),
      );
      await client.hset(store.keys.outcomes, ...some.flatMap((id) => [id, '1000000000000{}']));
      await client.zadd(store.keys.completed, ...some.flatMap((id, n) => [9e12 + i + n, id]));
    }
    t.equal(await store.prune(), true, 'one call does a bounded part');
    while (await store.prune());
    const left = MAX_KEPT - TRIMMED_AHEAD;
    t.equal(await client.zcard(store.keys.completed), left);
    t.equal(await client.hlen(store.keys.jobs), left);
    t.equal(await client.hexists(store.keys.jobs, `j${1_499 + TRIMMED_AHEAD}`), 0);
    t.equal(await client.hexists(store.keys.jobs, `j${1_500 + TRIMMED_AHEAD}`), 1);
  },
);
