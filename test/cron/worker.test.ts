/** Workers that fire: on time whatever else goes on, what they make up for, who does it, and what it costs. */
import t from 'tap';
import { currentJob, job } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';
import { idlesWithin } from './idle.ts';

t.setTimeout(120_000);
t.jobs = 8; // they wait for seconds to pass

const HOUR = 3_600_000;
const BESIDE = { beside: true };

/** As if nobody had been there: the next tick of the entry lies this long ago, on its grid. */
async function missed(stage: Stage, name: string, everyMs: number, ticks: number) {
  const { redis } = stage;
  const [seconds] = await redis.client.time();
  const last = Math.floor((Number(seconds) * 1_000) / everyMs) * everyMs;
  const first = last - (ticks - 1) * everyMs;
  await redis.client.zadd(stage.store().keys.cron, first, name);
  return Array.from({ length: ticks }, (_, i) => first + i * everyMs);
}

scene('a function with times runs by itself, and knows its tick', async (t, stage) => {
  const queue = stage.queue();
  const seen: { tick: Date | undefined; id: string; attempt: number }[] = [];
  const poll = job({ every: '1s', retries: 2, backoff: 10 }, async () => {
    const { tick, id, attempt } = currentJob();
    seen.push({ tick, id, attempt });
    if (attempt === 1 && seen.length === 1) throw new Error('once more');
  });
  stage.worker({ poll, plain: () => currentJob().tick });
  await until(() => seen.length >= 4);
  const first = seen.filter(({ id }) => id === seen[0]!.id);
  t.same(first.map(({ attempt }) => attempt), [1, 2], 'retried like any other');
  for (const { tick, id } of seen) t.equal(id, `cron:poll:${tick!.getTime()}`);
  const ticks = [...new Set(seen.map(({ tick }) => tick!.getTime()))];
  t.same(
    ticks,
    Array.from(ticks, (_, i) => ticks[0]! + i * 1_000),
    'every second',
  );
  t.equal(await (await queue.enqueue('plain')).result(), undefined, 'other jobs have none');
  await until(async () => (await queue.schedules())[0]!.lastState === 'completed');
  const [entry] = await queue.schedules();
  t.match(entry, { name: 'poll', fn: 'poll', every: 1_000, last: 'fired', app: /^minq:test/ });
  t.equal(entry!.lastJob, `cron:poll:${entry!.lastAt}`);
  t.ok(entry!.nextAt! > entry!.lastAt!);
}, BESIDE); // prettier-ignore

scene('a tick whose id another job has is not said to have fired', async (t, stage) => {
  const queue = stage.queue();
  const errors: string[] = [];
  await queue.schedule('soon', { every: '1h', fn: 'note' });
  const [tick] = await missed(stage, 'soon', HOUR, 1);
  await stage.store().enqueue([{ id: `cron:soon:${tick}`, how: 'n kept 0', json: '{"fn":"other","args":[]}' }]);
  let runs = 0;
  const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => void errors.push(message) };
  stage.worker({ note: () => runs++, other() {} }, { logger });
  await until(async () => (await queue.schedules())[0]?.last !== undefined);
  t.match((await queue.schedules())[0], { last: 'taken', lastAt: tick });
  t.match(errors, [/^cron: the id of a tick is taken by another job/]);
  t.match((await queue.findings()).filter(({ check }) => check === 'dropped-taken'), [
    { warning: true, message: /1 cron or onFailure job .*other jobs had their ids/ },
  ]);
  t.equal(runs, 0);
}, BESIDE); // prettier-ignore

scene('an entry made while workers sleep is fired at its first tick', async (t, stage) => {
  const queue = stage.queue();
  const args: unknown[] = [];
  stage.worker({ note: (...given: unknown[]) => void args.push(given) });
  stage.worker({ note: (...given: unknown[]) => void args.push(given) });
  await until(async () => (await queue.workers()).length === 2);
  await queue.schedule('soon', { every: '1s', fn: 'note', args: ['a', { b: 1 }] });
  await until(() => args.length >= 2);
  t.same(args.slice(0, 2), [['a', { b: 1 }], ['a', { b: 1 }]]); // prettier-ignore
  t.equal(await queue.unschedule('soon'), true);
  const { completed } = await queue.counts();
  await new Promise((resolve) => setTimeout(resolve, 2_200)); // two ticks that must not come
  t.ok((await queue.counts()).completed - completed <= 1, 'at most one was under way');
}, BESIDE); // prettier-ignore

scene('an entry made while the control connection was cut is fired soon all the same', async (t, stage) => {
  const queue = stage.queue();
  let fired = 0;
  stage.worker({ note: () => void fired++ });
  const { client } = stage.redis;
  const control = async () =>
    String(await client.client('LIST')).split('\n').find((line) => / name=minq:control .* sub=1 /.test(line));
  await until(control);
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // its first looks are over
  await client.client('KILL', 'ID', /^id=(\d+)/.exec((await control())!)![1]!);
  await queue.schedule('soon', { every: '1s', fn: 'note' });
  await until(() => fired > 0, { timeoutMs: 10_000 });
  t.equal(await queue.unschedule('soon'), true);
}, BESIDE); // prettier-ignore

for (const [catchUp, expected] of [
  ['last', (ticks: number[]) => ticks.slice(-1)],
  ['none', () => []],
  ['all', (ticks: number[]) => ticks.slice(-100)],
] as const) {
  for (const count of [1, 5, 130]) {
    scene(`after downtime with ${count} ticks missed, catchUp '${catchUp}'`, async (t, stage) => {
      const queue = stage.queue();
      await queue.schedule('poll', { every: '1h', fn: 'poll', catchUp });
      const ticks = await missed(stage, 'poll', HOUR, count);
      const ran: number[] = [];
      stage.worker({ poll: () => void ran.push(currentJob().tick!.getTime()) });
      await until(async () => (await queue.schedules())[0]!.lastAt === ticks.at(-1));
      await until(async () => (await queue.counts()).completed === expected(ticks).length);
      t.same(ran.sort((a, b) => a - b), expected(ticks)); // prettier-ignore
      const [entry] = await queue.schedules();
      t.equal(entry!.nextAt, ticks.at(-1)! + HOUR);
      t.equal(entry!.last, catchUp === 'none' ? 'missed' : 'fired');
      const left = count - ran.length;
      const said = stage.log.filter((line) => line.includes('ticks were missed'));
      t.equal(said.length, left > 0 ? 1 : 0, 'what is left out is said');
    }, BESIDE); // prettier-ignore
  }
}

scene('after a month of downtime an entry of every second is no burden', async (t, stage) => {
  const queue = stage.queue();
  await queue.schedule('often', { cron: '* * * * * *', fn: 'poll', catchUp: 'all' });
  await missed(stage, 'often', 1_000, 30 * 86_400);
  stage.worker({ poll: () => undefined });
  await until(async () => (await queue.counts()).completed >= 100);
  t.ok((await queue.counts()).completed <= 120);
}, BESIDE); // prettier-ignore

scene('ticks that a worker was there for are all run, whatever catchUp says', async (t, stage) => {
  const queue = stage.queue();
  const ticks: number[] = [];
  const every = job({ every: '1s', catchUp: 'none' }, () => void ticks.push(currentJob().tick!.getTime())); // prettier-ignore
  stage.worker({
    every,
    block: () => {
      const end = performance.now() + 3_500;
      while (performance.now() < end); // the whole event loop of the only beat
    },
  });
  await until(() => ticks.length >= 1);
  await (await queue.enqueue('block')).result({ timeout: '20s' });
  const before = ticks.length;
  await until(() => ticks.length >= before + 2);
  t.same(
    ticks,
    Array.from(ticks, (_, i) => ticks[0]! + i * 1_000),
  );
});

scene('overlap: false skips a tick while the run before is unfinished, and says so', async (t, stage) => {
  const queue = stage.queue();
  const held = gate();
  const ticks: number[] = [];
  const slow = job({ every: '1s', overlap: false }, async () => {
    ticks.push(currentJob().tick!.getTime());
    await held.pass();
  });
  stage.worker({ slow });
  const skips = () => stage.log.filter((line) => line.includes('skipped')).length;
  await until(() => skips() >= 2);
  t.equal(ticks.length, 1);
  t.match((await queue.schedules())[0], { last: 'skipped', lastState: 'active', lastJob: `cron:slow:${ticks[0]}` }); // prettier-ignore
  const skipped = skips();
  held.open();
  await until(() => ticks.length >= 2);
  t.ok(ticks[1]! >= ticks[0]! + (skipped + 1) * 1_000, 'goes on when it has ended');
  t.match(stage.log.find((line) => line.includes('skipped')), /^info cron: skipped.*"name":"slow"/);
}, BESIDE); // prettier-ignore

scene('it fires on time behind a backlog of 100,000 jobs, and while a job hogs the only slot', async (t, stage) => {
  const queue = stage.queue();
  const held = gate();
  stage.worker({ hog: held.pass, poll: job({ every: '1s' }, () => undefined), nothing: () => undefined }, { concurrency: 1 }); // prettier-ignore
  const hog = await queue.enqueue('hog');
  await until(() => held.running === 1);
  const items = Array.from({ length: 1_000 }, () => ({ fn: 'nothing' as const }));
  for (let i = 0; i < 100; i++) await queue.enqueueMany(items);
  t.ok((await queue.counts()).queued >= 100_000);
  const fired = async () => {
    const { queued } = await queue.counts();
    const last = await queue.jobs('queued', { offset: Math.max(0, queued - 10), limit: 10 });
    return last.filter(({ fn }) => fn === 'poll');
  };
  await until(async () => (await fired()).length >= 3);
  for (const info of await fired()) {
    t.ok(info.enqueuedAt! - info.tick! < 2_000, `late by ${info.enqueuedAt! - info.tick!} ms`);
  }
  t.equal(await hog.state(), 'active');
  await queue.purge('queued');
  held.open();
}); // prettier-ignore

scene('a paused queue: it enqueues, and they run after resume', async (t, stage) => {
  const queue = stage.queue();
  await queue.pause();
  let runs = 0;
  stage.worker({ poll: job({ every: '1s' }, () => void runs++) });
  await until(async () => (await queue.counts()).queued >= 2);
  t.equal(runs, 0);
  await queue.resume();
  await until(() => runs >= 2);
}, BESIDE); // prettier-ignore

scene('the beat is handed on at shutdown, at once', async (t, stage) => {
  const queue = stage.queue();
  const ticks: number[] = [];
  const poll = () => job({ every: '1s' }, () => void ticks.push(currentJob().tick!.getTime()));
  const workers = [1, 2, 3].map(() => stage.worker({ poll: poll() }));
  await until(async () => (await queue.workers()).filter(({ beat }) => beat).length === 1);
  for (let i = 0; i < 2; i++) {
    await until(() => ticks.length >= 2 * (i + 1));
    const first = (await queue.workers()).find(({ beat }) => beat)!.id;
    await workers.find(({ id }) => id === first)!.stop();
    // Nobody has to wait for the lock to run out.
    await until(async () => {
      const next = (await queue.workers()).find(({ beat }) => beat);
      return next && next.id !== first;
    }, { timeoutMs: 5_000 }); // prettier-ignore
  }
  const before = ticks.length;
  await until(() => ticks.length >= before + 2);
  t.same(
    ticks,
    Array.from(ticks, (_, i) => ticks[0]! + i * 1_000),
    'no tick twice, none missing',
  );
  for (const info of await queue.jobs('completed')) t.ok(info.enqueuedAt! - info.tick! < 3_000);
}, BESIDE); // prettier-ignore

scene('the beat is free at once when its worker stops, though no tick is near', async (t, stage) => {
  const queue = stage.queue();
  const workers = [1, 2].map(() => stage.worker({ yearly: job({ cron: '@yearly' }, () => 1) }));
  const holder = async () => (await queue.workers()).find(({ beat }) => beat)?.id;
  await until(async () => (await queue.workers()).length === 2 && (await holder()) !== undefined);
  const first = await holder();
  await workers.find(({ id }) => id === first)!.stop();
  await until(async () => (await holder()) !== undefined, { timeoutMs: 5_000 });
  t.not(await holder(), first);
}, BESIDE); // prettier-ignore

scene('an entry that nobody can read does no harm', async (t, stage) => {
  const queue = stage.queue();
  const { cron, entries } = stage.store().keys;
  const { client } = stage.redis;
  await queue.schedule('good', { every: '1s', fn: 'poll' });
  for (const [i, garbage] of ['', 'no json', '{}', 'null', '{"when":{"every":0},"fn":"f","args":[]}', '{"when":{"cron":"x"},"fn":"f","args":[]}', '{"when":{"every":1000},"fn":"to\\"x","args":[]}'].entries()) {
    await client.hset(entries, `bad-${i}`, garbage);
    await client.zadd(cron, 1, `bad-${i}`);
  }
  await client.zadd(cron, 1, 'without');
  let runs = 0;
  const sent = await commandsDuring(stage.redis, async () => {
    stage.worker({ poll: () => void runs++ });
    await until(() => runs >= 3);
  });
  t.ok(sent.length < 100, `${sent.length} commands: no tight loop`);
  t.equal(stage.log.filter((line) => /^error cron: can't fire: .*unreadable/.test(line)).length, 7);
  t.equal(await client.zscore(cron, 'without'), null, 'without a definition it is no entry');
  t.match(await queue.schedules(), [{ name: 'good' }], 'what can be read is shown');
  t.equal(await queue.unschedule('bad-1'), true);
  await queue.schedule('bad-2', { every: '1h', fn: 'poll' });
  t.equal((await queue.schedules()).length, 2, 'and it can be replaced');
}, BESIDE); // prettier-ignore

scene('cron: false, burst: such a worker defines no entries', async (t, stage) => {
  const queue = stage.queue();
  const poll = () => job({ every: '1s' }, () => undefined);
  let burst = stage.worker({ poll: poll() }, { burst: true });
  stage.worker({ poll: poll() }, { cron: false });
  await until(async () => (await queue.workers()).length === 1);
  t.same(await queue.schedules(), []);
  await burst.stop();
  const one = stage.worker({ poll: poll() });
  await until(async () => (await queue.schedules()).length === 1);
  await one.stop();
  burst = stage.worker({ other: () => 1 }, { burst: true });
  await burst.stop();
  t.equal((await queue.schedules()).length, 1, 'nor removes any');
  // But it fires what others defined.
  const { completed } = await queue.counts();
  await until(async () => (await queue.counts()).completed > completed + 1);
}, BESIDE); // prettier-ignore

idlesWithin({ seconds: 6, most: 4 }, BESIDE);
