/** A worker's turn, transition by transition: the whole state of the queue before and after. */
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf, without } from '../helpers/state.ts';
import { until } from '../helpers/until.ts';
import { claim, ERROR, jobs, LEASE_MS, OUTCOMES, settlement, ticketsOf } from '../helpers/turns.ts';

/** Leaves out the records, which never change, and what is no part of a job's state. */
const core = async ({ redis, name }: Stage) =>
  without(await stateOf(redis.client, name), 'jobs', 'claim:', 'wake');

/** As if the lease of this ticket had ended long ago. */
const endLease = ({ redis }: Stage, active: string, ...tickets: string[]) =>
  redis.client.zadd(active, ...tickets.flatMap((ticket) => [1, ticket]));

scene('a claim takes from the front of the queue, under a lease', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b', 'c'));
  t.same(await core(stage), { queued: ['a:1:1', 'b:1:1', 'c:1:1'], stats: { enqueued: '3' } });
  const turn = await claim(store, 1, 2);
  t.same(ticketsOf(turn), ['a:1:1', 'b:1:1']);
  t.match(turn.claimed[0]?.record, /^\d{13}\{"fn":"f","args":\[\]\}$/);
  const till = turn.now + LEASE_MS - 0.5; // nobody knows yet whether they begin
  t.same(await core(stage), {
    queued: ['c:1:1'],
    active: { 'a:1:1': till, 'b:1:1': till },
    stats: { enqueued: '3' },
  });
  t.equal(turn.nextIn, 0, 'there is more to claim');
  t.same(ticketsOf(await claim(store, 2, 5)), ['c:1:1'], 'a claim of more than there is');
});

scene('many leases: no member but the tickets', async (t, stage) => {
  const store = stage.store('worker-a');
  const ids = Array.from({ length: 50 }, (_, i) => `j${i}`);
  await store.enqueue(jobs('', ...ids));
  const { claimed } = await claim(store, 1, 50);
  t.equal(claimed.length, 50);
  const { active } = (await core(stage)) as { active: object };
  t.same(Object.keys(active).toSorted(), ids.map((id) => `${id}:1:1`).toSorted());
  const encoding = await stage.redis.client.object('ENCODING', store.keys.active);
  t.equal(encoding, 'skiplist', 'which is searched fast');
});

const FACTS = '"attempt":1,"startedAt":1000,"ranMs":2}';
const AFTER: Record<string, (now: number) => object> = {
  completed: (now) => ({
    outcomes: { a: `${now}{"state":"completed","result":5,${FACTS}` },
    completed: { a: now + 60_000 },
    stats: { enqueued: '2', completed: '1' },
    queued: ['b:1:1'],
  }),
  failed: (now) => ({
    outcomes: { a: `${now}{"state":"failed","error":${JSON.stringify(ERROR)},${FACTS}` },
    failed: { a: now + 60_000 },
    stats: { enqueued: '2', failed: '1' },
    queued: ['b:1:1'],
  }),
  cancelled: (now) => ({
    outcomes: { a: `${now}{"state":"cancelled","reason":"expired",${FACTS}` },
    cancelled: { a: now + 3_600_000 },
    stats: { enqueued: '2', cancelled: '1' },
    queued: ['b:1:1'],
  }),
  retry: (now) => ({
    scheduled: { 'a:2:2': now + 3_000 },
    tickets: { a: 'a:2:2' },
    errors: { a: `${JSON.stringify(ERROR).slice(0, -1)},${FACTS}` },
    attempts: { a: `${now}${JSON.stringify(ERROR).slice(0, -1)},${FACTS}\n` },
    stats: { enqueued: '2', retried: '1' },
    queued: ['b:1:1'],
  }),
  postponed: (now) => ({
    scheduled: { 'a:2:1': now + 3_000 },
    tickets: { a: 'a:2:1' },
    errors: { a: JSON.stringify(ERROR) },
    stats: { enqueued: '2', retried: '1' },
    queued: ['b:1:1'],
  }),
  released: () => ({
    tickets: { a: 'a:2:1' },
    stats: { enqueued: '2' },
    queued: ['a:2:1', 'b:1:1'],
  }),
};

scene('each track has its own numbers, and its own last claim', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b', 'c', 'd'));
  const turnOn = (track: 0 | 1, turn: number, want: number) =>
    store.turn(turn, LEASE_MS, want, [], { track });
  t.same(ticketsOf(await turnOn(0, 7, 1)), ['a:1:1']);
  t.same(ticketsOf(await turnOn(1, 1, 2)), ['b:1:1', 'c:1:1']);
  t.same(ticketsOf(await turnOn(0, 7, 1)), ['a:1:1'], 'sent again');
  t.same(ticketsOf(await turnOn(1, 1, 2)), ['b:1:1', 'c:1:1'], 'sent again');
  t.same(ticketsOf(await turnOn(0, 6, 1)), [], 'an old one does nothing');
  t.same(ticketsOf(await turnOn(1, 2, 1)), ['d:1:1']);
});

for (const outcome of OUTCOMES) {
  const { kind } = outcome;

  scene(`${kind}: moves the job to its one new place`, async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a', 'b'));
    await claim(store, 1, 1);
    const turn = await claim(store, 2, 0, settlement('a:1:1', outcome));
    t.same(turn.refused, []);
    t.same(await core(stage), AFTER[kind]!(turn.now));
  });

  scene(`${kind}: sent again under the same number, it has no second effect`, async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a', 'b', 'c'));
    await claim(store, 1, 1);
    const send = () => claim(store, 2, 1, settlement('a:1:1', outcome));
    const first = await send();
    const state = without(await stateOf(stage.redis.client, stage.name), 'active');
    const second = await send();
    t.same(ticketsOf(second), ticketsOf(first), 'the same claim again');
    t.same(second.refused, [], 'a reply that was lost is no lost lease');
    t.same(without(await stateOf(stage.redis.client, stage.name), 'active'), state);
  });

  scene(`${kind}: refused when the lease was lost, and nothing changes`, async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a'));
    await claim(store, 1, 1);
    await endLease(stage, store.keys.active, 'a:1:1');
    t.same(ticketsOf(await claim(stage.store('worker-b'), 1, 1)), ['a:2:2']);
    const before = await core(stage);
    const turn = await claim(store, 2, 0, settlement('a:1:1', outcome));
    t.same(turn.refused, [{ ticket: 'a:1:1', why: 'lost' }]);
    t.same(await core(stage), {
      ...before,
      stats: { ...(before['stats'] as object), refused: '1' },
    });
  });

  scene(`${kind}: refused when the job is gone from Redis, and none appears`, async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a'));
    await claim(store, 1, 1);
    await stage.redis.client.del(...(await stage.redis.client.keys(`minq:{${stage.name}}:*`)));
    const turn = await claim(store, 2, 0, settlement('a:1:1', outcome));
    t.same(turn.refused, [{ ticket: 'a:1:1', why: 'gone' }]);
    t.same(await core(stage), { stats: { refused: '1' } });
  });
}

scene('many outcomes in one turn are recorded each by itself', async (t, stage) => {
  const store = stage.store('worker-a');
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await store.enqueue(jobs('', ...ids));
  await claim(store, 1, 8);
  const all = ids.map((id, i) => settlement(`${id}:1:1`, OUTCOMES[i % OUTCOMES.length]!));
  const turn = await claim(store, 2, 0, ...all, settlement('a:9:9', OUTCOMES[0]!));
  t.same(turn.refused, [{ ticket: 'a:9:9', why: 'lost' }]);
  t.same(await store.counts(), [2, 1, 0, 2, 2, 1, 0, 0]);
});

scene(
  'released jobs stand before all others, in their old order, and wake a sleeper',
  async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a', 'b', 'c', 'd'));
    await claim(store, 1, 3);
    await stage.redis.client.del(store.keys.wake); // somebody took it, and sleeps again
    const back = ['a', 'b', 'c'].map((id) => settlement(`${id}:1:1`, { kind: 'released' }));
    await claim(store, 2, 0, ...back);
    t.same((await core(stage))['queued'], ['a:2:1', 'b:2:1', 'c:2:1', 'd:1:1']);
    t.equal(await stage.redis.client.llen(store.keys.wake), 1);
  },
);

scene('so they do when other runs end between them', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b', 'c'));
  await claim(store, 1, 3);
  const outcomes = { a: 'released', b: 'completed', c: 'released' } as const;
  const ended = Object.entries(outcomes).map(([id, kind]) =>
    settlement(`${id}:1:1`, kind === 'released' ? { kind } : { kind, result: '1' }),
  );
  t.same(ticketsOf(await claim(store, 2, 9, ...ended)), ['a:2:1', 'c:2:1']);
});

scene('resultTtl 0: a completed job leaves no trace', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('h - 0', 'a'));
  await claim(store, 1, 1);
  await store.progress('a:1:1h', '50');
  await claim(store, 2, 0, settlement('a:1:1h', OUTCOMES[0]!, { keptMs: 0 }));
  t.same(without(await stateOf(stage.redis.client, stage.name), 'claim:', 'wake'), {
    stats: { enqueued: '1', completed: '1' },
  });
});

scene('a job that follows a failure is enqueued with it, once, or not at all', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b'));
  await claim(store, 1, 2);
  await endLease(stage, store.keys.active, 'b:1:1');
  await claim(stage.store('worker-b'), 1, 1);
  const failed = (id: string) =>
    settlement(
      `${id}:1:1`,
      { kind: 'failed', error: ERROR },
      { followUp: { id: `${id}:failure:1`, how: '', json: '{"fn":"g","args":[]}' } },
    );
  await claim(store, 2, 0, failed('a'), failed('b'));
  await claim(store, 2, 0, failed('a'), failed('b'));
  t.same((await core(stage))['queued'], ['a:failure:1:1:1'], 'the refused settlement has none');
});

scene('one for another queue is told to it once; where that can’t be written, nothing is settled', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a'));
  await claim(store, 1, 1);
  const followUp = { id: ' mail|a:failure:1', how: '', json: '{"fn":"g","args":[]}' };
  const failed = settlement('a:1:1', { kind: 'failed', error: ERROR }, { followUp });
  await stage.redis.client.set(store.keys.outbox, 'another app’s');
  await t.rejects(claim(store, 2, 0, failed), { message: /WRONGTYPE/ });
  t.equal((await store.counts())[2], 1, 'it is active as before');
  await stage.redis.client.del(store.keys.outbox);
  t.same((await claim(store, 2, 0, failed)).post, ['enqueue mail|a:failure:1 {"fn":"g","args":[]}']);
  t.same((await claim(store, 2, 0, failed)).post.length, 1, 'sent again');

  const mail = store.on(`${stage.name}-mail`);
  for (const _ of [1, 2]) t.equal(await mail.flows.deliver('enqueue', 'a:failure:1', followUp.json), 'delivered'); // prettier-ignore
  t.same((await mail.counts()).slice(0, 3), [0, 1, 0], 'delivered twice, it is one job');
  await store.flows.delivered(['enqueue mail|a:failure:1 {"fn":"g","args":[]}']);
}); // prettier-ignore

scene(
  'a re-sent turn may carry more than the first; an older one does nothing',
  async (t, stage) => {
    const store = stage.store('worker-a');
    await store.enqueue(jobs('', 'a', 'b', 'c', 'd'));
    await claim(store, 1, 2);
    const completed = (ticket: string) => settlement(ticket, { kind: 'completed', result: '1' });
    t.same(ticketsOf(await claim(store, 2, 1, completed('a:1:1'))), ['c:1:1']);
    const again = await claim(store, 2, 2, completed('a:1:1'), completed('b:1:1'));
    t.same(ticketsOf(again), ['c:1:1'], 'only what the first claimed');
    t.same(again.refused, []);
    t.same(ticketsOf(await claim(store, 3, 1)), ['d:1:1']);

    await store.enqueue(jobs('', 'e'));
    const before = await stateOf(stage.redis.client, stage.name);
    t.same((await claim(store, 2, 9, completed('a:1:1'))).claimed, []);
    t.same(
      without(await stateOf(stage.redis.client, stage.name), 'stats'),
      without(before, 'stats'),
    );
    t.same(ticketsOf(await claim(store, 3, 9)), ['d:1:1'], 'the last turn is still the last');
  },
);

scene('a re-sent claim leaves out what was settled or lost meanwhile', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b', 'c'));
  await claim(store, 1, 3);
  await endLease(stage, store.keys.active, 'a:1:1');
  await claim(stage.store('worker-b'), 1, 0);
  const again = await claim(store, 1, 3, settlement('b:1:1', { kind: 'completed', result: '1' }));
  t.same(ticketsOf(again), ['c:1:1']);
});

scene('a lease that ends puts the job at the back and uses up an attempt', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b', 'c'));
  const { now } = await claim(store, 1, 1);
  await store.begun([{ ticket: 'a:1:1', claimedAt: now }], LEASE_MS);
  await endLease(stage, store.keys.active, 'a:1:1');
  const turn = await claim(stage.store('worker-b'), 1, 0);
  t.same(turn.claimed, []);
  t.match(await core(stage), {
    queued: ['b:1:1', 'c:1:1', 'a:2:2'],
    tickets: { a: 'a:2:2' },
    errors: { a: /WorkerLostError.*"attempt":1}$/ },
    attempts: { a: /^\d{13}\{.*WorkerLostError.*"attempt":1}\n$/ },
    stats: { recovered: '1' },
  });
  t.equal((await core(stage))['active'], undefined);
});

scene('a turn claims the jobs it names though they are not due, and those that are gone from there are nobody’s loss', async (t, stage) => {
  const [store, other] = [stage.store('worker-a'), stage.store('worker-b')];
  await store.enqueue([...jobs('n - +60000', 'later', 'much', 'cancelled'), ...jobs('', 'now')]);
  await store.cancel('cancelled');
  const names = ['later:1:1', 'cancelled:1:1', 'gone:1:1', 'much:1:1'];
  t.same(ticketsOf(await store.turn(1, LEASE_MS, 1, [], { named: names })), ['later:1:1']);
  t.same(ticketsOf(await store.turn(1, LEASE_MS, 1, [], { named: names })), ['later:1:1'], 'sent again');
  t.same(ticketsOf(await other.turn(1, LEASE_MS, 9, [], { named: names })), ['much:1:1', 'now:1:1']);
}); // prettier-ignore

scene('a turn claims no more than has room in its reply; without room it says how long the first one is', async (t, stage) => {
  const [store, other] = [stage.store('worker-a'), stage.store('worker-b')];
  const big = (id: string) => ({ id, how: '', json: `{"fn":"f","args":["${'x'.repeat(100_000)}"]}` });
  await store.enqueue(Array.from({ length: 60 }, (_, i) => big(`j${i}`)));
  const first = await store.turn(1, LEASE_MS, 60, [], { room: 350_000 });
  t.same(ticketsOf(first), ['j0:1:1', 'j1:1:1', 'j2:1:1']);
  t.match((await core(stage))['queued'], { length: 57 });
  const again = await store.turn(1, LEASE_MS, 60, [], { room: 150_000 }); // its reply was too large
  t.same(ticketsOf(again), ['j0:1:1']);
  t.same(ticketsOf(await other.turn(1, LEASE_MS, 1, [], { room: 1 })), ['j1:2:1'], 'back in front, uncharged');
  t.match(await store.turn(1, LEASE_MS, 1, [], { room: 0 }), { claimed: [{ ticket: 'j0:1:1', record: 100_035 }] });
  t.same(ticketsOf(await store.turn(1, LEASE_MS, 0, [])), [], 'sent again without a wish to claim: all goes back');
  t.same(ticketsOf(await other.turn(2, LEASE_MS, 2, [])), ['j0:2:1', 'j2:2:1']);
  t.equal((await other.turn(3, LEASE_MS, 60, [])).claimed.length, 41, 'as many as have room in 4 MiB');
}); // prettier-ignore

scene('a job is charged for a lost lease only when Redis had heard that it began', async (t, stage) => {
  const [store, other] = [stage.store('worker-a'), stage.store('worker-b')];
  await store.enqueue(jobs('', 'a', 'b', 'c', 'd'));
  const lease = 300;
  const { claimed, now } = await store.turn(1, lease, 4, []);
  t.equal(claimed.length, 4);
  await store.begun([{ ticket: 'a:1:1', claimedAt: now }, { ticket: 'gone:1:1', claimedAt: now }], lease);
  await store.heartbeat('{}', lease, ['b:1:1']);
  await store.begun([{ ticket: 'b:1:1', claimedAt: now - 1_000 }], lease); // shortens nothing
  let turn = 0;
  await until(async () => {
    await claim(other, ++turn, 0);
    return (await core(stage))['active'] === undefined;
  });
  const { tickets, errors, attempts } = (await core(stage)) as Record<string, object>;
  t.same(tickets, { a: 'a:2:2', b: 'b:2:2', c: 'c:2:1', d: 'd:2:1' });
  t.match(errors, { a: /lost its lease","attempt":1}$/, d: /before it had said that the job began","inHand":true}$/ });
  t.same(Object.keys(attempts!).toSorted(), ['a', 'b'], 'nothing says that the others ran');
}); // prettier-ignore

scene('an id that comes again is safe from the runs of the job before', async (t, stage) => {
  const [a, b] = [stage.store('worker-a'), stage.store('worker-b')];
  const done = (ticket: string) => settlement(ticket, { kind: 'completed', result: '1' });
  await a.enqueue(jobs('n pending 0', 'mine'));
  const [lost] = ticketsOf(await claim(a, 1, 1));
  await endLease(stage, a.keys.active, lost!);
  const [newer] = ticketsOf(await claim(b, 1, 1));
  await claim(b, 2, 0, done(newer!));
  t.same((await a.enqueue(jobs('n pending 0', 'mine').map((job) => ({ ...job, json: '{"fn":"g","args":[]}' })))).refused, new Set()); // prettier-ignore
  const [again] = ticketsOf(await claim(b, 3, 1));
  for (const old of [lost, newer]) t.not(old, again);
  const late = await claim(a, 2, 0, done(lost!));
  t.same(late.refused, [{ ticket: lost, why: 'lost' }]);
  t.match(await core(stage), { active: { [again!]: Number }, completed: undefined });
});

scene('lanes keep their order over retry, recovery and release', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue([
    ...jobs('l - 0', 'l1', 'l2', 'l3'),
    ...jobs('', 'n1', 'n2', 'n3'),
    ...jobs('h - 0', 'h1', 'h2', 'h3'),
  ]);
  const order = ['h1', 'h2', 'h3', 'n1', 'n2', 'n3', 'l1', 'l2', 'l3'];
  const letter = (id: string) => (id.startsWith('n') ? '' : id[0]);
  const first = order.map((id) => `${id}:1:1${letter(id)}`);
  t.same(ticketsOf(await claim(store, 1, 9)), first);
  const retried = ['h1', 'n1', 'l1'].map((id) =>
    settlement(`${id}:1:1${letter(id)}`, { kind: 'retry', error: ERROR, delayMs: 0 }),
  );
  const released = ['h2', 'n2', 'l2'].map((id) =>
    settlement(`${id}:1:1${letter(id)}`, { kind: 'released' }),
  );
  await endLease(stage, store.keys.active, 'h3:1:1h', 'n3:1:1', 'l3:1:1l');
  t.same(ticketsOf(await claim(store, 2, 9, ...retried, ...released)), [
    'h2:2:1h',
    'h1:2:2h',
    'h3:2:2h',
    'n2:2:1',
    'n1:2:2',
    'n3:2:2',
    'l2:2:1l',
    'l1:2:2l',
    'l3:2:2l',
  ]);
});

scene(
  'a running job that is to be cancelled ends cancelled, unless it has ended',
  async (t, stage) => {
    const store = stage.store('worker-a');
    const ids = ['done', 'failed', 'retry', 'released', 'lost'];
    await store.enqueue(jobs('', ...ids));
    await claim(store, 1, 5);
    for (const id of ids) t.equal(await store.cancel(id), 'cancelling');
    await endLease(stage, store.keys.active, 'lost:1:1');
    await claim(
    store, 2, 0,
    settlement('done:1:1', { kind: 'completed', result: '1' }),
    settlement('failed:1:1', { kind: 'failed', error: ERROR }),
    settlement('retry:1:1', { kind: 'retry', error: ERROR, delayMs: 9 }),
    settlement('released:1:1', { kind: 'released' }),
  ); // prettier-ignore
    const after = await core(stage);
    t.same(Object.keys(after['completed'] as object), ['done']);
    t.same(Object.keys(after['failed'] as object), ['failed']);
    t.same(Object.keys(after['cancelled'] as object).sort(), ['lost', 'released', 'retry']);
    t.notOk(after['cancelling'] ?? after['active'] ?? after['queued'] ?? after['scheduled']);
  },
);

scene('exactly what is due is promoted, the longest due first', async (t, stage) => {
  const store = stage.store('worker-a');
  const { client } = stage.redis;
  await store.enqueue(jobs('n - +60000', 'a', 'b', 'c', 'd'));
  await client.zadd(store.keys.scheduled, 30, 'a:1:1', 10, 'b:1:1', 20, 'c:1:1');
  const turn = await claim(store, 1, 0);
  const after = await core(stage);
  t.same(after['queued'], ['b:1:1', 'c:1:1', 'a:1:1']);
  t.same(Object.keys(after['scheduled'] as object), ['d:1:1']);
  t.equal(turn.nextIn, 0);
  const later = await claim(store, 2, 3);
  t.ok(later.nextIn > 5_000 && later.nextIn <= LEASE_MS, `the lease ends in ${later.nextIn} ms`);
});

scene('a paused queue gives nothing, and still settles and promotes', async (t, stage) => {
  const store = stage.store('worker-a');
  await store.enqueue(jobs('', 'a', 'b'));
  await claim(store, 1, 1);
  await store.pause();
  await stage.redis.client.del(store.keys.wake);
  const turn = await claim(store, 2, 5, settlement('a:1:1', { kind: 'completed', result: '1' }));
  t.same(turn.claimed, []);
  t.equal(turn.nextIn, -1, 'nothing is in sight');
  t.equal(await stage.redis.client.llen(store.keys.wake), 0, 'no worker is woken in vain');
  t.same(await store.counts(), [0, 1, 0, 1, 0, 0, 1, 0]);
  await store.resume();
  t.equal(await stage.redis.client.llen(store.keys.wake), 1);
  t.same(ticketsOf(await claim(store, 3, 5)), ['b:1:1']);
});

scene(
  'while work remains the token is handed on, and there is never a second',
  async (t, stage) => {
    const store = stage.store('worker-a');
    const { client } = stage.redis;
    await store.enqueue(jobs('', 'a', 'b', 'c'));
    await store.enqueue(jobs('h - 0', 'd'));
    t.equal(await client.llen(store.keys.wake), 1);
    await client.del(store.keys.wake);
    await claim(store, 1, 2);
    t.equal(await client.llen(store.keys.wake), 1, 'two are left');
    await client.del(store.keys.wake);
    await claim(store, 2, 2);
    t.equal(await client.llen(store.keys.wake), 0, 'none is left');
    await store.enqueue(jobs('n - +90000', 'later'));
    t.equal(await client.llen(store.keys.wake), 1, 'an earlier due time is told');
    await client.del(store.keys.wake);
    await store.enqueue(jobs('n - +99000', 'latest'));
    t.equal(await client.llen(store.keys.wake), 0, 'a later one needs no telling');
    await store.enqueue(jobs('n pending +80000', 'mine'));
    t.equal(await client.llen(store.keys.wake), 1, 'an earlier one with an id of the user, too');
  },
);

scene(
  'jobs due in the same millisecond run in the order in which they were enqueued',
  async (t, stage) => {
    const store = stage.store('worker-a');
    const ids = Array.from({ length: 1_100 }, (_, i) => `j${1_100 - i}`); // more than stand in one millisecond
    const due = (await stage.queue().now()) + 1_500;
    await store.enqueue(jobs(`n - ${due}`, ...ids.slice(0, 600)));
    await store.enqueue(jobs(`n - ${due}`, ...ids.slice(600, 1_000)));
    await store.enqueue(jobs(`n kept ${due}`, ...ids.slice(1_000)));
    t.equal((await stage.queue().job(ids[9]!).info()).dueAt, due);
    const got: string[] = [];
    let turns = 0;
    await until(async () => {
      const turn = await claim(store, ++turns, 1_000);
      got.push(...ticketsOf(turn).map((ticket) => ticket.split(':')[0]!));
      return got.length === ids.length;
    });
    t.same(got, ids);
  },
);
