/** Garbage in arguments and stored values of every script. */
import { chain, chord, step, type Flow } from '../../src/flow/flow.ts';
import { planFlow } from '../../src/flow/plan.ts';
import type { Store } from '../../src/store/store.ts';
import { scene } from '../helpers/setup.ts';
import { claim, settlement } from '../helpers/turns.ts';
import { playGarbage } from './garbage.ts';

const DONE = { kind: 'completed', result: '1' } as const;

/** Enqueues the flow; ids of its steps are `<flow>.<n>`. */
async function lay(store: Store, flow: Flow): Promise<(n: number) => string> {
  const plan = planFlow(flow, store.queue, {});
  for (const part of plan.parts.values()) await store.flows.enqueue(plan, part);
  return (n) => `${plan.flow}.${n}`;
}

playGarbage(1_500);

scene('a step of which nobody knows how it begins ends failed', async (t, stage) => {
  const store = stage.store('a');
  const id = await lay(store, chain(step('f'), step('g'), step('h')));
  await stage.redis.client.hset(store.keys.flows, id(1), `${id(2)} ? 0`);
  const { claimed } = await claim(store, 1, 1);
  await claim(store, 2, 0, settlement(claimed[0]!.ticket, DONE));
  t.same(await store.flows.states([id(0), id(1), id(2)]), [
    'completed',
    'failed',
    `failed ${id(1)}`,
  ]);
});

scene('a group whose results can not be counted fails what follows it', async (t, stage) => {
  const store = stage.store('a');
  const id = await lay(store, chord([step('f'), step('f')], step('sum')));
  const { claimed } = await claim(store, 1, 2);
  await claim(store, 2, 0, settlement(claimed[0]!.ticket, DONE));
  const [group] = (await stage.redis.client.hkeys(store.keys.joins)).filter((field) => !field.includes('/'));
  await stage.redis.client.hset(store.keys.joins, group!, 'x');
  await claim(store, 3, 0, settlement(claimed[1]!.ticket, DONE));
  t.same(await store.flows.states([id(0), id(1), id(2)]), ['completed', 'completed', `failed ${id(0).replace('.0', '*0/2')}`]);
}); // prettier-ignore

scene('a bound of what is kept that is no whole number stops no pruning', async (t, stage) => {
  const store = stage.store('a');
  await store.enqueue(['a', 'b', 'c'].map((id) => ({ id, how: '', json: '{"fn":"f","args":[]}' })));
  const { claimed } = await claim(store, 1, 3);
  await claim(store, 2, 0, ...claimed.map(({ ticket }) => settlement(ticket, DONE)));
  for (const [bound, left] of [['x', 3], ['-1', 3], ['inf', 3], ['1.5', 1]] as const) {
    await stage.redis.client.hset(store.keys.keep, 'completed', bound);
    await store.prune();
    t.equal((await store.counts())[3], left, bound);
  }
}); // prettier-ignore

scene(
  'of cron entries of which one has no tick that is a number, none is written',
  async (t, stage) => {
    const store = stage.store('a');
    const entry = (name: string, tick: number) => ({ name, seen: '', definition: '{}', tick });
    await t.rejects(store.cron.writeEntries('app', [entry('a', 5), entry('b', NaN)]), /no amount/);
    t.same((await store.cron.entries()).entries, []);
  },
);
