/** Flows, transition by transition: whole states; settlements sent twice, out of order, from runs that lost their lease. */
import { chain, chord, group, step, type Flow } from '../../src/flow/flow.ts';
import { planFlow } from '../../src/flow/plan.ts';
import type { Store } from '../../src/store/store.ts';
import { startPlainServer } from '../helpers/plain-server.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf, without } from '../helpers/state.ts';
import { claim, ERROR, settlement, ticketsOf } from '../helpers/turns.ts';

const core = async ({ redis, name }: Stage) =>
  without(await stateOf(redis.client, name), 'claim:', 'wake', 'stats', 'history', 'timings');

/** Enqueues the flow; ids of its steps are `<flow>.<n>`. */
async function enqueue(store: Store, flow: Flow): Promise<(n: number) => string> {
  const plan = planFlow(flow, store.queue, {});
  for (const part of plan.parts.values()) await store.flows.enqueue(plan, part);
  return (n) => `${plan.flow}.${n}`;
}

const done = (ticket: string, result = '1') => settlement(ticket, { kind: 'completed', result });
const argsOf = async (store: Store, id: string) => {
  const { row } = await store.info(id);
  const record = row[4];
  return (JSON.parse(record!.slice(13)) as { args: unknown[] }).args;
};

for (const [server, redis] of [
  ['Redis', undefined],
  ['a server without script flags', startPlainServer],
] as const) {
  scene(`${server}: what follows a step is claimed in the turn that settles it`, async (t, stage) => {
    const store = stage.store('a');
    const id = await enqueue(store, chain(step('f', ['x']), step('g', [2]), step('h')));
    const before = await core(stage);
    t.match(before, { queued: [`${id(0)}:1:1`] });
    t.same(Object.keys(before['waiting'] as object), [id(1), id(2)]);
    const first = await claim(store, 1, 5);
    t.same(ticketsOf(first), [`${id(0)}:1:1`]);
    const second = await claim(store, 2, 5, done(`${id(0)}:1:1`, '{"a":[1,2]}'));
    t.same(ticketsOf(second), [`${id(1)}:1:1`]);
    t.match(second.claimed[0]!.record, /^\d{13}\{"fn":"g","args":\[\{"a":\[1,2\]\},2\]\}$/);
    const third = await claim(store, 3, 5, done(`${id(1)}:1:1`, '"second"'));
    t.match(third.claimed[0]!.record, /^\d{13}\{"fn":"h","args":\["second"\]\}$/);
    await claim(store, 4, 5, settlement(`${id(2)}:1:1`, { kind: 'completed', result: undefined }));
    const after = await core(stage);
    for (const name of ['waiting', 'queued', 'active', 'joins', 'flowing', 'outbox']) t.equal(after[name], undefined, name); // prettier-ignore
    t.equal(Object.keys(after['completed'] as object).length, 3);
  }, redis ? { redis } : {}); // prettier-ignore
}

scene(
  'a settlement sent again, or by a run that lost its lease, changes nothing',
  async (t, stage) => {
    const [a, b] = [stage.store('a'), stage.store('b')];
    const id = await enqueue(
      a,
      chord([step('f', [0]), step('f', [1]), step('f', [2])], step('sum')),
    );
    const { active } = a.keys;
    await claim(a, 1, 3);
    await claim(a, 2, 0, done(`${id(0)}:1:1`, '"a0"'));
    await claim(a, 2, 0, done(`${id(0)}:1:1`, '"a0"')); // its reply was lost
    t.same((await core(stage))['joins'], Object.fromEntries([[`${id(0).slice(0, -2)}*0/1`, '"a0"'], [`${id(0).slice(0, -2)}*0`, '1']])); // prettier-ignore

    // The lease of the second ends: b runs it too, with another result. a's comes too late.
    await stage.redis.client.zadd(active, 1, `${id(1)}:1:1`);
    t.same(ticketsOf(await claim(b, 1, 1)), [`${id(1)}:2:2`]);
    const late = await claim(a, 3, 0, done(`${id(1)}:1:1`, '"late"'));
    t.match(late.refused, [{ ticket: `${id(1)}:1:1`, why: 'lost' }]);
    await claim(b, 2, 0, done(`${id(1)}:2:2`, '"b1"'));
    t.equal((await core(stage))['queued'], undefined, 'not before the last');

    const last = await claim(a, 4, 5, done(`${id(2)}:1:1`, '"a2"'));
    t.same(ticketsOf(last), [`${id(3)}:1:1`]);
    t.same(await argsOf(a, id(3)), [['a0', 'b1', 'a2']], 'in order; what was accepted');
    for (const [store, turn, ticket] of [
      [a, 5, `${id(2)}:1:1`],
      [b, 3, `${id(1)}:2:2`],
      [a, 6, `${id(0)}:1:1`],
    ] as const) {
      // prettier-ignore
      await claim(store, turn, 0, done(ticket, '"again"'));
    }
    const state = await core(stage);
    t.same(Object.keys(state['active'] as object), [`${id(3)}:1:1`], 'the callback, once');
    t.equal(state['joins'], undefined);
  },
);

scene('a flow that is sent again, because its reply was lost, is there once', async (t, stage) => {
  const store = stage.store('a');
  const plan = planFlow(
    chain(step('f'), group([step('f'), step('f')]), step('f')),
    store.queue,
    {},
  );
  const send = async () => {
    for (const part of plan.parts.values()) await store.flows.enqueue(plan, part);
  };
  await send();
  const whole = () => stateOf(stage.redis.client, stage.name);
  const before = await whole();
  await send();
  t.same(await whole(), before, 'all of it as it was');
  await claim(store, 1, 1);
  await claim(store, 2, 0, done(`${plan.flow}.0:1:1`));
  const later = await whole();
  await send();
  t.same(await whole(), later, 'begun long ago, too');
});

scene('a place that is taken twice counts once; of a group that has failed, none is kept', async (t, stage) => {
  const store = stage.store('a');
  const id = await enqueue(store, chord([step('f', [0]), step('f', [1])], step('sum')));
  const place = `${id(0).slice(0, -2)}*0/1`;
  // As a courier would bring it from another queue, twice.
  for (const text of ['"first"', '"second"']) await store.flows.deliver('go', place, text);
  t.equal((await core(stage))['waiting'] !== undefined, true, 'one of two is not all');
  await claim(store, 1, 2);
  await claim(store, 2, 0, done(`${id(1)}:1:1`, '"b"'));
  t.same(await argsOf(store, id(2)), [['first', 'b']]);
  await store.flows.deliver('go', place, '"third"');
  t.equal((await core(stage))['joins'], undefined, 'too late');

  const failing = await enqueue(store, chord([step('f', [0]), step('f', [1]), step('f', [2])], step('sum'))); // prettier-ignore
  await store.purge('queued');
  const other = await enqueue(store, chord([step('f', [0]), step('f', [1]), step('f', [2])], step('sum'))); // prettier-ignore
  await claim(store, 3, 3);
  await claim(store, 4, 0, done(`${other(0)}:1:1`), done(`${other(1)}:1:1`));
  t.ok((await core(stage))['joins']);
  await claim(store, 5, 0, settlement(`${other(2)}:1:1`, { kind: 'failed', error: ERROR }));
  t.equal((await core(stage))['joins'], undefined);
  t.same(await store.flows.states([failing(3), other(3)]), [`failed ${failing(0)}`, `failed ${other(2)}`]);
}); // prettier-ignore

scene('a member may run again by hand: its group has its result already', async (t, stage) => {
  const store = stage.store('a');
  const id = await enqueue(store, chord([step('f', [0]), step('f', [1])], step('sum')));
  await claim(store, 1, 2);
  await claim(store, 2, 0, settlement(`${id(0)}:1:1`, { kind: 'failed', error: ERROR }));
  t.match((await store.info(id(2))).row.slice(0, 2), [id(2), 'ended']);
  t.same(
    await store.retry([id(2)]),
    ['other'],
    'a step that never had its turn lacks its argument',
  );
  t.same(await store.retry([id(0)]), ['queued']);
  const again = await claim(store, 3, 1);
  await claim(store, 4, 0, done(ticketsOf(again)[0]!), done(`${id(1)}:1:1`));
  const state = await core(stage);
  t.same([state['queued'], state['active'], state['waiting'], state['joins']], [undefined, undefined, undefined, undefined]); // prettier-ignore
});

scene('a step cancelled before its turn lacks its argument too: it is not run again', async (t, stage) => {
  const store = stage.store('a');
  const ways = [
    (id: (n: number) => string) => store.cancel(id(1)),
    (id: (n: number) => string) => store.flows.cancel(id(0).slice(0, -2), 2),
  ];
  for (const cancel of ways) {
    const id = await enqueue(store, chain(step('f', [0]), step('g', [1]), group([])));
    await cancel(id);
    t.match((await store.info(id(1))).row[5], /"state":"cancelled"/);
    const before = await core(stage);
    t.same(await store.retry([id(1), id(2)]), ['other', 'other']);
    t.same(await core(stage), before);
    await store.purge('queued');
  }
}); // prettier-ignore

scene('a flow sent again changes nothing, also where a part of it is over and forgotten', async (t, stage) => {
  const store = stage.store('a');
  const plan = planFlow(group([step('f', [0]), step('f', [1])]), store.queue, {});
  const part = plan.parts.get(store.queue)!;
  const send = () => store.flows.enqueue(plan, part);
  await send();
  await claim(store, 1, 1);
  await claim(store, 2, 0, settlement(`${plan.flow}.0:1:1`, { kind: 'completed', result: '1' }, { keptMs: 0 }));
  const before = await core(stage);
  await send(); // its reply was lost
  t.same(await core(stage), before);
  await claim(store, 3, 1);
  await claim(store, 4, 0, done(`${plan.flow}.1:1:1`));
  const after = await core(stage);
  for (const name of ['queued', 'waiting', 'joins', 'flowing']) t.equal(after[name], undefined, name);
}); // prettier-ignore

scene('a step that fails ends all after it, with its error; others go on', async (t, stage) => {
  const store = stage.store('a');
  const id = await enqueue(
    store,
    chain(
      step('a'),
      group([step('b'), chain(step('c'), group([step('d'), step('e')]), step('f')), step('g')]),
      step('h'),
      group([step('i'), step('j')]),
    ),
  );
  await claim(store, 1, 1);
  const members = await claim(store, 2, 5, done(`${id(0)}:1:1`));
  t.same(
    ticketsOf(members),
    [1, 2, 6].map((n) => `${id(n)}:1:1`),
  ); // b, c, g
  await claim(store, 3, 0, settlement(`${id(1)}:1:1`, { kind: 'failed', error: ERROR }));
  const states = async () => store.flows.states(Array.from({ length: 11 }, (_, n) => id(n)));
  const [A, B, C, D, E, F, G, H, I, J, END] = await states();
  t.same(
    [A, B, H, I, J, END],
    ['completed', 'failed', ...Array<string>(4).fill(`failed ${id(1)}`)],
  );
  t.same([C, D, E, F, G], ['active', 'waiting', 'waiting', 'waiting', 'active']);
  const outcome = (await store.info(id(10))).row[5];
  t.match(JSON.parse(outcome!.slice(13)), { state: 'failed', error: ERROR, step: id(1) });

  const more = await claim(store, 4, 5, done(`${id(2)}:1:1`), done(`${id(6)}:1:1`));
  t.same(
    ticketsOf(more),
    [3, 4].map((n) => `${id(n)}:1:1`),
    'the branch beside it goes on',
  );
  const last = await claim(store, 5, 5, done(`${id(3)}:1:1`), done(`${id(4)}:1:1`));
  await claim(store, 6, 5, done(ticketsOf(last)[0]!));
  const state = await core(stage);
  for (const name of ['waiting', 'joins', 'flowing', 'active'])
    t.equal(state[name], undefined, name);
});

scene('every way to end before its turn ends what comes after it', async (t, stage) => {
  const { client } = stage.redis;
  const ways: Record<string, (store: Store, id: (n: number) => string) => Promise<unknown>> = {
    'cancelled while queued': (store, id) => store.cancel(id(0)),
    'removed while queued': (store, id) => store.remove(id(0)),
    purged: (store) => store.purge('queued'),
    expired: async (store, id) => {
      await claim(store, 1, 1);
      await claim(store, 2, 0, settlement(`${id(0)}:1:1`, { kind: 'cancelled', reason: 'expired' }));
    },
    'cancelled while it runs, and its worker dies': async (store, id) => {
      await claim(store, 1, 1);
      await store.cancel(id(0));
      await client.zadd(store.keys.active, 1, `${id(0)}:1:1`);
      await claim(stage.store('b'), 1, 0);
    },
    'cancelled while it runs, and it wants a retry': async (store, id) => {
      await claim(store, 1, 1);
      await store.cancel(id(0));
      await claim(store, 2, 0, settlement(`${id(0)}:1:1`, { kind: 'retry', error: ERROR, delayMs: 5 }));
    },
    'the one in the middle is cancelled while it waits': (store, id) => store.cancel(id(1)),
    'the one in the middle is removed while it waits': (store, id) => store.remove(id(1)),
  }; // prettier-ignore
  let number = 0;
  for (const [what, end] of Object.entries(ways)) {
    const store = stage.store(`worker-${++number}`);
    const id = await enqueue(store, chain(step('a'), step('b'), group([step('c'), step('d')]), step('e'))); // prettier-ignore
    await end(store, id);
    const outcome = (await store.info(id(4))).row[5];
    t.match(JSON.parse(outcome!.slice(13)), { state: 'failed', error: { name: 'JobCancelledError' }, step: /\.[01]$/ }, what); // prettier-ignore
    const state = await core(stage);
    for (const name of ['waiting', 'joins', 'flowing']) t.equal(state[name], undefined, `${what}: ${name}`); // prettier-ignore
    await store.purge('queued');
    await store.purge('failed');
    await store.purge('cancelled');
    t.same(await core(stage), {}, `${what}: nothing is left`);
  }
});

scene('10,000 members: begun, gathered and failed in calls of bounded length', async (t, stage) => {
  const store = stage.store('a');
  const { client } = stage.redis;
  await client.config('SET', 'slowlog-log-slower-than', '500', 'slowlog-max-len', '2000');
  await client.slowlog('RESET');
  const members = Array.from({ length: 10_000 }, (_, i) => step('f', [i]));
  const id = await enqueue(store, chain(step('first'), group(members), step('sum')));
  await claim(store, 1, 1);
  let turn = 2;
  let held = ticketsOf(await claim(store, turn++, 1_000, done(`${id(0)}:1:1`, '"r"')));
  let ran = 0;
  while (held.length > 0 && held[0] !== `${id(10_001)}:1:1`) {
    ran += held.length;
    const settled = held.map((ticket) => done(ticket, String(Number(ticket.split(/[.:]/)[1]) - 1)));
    held = ticketsOf(await claim(store, turn++, 1_000, ...settled));
    for (let i = 0; i < 50 && held.length === 0; i++) held = ticketsOf(await claim(store, turn++, 1_000)); // prettier-ignore
  }
  t.equal(ran, 10_000);
  t.same(await argsOf(store, id(10_001)), [Array.from({ length: 10_000 }, (_, i) => i)], 'in order');
  await claim(store, turn++, 0, done(held[0]!));

  const failing = await enqueue(store, chain(step('first'), group(members), step('sum')));
  await claim(store, turn++, 1);
  await claim(store, turn++, 0, settlement(`${failing(0)}:1:1`, { kind: 'failed', error: ERROR }));
  let turns = 0;
  while (await client.exists(store.keys.flowing)) {
    await claim(store, turn++, 0);
    if (++turns > 200) throw new Error('it never ends');
  }
  t.equal((await store.flows.states([failing(10_001)]))[0]!.split(' ')[0], 'failed');
  const state = await core(stage);
  t.same([state['waiting'], state['joins'], state['queued']], [undefined, undefined, undefined]);
  const slow = (await client.call('SLOWLOG', 'GET', '2000')) as [number, number, number, string[]][];
  const scripts = slow.filter(([, , , args]) => /^evalsha/i.test(args[0]!)).map(([, , us]) => us).sort((x, y) => y - x); // prettier-ignore
  t.comment(`longer than 0.5 ms were ${scripts.length} of ${turn + 22} calls; the longest: ${scripts.slice(0, 5).join(', ')} us`);
  // As a share of all, for the machine may be busy: had any of them done all of its part, it would be a third.
  const all = scripts.reduce((sum, us) => sum + us, 0);
  t.ok((scripts[5] ?? 0) < all / 10, 'bounded');
}); // prettier-ignore

/** A minute has passed: for what has not begun. */
const comeDue = async ({ redis: { client } }: Stage, { keys: { building } }: Store) => {
  const parts = await client.zrange(building, '0', '-1');
  for (const part of parts.filter((each) => !each.endsWith(' gone')))
    await client.zadd(building, 1, part);
};

scene('a flow of which only a part came is removed after a minute', async (t, stage) => {
  const store = stage.store('a');
  const plan = planFlow(group(Array.from({ length: 2_500 }, () => step('f'))), store.queue, {});
  const part = [...plan.parts.values()][0]!;
  const killed = Object.assign([...part.steps], {
    slice(from: number, to?: number) {
      if (from >= 2_000) throw new Error('killed after two of three calls');
      return part.steps.slice(from, to);
    },
  });
  await t.rejects(store.flows.enqueue(plan, { ...part, steps: killed }), /killed/);
  t.equal((await store.counts())[7], 2_000);
  while (await store.prune());
  t.equal((await store.counts())[7], 2_000, 'not yet');
  await comeDue(stage, store);
  while (await store.prune());
  t.match(await core(stage), { building: { [`${plan.flow} gone`]: Number } });
  t.equal((await store.counts())[7], 0);
  const last = { ...part, steps: part.steps.slice(2_000) };
  await t.rejects(store.flows.enqueue(plan, last), { code: 'FLOW_GIVEN_UP' });
  t.equal((await store.counts())[7], 0, 'nothing comes after that');
});

scene('parts on other queues are given up where the flow never began, and only there', async (t, stage) => {
  const home = stage.store('a');
  const far = home.on(`${stage.name}-far`);
  const flow = () => chain(step('f'), group([step('g', [], { queue: far.queue }), step('g')]), step('h', [], { queue: far.queue })); // prettier-ignore
  /** As the courier of each queue does it. */
  const carry = async () => {
    for (const from of [far, home]) {
      for (let post = await from.flows.delivered([]); post.length > 0; post = await from.flows.delivered(post)) {
        for (const message of post) {
          const [, kind, queue, node, payload] = /^(\w+) ([^|]+)\|(\S+) (.*)$/s.exec(message)!;
          const answer = await home.on(queue!).flows.deliver(kind!, node!, payload!);
          if (kind === 'ask' && answer !== 'waiting') await from.flows.deliver(answer, node!, payload!);
        }
      }
    }
  };
  const waiting = async () => [(await home.counts())[7], (await far.counts())[7]];
  const pass = async () => {
    for (const store of [far, home]) {
      await comeDue(stage, store);
      while (await store.prune());
    }
    await carry();
    for (const store of [far, home]) while (await store.prune());
  };

  const dead = planFlow(flow(), home.queue, {});
  t.same([...dead.parts.keys()], [far.queue, home.queue]);
  await far.flows.enqueue(dead, dead.parts.get(far.queue)!);
  t.same(await waiting(), [0, 2]);
  await pass();
  t.same(await waiting(), [0, 0], 'nobody waits for a flow whose producer died');
  await t.rejects(home.flows.enqueue(dead, dead.parts.get(home.queue)!), { code: 'FLOW_GIVEN_UP' });

  const told = planFlow(flow(), home.queue, {});
  for (const [name, part] of told.parts) await home.on(name).flows.enqueue(told, part);
  await pass(); // what says that it has begun is still on its way
  t.same(await waiting(), [1, 2]);
  const [ticket] = ticketsOf(await claim(home, 1, 1));
  await claim(home, 2, 0, settlement(ticket!, { kind: 'completed', result: '1' }, { keptMs: 0 }));
  for (let minute = 0; minute < 3; minute++) await pass();
  t.same(await waiting(), [0, 1], 'it has begun, and goes on');
  const left = await stage.redis.client.zrange(far.keys.building, '0', '-1');
  t.same(left, [`${dead.flow} gone`], 'nobody asks again');
}); // prettier-ignore

scene(
  'a step that was cancelled while nobody heard of its claim fails what follows it',
  async (t, stage) => {
    const store = stage.store('a');
    const id = await enqueue(store, group([step('f')]));
    await claim(store, 1, 1);
    t.equal(await store.cancel(id(0)), 'cancelling');
    await store.turn(1, 15_000, 0, []); // sent again without a wish to claim: it gives back what it got
    t.same(await store.flows.states([id(0), id(1)]), ['cancelled', `failed ${id(0)}`]);
  },
);

scene('what is left to do survives, whoever does it', async (t, stage) => {
  const store = stage.store('a');
  const id = await enqueue(store, group(Array.from({ length: 700 }, (_, i) => step('f', [i]))));
  t.equal((await store.counts())[7], 501, '200 were begun by the call that enqueued them');
  for (const worker of ['b', 'c', 'd', 'e']) await claim(stage.store(worker), 1, 0);
  t.same((await store.counts()).slice(0, 2), [0, 700]);
  t.equal((await store.counts())[7], 1, 'the one that gathers');
  t.same(await store.flows.states([id(0)]), ['queued']);
  t.same(await store.purge('queued'), { taken: 700, jobs: 700 });
  for (const worker of ['f', 'g', 'h']) await claim(stage.store(worker), 1, 0);
  t.equal((await store.flows.states([id(700)]))[0]!.split(' ')[0], 'failed');
});

scene('what is revived is what failed for the same step, when its failure has come, and once', async (t, stage) => {
  const store = stage.store('a');
  const { client } = stage.redis;
  const fail = (ticket: string) => settlement(ticket, { kind: 'failed', error: ERROR });
  const id = await enqueue(store, chain(step('f', [0]), step('g'), step('h')));
  await claim(store, 1, 1);
  await claim(store, 2, 0, fail(`${id(0)}:1:1`));
  const before = await core(stage);
  const again = ['again', id(0), id(1)] as const;
  t.equal(await store.flows.revive([id(0)], [[...again], ['step', id(1), id(9)]]), undefined);
  t.same((await core(stage))['failed'], before['failed'], 'it failed because of another');
  t.equal(await store.flows.revive([id(0)], [['again', id(1), id(2)], ['step', 'nobody', id(0)]]), undefined);
  t.equal(await store.flows.revive([id(0)], [['again', id(5), id(2)]]), 'over', 'no such step has failed');
  // A courier has delivered this, and died before it took it out.
  await client.rpush(store.keys.outbox, `fail far|${id(1)} ${id(0)} {"name":"E","message":"m"}`);
  t.equal(await store.flows.revive([id(0)], [['step', id(1), id(0)]]), 'carried');
  t.same((await core(stage))['failed'], before['failed']);
  await client.del(store.keys.outbox);
  t.equal(await store.flows.revive([id(0)], [['step', id(1), id(0)]]), undefined);
  const after = await core(stage);
  t.equal(await store.flows.revive([id(0)], [['step', id(1), id(0)]]), undefined);
  t.same(Object.keys((await core(stage))['waiting'] as object), Object.keys(after['waiting'] as object), 'sent again');
  await client.del(store.keys.building);
  stage.allow(/./);

  // A large group, gathered in several calls, is told of a member once more.
  const many = await enqueue(store, chord(Array.from({ length: 5_000 }, () => step('f')), step('sum')));
  const group = `${many(0).slice(0, -2)}*0`;
  await client.hset(store.keys.joins, group, 4_999, ...Array.from({ length: 4_999 }, (_, i) => [`${group}/${i + 1}`, '1']).flat());
  await store.flows.deliver('go', `${group}/5000`, '1');
  t.equal(await client.exists(store.keys.flowing), 1, 'it is being gathered');
  await client.rename(store.keys.flowing, `${store.keys.flowing}:held`);
  await store.flows.deliver('go', `${group}/1`, '2');
  t.equal(await client.hexists(store.keys.joins, `${group}/1`), 0);
  await client.rename(`${store.keys.flowing}:held`, store.keys.flowing);
}); // prettier-ignore
