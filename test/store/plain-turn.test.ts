/**
 * The plain turn beside the whole one: whatever the queue holds, a worker that tries the plain one first gets the same
 * answers, and leaves the same behind, as one that always takes the whole.
 */
import type { Test } from 'tap';
import { MAX_KEPT } from '../../src/store/scripts/fragments.ts';
import type { Settlement } from '../../src/store/settlement.ts';
import type { Store } from '../../src/store/store.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf } from '../helpers/state.ts';
import { claim, ERROR, jobs, LEASE_MS, settlement } from '../helpers/turns.ts';

const done = (id: string, keptMs = 60_000) =>
  settlement(`${id}:1:1`, { kind: 'completed', result: '5' }, { keptMs });

/** A turn of worker-a: its number, how many jobs it wants, what it settles. */
type Take = (turn: number, want: number, ...settled: Settlement[]) => Promise<void>;

interface Case {
  readonly what: string;
  /** How many of its turns were plain enough. */
  readonly plain: number;
  run(take: Take, store: Store, stage: Stage): Promise<void>;
}

const CASES: readonly Case[] = [
  {
    what: 'claims, settlements, both, neither',
    plain: 5,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b', 'c', 'd', 'e'));
      await take(1, 1);
      await take(2, 2, done('a'));
      await take(3, 0, done('b'), done('c', 9_000));
      await take(4, 9);
      await take(5, 0);
    },
  },
  {
    what: 'runs that are not the first of their job',
    plain: 3,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b'));
      await take(1, 1);
      await claim(store, 1, 0, settlement('a:1:1', { kind: 'released' })); // as another worker
      await take(2, 1);
      await take(3, 2, settlement('a:2:1', { kind: 'completed', result: '1' }));
    },
  },
  {
    what: 'a turn sent again, and one that is older than the last',
    plain: 2,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b', 'c', 'd'));
      await take(1, 2);
      await take(2, 1, done('a'));
      await take(2, 1, done('a'), done('b'));
      await take(1, 2);
    },
  },
  {
    what: 'settlements that come too late: one alone, and one among others',
    plain: 1,
    async run(take, store, { redis: { client } }) {
      await store.enqueue(jobs('', 'a', 'b', 'c'));
      await take(1, 3);
      await client.zadd(store.keys.active, 1, 'a:1:1');
      await claim(store, 1, 1); // as another worker
      await take(2, 0, done('a'));
      await take(3, 0, done('b'), done('a'), done('c'));
    },
  },
  {
    what: 'settlements of what has been settled: one alone, and one among others',
    plain: 2,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b', 'c'));
      await take(1, 3);
      await take(2, 0, done('a'));
      await take(3, 0, done('a'));
      await take(4, 0, done('b'), done('a'), done('c'));
    },
  },
  {
    what: 'work that remains while the token was taken',
    plain: 1,
    async run(take, store, { redis: { client } }) {
      await store.enqueue(jobs('', 'a', 'b'));
      await client.del(store.keys.wake);
      await take(1, 1);
    },
  },
  {
    what: 'a lease that is over',
    plain: 0,
    async run(take, store, { redis: { client } }) {
      await store.enqueue(jobs('', 'a', 'b'));
      await claim(store, 1, 1); // as another worker
      await client.zadd(store.keys.active, 1, 'a:1:1');
      await take(1, 2);
    },
  },
  {
    what: 'one who waits for a result',
    plain: 2,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b'));
      await store.watch(['a', 'b'], 'somebody');
      await take(1, 1);
      await take(2, 1, done('a'));
    },
  },
  {
    what: 'too many outcomes',
    plain: 2,
    async run(take, store, { redis: { client } }) {
      const kept = Array.from({ length: MAX_KEPT - 1 }, (_, i) => `k${i}`);
      await client.zadd(store.keys.completed, ...kept.flatMap((id) => [9e12, id]));
      await client.hset(store.keys.jobs, Object.fromEntries(kept.map((id) => [id, '1'])));
      await client.hset(store.keys.outcomes, Object.fromEntries(kept.map((id) => [id, '1'])));
      await store.enqueue(jobs('', 'a', 'b'));
      await take(1, 2);
      await take(2, 0, done('a'));
      await take(3, 0, done('b'));
    },
  },
  {
    what: 'lanes',
    plain: 0,
    async run(take, store) {
      await store.enqueue([...jobs('', 'a'), ...jobs('l - 0', 'b'), ...jobs('h - 0', 'c')]);
      await take(1, 2);
      await take(2, 2);
    },
  },
  {
    what: 'a low job alone',
    plain: 0,
    async run(take, store) {
      await store.enqueue(jobs('l - 0', 'b'));
      await take(1, 2);
    },
  },
  {
    what: 'a job that is due',
    plain: 0,
    async run(take, store, { redis: { client } }) {
      await store.enqueue(jobs('n - +60000', 'a'));
      await client.zadd(store.keys.scheduled, 1, 'a:1:1');
      await take(1, 2);
    },
  },
  {
    what: 'a pause',
    plain: 0,
    async run(take, store) {
      await store.enqueue(jobs('', 'a'));
      await store.pause();
      await take(1, 2);
    },
  },
  {
    what: 'a job cancelled while it waits, and one while it runs',
    plain: 1,
    async run(take, store) {
      await store.enqueue(jobs('', 'a', 'b', 'c'));
      await take(1, 1);
      await store.cancel('b');
      await take(2, 1);
      await store.cancel('a');
      await take(3, 0, done('a'));
    },
  },
  {
    what: 'a last error',
    plain: 0,
    async run(take, store) {
      await store.enqueue(jobs('', 'a'));
      await claim(store, 1, 1); // as another worker
      await claim(store, 2, 0, settlement('a:1:1', { kind: 'retry', error: ERROR, delayMs: 0 }));
      await take(1, 1);
    },
  },
];

/** The same, whenever it was: times of Redis are left out. */
const timeless = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'string' ? part.replace(/\b\d{13}/g, 'time') : part,
    ).replace(/\b1\d{12}(\.5)?\b/g, '"time$1"'),
  );

/** What the turns answered and left behind, and how many Redis commands each took. */
async function played(one: Case, stage: Stage, whole: boolean) {
  const { client } = stage.redis;
  await client.flushall();
  const store = stage.store('worker-a');
  // A mark on no ticket: plain turns leave whatever there is of it to the whole one, which finds nothing to do.
  if (whole) await client.sadd(store.keys.cancelling, 'nobody');
  const answers: unknown[] = [];
  const commands: number[] = [];
  const take: Take = async (turn, want, ...settled) => {
    await client.config('RESETSTAT');
    const answer = await store.turn(turn, LEASE_MS, want, settled);
    const calls = [
      ...(await client.info('commandstats')).matchAll(/cmdstat_(\w+).*?:calls=(\d+)/g),
    ];
    const inScript = calls.filter(([, name]) => !/eval|config|info/.test(name!));
    commands.push(inScript.reduce((sum, [, , count]) => sum + Number(count), 0));
    answers.push({ ...answer, nextIn: answer.nextIn > 0 ? 'later' : answer.nextIn });
  };
  await one.run(take, stage.store('worker-b'), stage);
  if (whole) await client.srem(store.keys.cancelling, 'nobody');
  return {
    answers: timeless(answers),
    state: timeless(await stateOf(client, stage.name)),
    commands,
  };
}

for (const each of CASES) {
  scene(`plain turn or whole: ${each.what}`, async (t: Test, stage) => {
    stage.allow(/./); // what is put there by hand has no tickets
    const whole = await played(each, stage, true);
    const either = await played(each, stage, false);
    t.same(either.answers, whole.answers, 'the same answers');
    t.same(either.state, whole.state, 'the same state');
    const cheaper = either.commands.filter((count, i) => count + 3 < whole.commands[i]!).length;
    t.equal(
      cheaper,
      each.plain,
      `plain turns: ${either.commands.join()} of ${whole.commands.join()}`,
    );
  });
}

scene('a plain turn that settles one job and claims one takes 15 commands', async (t, stage) => {
  const { commands } = await played(
    {
      what: '',
      plain: 2,
      async run(take, store) {
        await store.enqueue(jobs('', 'a', 'b', 'c'));
        await take(1, 1);
        await take(2, 1, done('a'));
      },
    },
    stage,
    false,
  );
  stage.allow(/./);
  t.same(commands, [9, 15]);
});
