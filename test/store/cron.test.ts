/** Cron, transition by transition: the whole state before and after; two beats, frozen beats, calls sent twice. */
import { syncEntries, writeEntry } from '../../src/cron/schedules.ts';
import { MAX_ENTRIES } from '../../src/store/scripts/cron.ts';
import type { Firing } from '../../src/store/cron.ts';
import type { Store } from '../../src/store/store.ts';
import { startPlainServer } from '../helpers/plain-server.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf, without } from '../helpers/state.ts';
import { claim, settlement, ticketsOf } from '../helpers/turns.ts';

const HOURLY = '{"fn":"f","args":[],"when":{"every":3600000},"options":{},"catchUp":"last","overlap":true}'; // prettier-ignore
const JSON_OF_TICK = '{"fn":"f","args":[],"tick":1}';

/** An entry whose tick was due this long ago. */
async function dueEntry(store: Store, name: string, agoMs = 10): Promise<Firing> {
  const { now } = await store.cron.entries([]);
  const tick = now - agoMs;
  await store.cron.writeEntries('', [{ name, seen: '', definition: HOURLY, tick }]);
  return {
    name,
    tick,
    definition: HOURLY,
    next: tick + 3_600_000,
    overlap: true,
    letter: 'n',
    latest: tick,
    most: undefined,
    jobs: [{ tick, json: JSON_OF_TICK }],
  };
}

const core = async ({ redis, name }: Stage) =>
  without(await stateOf(redis.client, name), 'beat', 'wake', 'cron:apps', 'claim:');

for (const [server, redis] of [
  ['Redis', undefined],
  ['a server without script flags', startPlainServer],
] as const) {
  scene(`${server}: a tick is fired once: the job is there and the entry moved on, together`, async (t, stage) => {
    const [a, b] = [stage.store('a'), stage.store('b')];
    const firing = await dueEntry(a, 'nightly');
    const looked = await a.cron.beat('');
    t.match(looked, { mine: true, known: false, next: undefined, due: [{ name: 'nightly', tick: firing.tick, definition: HOURLY }] }); // prettier-ignore
    const fired = await a.cron.beat('', [firing]);
    t.match(fired, { due: [], done: [{ name: 'nightly', fired: 1, skipped: 0 }] });
    t.equal(fired.next, firing.next);
    const id = `cron:nightly:${firing.tick}`;
    const after = await core(stage);
    t.match(after, {
      queued: [`${id}:2:1`],
      cron: { nightly: firing.next },
      'cron:entries': { nightly: HOURLY },
      'cron:last': { nightly: `${firing.tick} fired ${firing.tick} times 1` },
      stats: { enqueued: '1' },
    });
    t.match((after['jobs'] as Record<string, string>)[id], /^\d{13}\{"fn":"f","args":\[\],"tick":1\}$/);

    // The same call again, for its reply was lost; another beat, which saw the same; the first, frozen for long.
    for (const store of [a, b, a]) {
      t.same((await store.cron.beat('', [firing])).done, [], 'nothing was done');
      t.same(await core(stage), after);
    }
  }, redis ? { redis } : {}); // prettier-ignore
}

scene('an entry that was changed or removed meanwhile is not fired', async (t, stage) => {
  const store = stage.store('a');
  const firing = await dueEntry(store, 'nightly');
  const other = HOURLY.replace('"f"', '"g"');
  await store.cron.writeEntries('', [{ name: 'nightly', seen: HOURLY, definition: other }]);
  const changed = await core(stage);
  t.same((await store.cron.beat('', [firing])).done, []);
  t.same(await core(stage), changed, 'by the old definition: nothing');
  t.equal((await store.cron.beat('', [{ ...firing, definition: other }])).done.length, 1);

  const next = { ...firing, tick: firing.next!, definition: other };
  t.equal(await store.cron.writeEntries('', [{ name: 'nightly', seen: other, definition: '' }]), 'written'); // prettier-ignore
  t.same((await store.cron.beat('', [next])).done, [], 'removed');
  const left = await core(stage);
  t.same([left['cron'], left['cron:entries'], left['cron:last']], [undefined, undefined, undefined]); // prettier-ignore
});

scene('a tick is not fired again when an id of its kind is there already', async (t, stage) => {
  const store = stage.store('a');
  const firing = await dueEntry(store, 'nightly');
  await store.cron.beat('', [firing]);
  const turn = await claim(store, 1, 1);
  await claim(store, 2, 0, settlement(ticketsOf(turn)[0]!, { kind: 'completed', result: '1' }));
  // As if the clock of Redis had been set back, and the entry written anew: it has that tick before it again.
  // The same job, and another, for the entry has been changed since.
  for (const json of [JSON_OF_TICK, JSON_OF_TICK.replace('"f"', '"g"')]) {
    await store.cron.writeEntries('', [{ name: 'nightly', seen: HOURLY, definition: HOURLY, tick: firing.tick }]); // prettier-ignore
    const again = { ...firing, jobs: [{ tick: firing.tick, json }] };
    t.equal((await store.cron.beat('', [again])).done.length, 1, 'the entry moves on');
    t.match(await core(stage), { queued: undefined, cron: { nightly: firing.next } });
    t.match((await core(stage))['stats'], { enqueued: '1', completed: '1' });
  }
});

scene('planned anew, for the clock was set back, a time that comes again is a tick of its own', async (t, stage) => {
  const store = stage.store('a');
  const firing = await dueEntry(store, 'nightly');
  await store.cron.beat('', [firing]);
  const { tick, next } = firing;
  const anew = { ...firing, tick: next!, next: tick, latest: undefined, jobs: [] };
  for (const beat of [anew, anew, firing, firing]) await store.cron.beat('', [beat]); // each sent twice
  t.match(await core(stage), {
    queued: [`cron:nightly:${tick}:2:1`, `cron:nightly:${tick}:2:2:1`].map((id) => new RegExp(`^${id.replace(/:2:1$/, '')}`)),
    cron: { nightly: next },
    'cron:last': { nightly: `${tick} fired ${tick}:2 times 2 again ${tick} 2` },
  });
  const { entries } = await store.cron.entries(['nightly']);
  t.match(entries, [{ state: 'queued' }], 'the job of the last one');
  const later = { ...firing, tick: next!, next: next! + 1, latest: next!, jobs: [{ tick: next!, json: JSON_OF_TICK }] };
  await store.cron.beat('', [later]);
  t.match((await core(stage))['queued'], [String, String, new RegExp(`^cron:nightly:${next}:\\d+:1$`)]);
}); // prettier-ignore

scene(
  'overlap: a tick is skipped while the run of the one before is unfinished',
  async (t, stage) => {
    const store = stage.store('a');
    const firing = { ...(await dueEntry(store, 'slow', 5_000)), overlap: false };
    const at = (tick: number, ...ticks: number[]): Firing => ({
      ...firing,
      tick,
      latest: ticks.at(-1)!,
      most: undefined,
      next: ticks.at(-1)! + 1,
      jobs: ticks.map((each) => ({ tick: each, json: JSON_OF_TICK })),
    });
    const first = firing.tick;
    const done = async (firing: Firing) => (await store.cron.beat('', [firing])).done[0];
    t.match(await done(at(first, first)), { fired: 1, skipped: 0 });
    t.match(await done(at(first + 1, first + 1)), { fired: 0, skipped: 1 }, 'queued');
    const turn = await claim(store, 1, 1);
    t.match(await done(at(first + 2, first + 2)), { fired: 0, skipped: 1 }, 'active');
    await claim(store, 2, 0, settlement(ticketsOf(turn)[0]!, { kind: 'retry', error: { name: 'E', message: '' }, delayMs: 9_000 })); // prettier-ignore
    t.match(await done(at(first + 3, first + 3)), { fired: 0, skipped: 1 }, 'waits for its retry');
    t.equal(await stage.redis.client.hget(store.keys.lastTicks, 'slow'), `${first + 3} skipped ${first} times 1`); // prettier-ignore
    await store.cancel(`cron:slow:${first}`);
    t.match(
      await done(at(first + 4, first + 4, first + 5)),
      { fired: 1, skipped: 1 },
      'one of two',
    );
    t.equal(await stage.redis.client.hget(store.keys.lastTicks, 'slow'), `${first + 5} skipped ${first + 4} times 2`); // prettier-ignore
    await store.remove(`cron:slow:${first + 4}`);
    t.match(await done(at(first + 6, first + 6)), { fired: 1, skipped: 0 }, 'removed: it is over');
  },
);

scene("the beat is one worker's, until a tick is overdue by a second", async (t, stage) => {
  const [a, b] = [stage.store('a'), stage.store('b')];
  const { redis } = stage;
  t.match(await a.cron.beat(''), { mine: true, next: undefined, due: [] });
  t.equal(await redis.client.get(a.keys.beat), null, 'without entries there is nothing to hold');
  const firing = await dueEntry(a, 'nightly', 100);
  t.match(await a.cron.beat(''), { mine: true, due: [{ name: 'nightly' }] });
  t.equal(await redis.client.get(a.keys.beat), 'a');
  const ttl = await redis.client.pttl(a.keys.beat);
  t.ok(ttl > 5_000 && ttl <= 15_000, `for 15 s: ${ttl}`);
  t.match(
    await b.cron.beat(''),
    { mine: false, due: [], next: firing.tick },
    'b is told when, not what',
  );

  await redis.client.zadd(a.keys.cron, firing.tick - 1_000, 'nightly');
  t.match(await b.cron.beat(''), {
    mine: true,
    due: [{ name: 'nightly', tick: firing.tick - 1_000 }],
  });
  t.equal(await redis.client.get(a.keys.beat), 'b', 'it has taken over');
  await b.cron.beat('', [{ ...firing, tick: firing.tick - 1_000 }]);
  t.match(await a.cron.beat(''), { mine: false }, 'the one that comes back has lost it');

  await a.cron.releaseBeat();
  t.equal(await redis.client.get(a.keys.beat), 'b', "another's is not released");
  await b.cron.releaseBeat();
  t.equal(await redis.client.exists(a.keys.beat), 0);
  t.match(await a.cron.beat(''), { mine: true });
  await redis.client.pexpire(a.keys.beat, 100);
  await a.heartbeat('{}', 15_000, []);
  t.ok((await redis.client.pttl(a.keys.beat)) > 14_000, 'the heartbeat keeps it');
  await redis.client.pexpire(a.keys.beat, 5_000);
  await b.heartbeat('{}', 15_000, []);
  t.ok((await redis.client.pttl(a.keys.beat)) <= 5_000, "but not another's");
});

scene('a reply has at most 50 due entries; those left come with the next', async (t, stage) => {
  const store = stage.store('a');
  const firings: Firing[] = [];
  for (let i = 0; i < 60; i++) firings.push(await dueEntry(store, `entry-${i}`, 100 + i));
  const first = await store.cron.beat('');
  t.equal(first.due.length, 50);
  const seen = new Set(first.due.map(({ name }) => name));
  const second = await store.cron.beat(
    '',
    firings.filter(({ name }) => seen.has(name)),
  );
  t.same([second.done.length, second.due.length], [50, 10]);
  await store.cron.beat(
    '',
    firings.filter(({ name }) => !seen.has(name)),
  );
  t.match(await store.cron.beat(''), { due: [] });
  t.equal(((await core(stage))['queued'] as string[]).length, 60);
});

scene('entries are written together, or not at all', async (t, stage) => {
  const store = stage.store();
  const add = (name: string, seen = '') => ({ name, seen, definition: HOURLY, tick: 9e12 });
  t.equal(await store.cron.writeEntries('app', [add('a'), add('b')]), 'written');
  const before = await core(stage);
  t.equal(
    await store.cron.writeEntries('app', [add('c'), add('a')]),
    'changed',
    'a is there by now',
  );
  t.equal(await store.cron.writeEntries('app', [add('c'), add('b', 'other')]), 'changed');
  t.same(await core(stage), before);
  t.equal(await store.cron.writeEntries('app', [{ name: 'a', seen: HOURLY, definition: `${HOURLY} ` }]), 'written'); // prettier-ignore
  t.match((await core(stage))['cron'], { a: 9e12 }, 'without a tick it keeps its own');

  const many = Array.from({ length: MAX_ENTRIES - 2 }, (_, i) => add(`many-${i}`));
  for (let i = 0; i < many.length; i += 1_000) await store.cron.writeEntries('', many.slice(i, i + 1_000)); // prettier-ignore
  t.equal(await store.cron.writeEntries('', [add('one-too-many')]), 'full');
  t.equal(
    await store.cron.writeEntries('', [add('b', HOURLY)]),
    'written',
    'a change is none more',
  );
  await t.rejects(writeEntry(store, 'one-too-many', HOURLY), { code: 'TOO_MANY_SCHEDULES' });
  t.equal((await store.cron.entries()).entries.length, MAX_ENTRIES, 'all can be read');
});

scene(
  'several apps and people write at the same moment: nobody loses an entry',
  async (t, stage) => {
    const store = stage.store();
    const of = (app: string, ...names: string[]) =>
      syncEntries(
        store,
        app,
        new Map(names.map((name) => [name, HOURLY.replace(/}$/, `,"app":"${app}"}`)])),
        (message) => t.fail(message),
      );
    await Promise.all([
      of('shop', 'shop-1', 'shop-2'),
      of('mail', 'mail-1', 'mail-2'),
      ...[1, 2, 3, 4].map((i) => writeEntry(store, `mine-${i}`, HOURLY)),
    ]);
    const names = async () => (await store.cron.entries()).entries.map(({ name }) => name);
    t.same(await names(), ['mail-1', 'mail-2', 'mine-1', 'mine-2', 'mine-3', 'mine-4', 'shop-1', 'shop-2']); // prettier-ignore
    await Promise.all([of('shop', 'shop-2'), of('mail', 'mail-1', 'mail-3')]);
    t.same(await names(), ['mail-1', 'mail-3', 'mine-1', 'mine-2', 'mine-3', 'mine-4', 'shop-2']);
  },
);
