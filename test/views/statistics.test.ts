/** What the counters in Redis say, of the past too. Time passes by rewriting the time stamps that Redis holds. */
import t from 'tap';
import { BOUNDS_MS, bucketOf, percentile } from '../../src/store/buckets.ts';
import { percentiles } from '../../src/views/statistics.ts';
import { startProxy } from '../helpers/proxy.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { claim, ERROR, jobs, settlement, ticketsOf } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

// ---- Percentiles -------------------------------------------------------------------------------

function histogramOf(durationsMs: readonly number[]) {
  const counts = [...BOUNDS_MS, 0].map(() => 0);
  for (const ms of durationsMs) counts[bucketOf(ms)]!++;
  return { counts, sumMs: durationsMs.reduce((a, b) => a + b, 0) };
}

void t.test('percentiles of known distributions', async (t) => {
  const even = histogramOf(Array.from({ length: 1_000 }, (_, i) => i + 1));
  t.same(percentiles(even), { p50: 500, p95: 950, p99: 990 });
  t.same(percentiles(histogramOf([])), {});
  t.equal(percentile(histogramOf([]), 0.5), undefined);
  const same = histogramOf(Array<number>(100).fill(40));
  for (const q of [0.01, 0.5, 0.99]) {
    const ms = percentile(same, q)!;
    t.ok(ms > 25 && ms <= 50, `${q}: ${ms} is in the bucket of 40`);
  }
  // 90 quick ones, 10 slow ones.
  const two = histogramOf([...Array<number>(90).fill(1), ...Array<number>(10).fill(20_000)]);
  t.ok(percentile(two, 0.9)! <= 1);
  t.ok(percentile(two, 0.95)! > 10_000 && percentile(two, 0.95)! <= 30_000);
  const long = histogramOf([1e9]);
  t.equal(percentile(long, 0.5), BOUNDS_MS.at(-1), 'no more is known of it');
  t.equal(percentile(histogramOf([0]), 1), 1);
});

void t.test('a duration is in the first bucket whose bound it does not pass', async (t) => {
  for (const [i, bound] of BOUNDS_MS.entries()) {
    t.equal(bucketOf(bound), i);
    t.equal(bucketOf(bound + 0.001), i + 1);
  }
});

// ---- History -----------------------------------------------------------------------------------

/** Makes the samples so much older. */
async function letPass(stage: Stage, ms: number): Promise<void> {
  const { client } = stage.redis;
  const { history } = stage.store().keys;
  const rows = await client.lrange(history, 0, -1);
  await client.del(history);
  const older = rows.map((row) => row.replace(/^\d+/, (at) => String(Number(at) - ms)));
  if (older.length > 0) await client.rpush(history, ...older);
}

scene('one sample a minute, whoever prunes', async (t, stage) => {
  const { client } = stage.redis;
  const stores = ['a', 'b', 'c'].map((worker) => stage.store(worker));
  const { history } = stores[0]!.keys;
  const rows = () => client.lrange(history, 0, -1);
  const pruneAll = () => Promise.all([...stores, ...stores].map((store) => store.prune()));
  for (let minute = 1; minute <= 3; minute++) {
    await pruneAll();
    await pruneAll();
    const minutes = (await rows()).map((row) => Math.floor(Number(row.split(' ')[0]) / MINUTE));
    t.same([...new Set(minutes)], minutes, 'no two of the same minute');
    t.ok(minutes.length >= minute && minutes.length <= minute + 1, `${minutes.length} samples`);
    await letPass(stage, MINUTE);
  }
});

scene('a point says what happened since the one before, and how things stand', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  await store.enqueue(jobs('', 'a', 'b', 'c', 'd', 'e'));
  await store.prune();
  t.same(await queue.history('hour'), [], 'one sample alone says nothing');
  await letPass(stage, MINUTE);

  const [one, two, three] = ticketsOf(await claim(store, 1, 3));
  await store.enqueue(jobs('', 'f'));
  await store.enqueue(jobs('n pending +3600000', 'later'));
  await claim(store, 2, 1,
    settlement(one!, { kind: 'completed', result: '1' }),
    settlement(two!, { kind: 'failed', error: ERROR }),
    settlement(three!, { kind: 'retry', error: ERROR, delayMs: HOUR }),
  ); // prettier-ignore
  await store.cancel('f');
  await store.prune();
  const points = await queue.history('hour');
  t.equal(points.length, 1);
  const { at, ms, ...rest } = points[0]!;
  t.ok(ms >= MINUTE && ms < 2 * MINUTE, `${ms}`);
  t.ok(Math.abs(at - (await queue.now())) < MINUTE);
  t.same(rest, {
    enqueued: 2, completed: 1, failed: 1, cancelled: 1, retried: 1, recovered: 0,
    queued: 1, scheduled: 2, active: 1,
  }); // prettier-ignore
});

/** Samples a minute apart up to now, three jobs enqueued in each minute; the newest is a real one. */
async function longPast(stage: Stage, minutes: number): Promise<void> {
  const { client } = stage.redis;
  const store = stage.store('w');
  const now = await store.now();
  const rows = Array.from({ length: minutes }, (_, i) =>
    [now - (minutes - i) * MINUTE, i * 3, 0, 0, 0, 0, 0, i, 0, 0].join(' '),
  );
  await client.rpush(store.keys.history, ...rows);
  await client.hset(store.keys.stats, 'enqueued', minutes * 3);
  await store.prune();
}

scene('an hour is 60 points, a day 144, however long the past', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  const kept = () => stage.redis.client.llen(store.keys.history);
  await longPast(stage, 1_441);
  t.equal(await kept(), 1_441, 'for each that comes one goes');
  const [hour, day] = [await queue.history('hour'), await queue.history('day')];
  t.equal(hour.length, 60);
  t.equal(day.length, 144);
  t.ok(hour.every(({ enqueued }) => enqueued === 3));
  t.ok(day.every(({ enqueued }) => enqueued === 30));
  t.ok(day.slice(0, -1).every(({ ms }) => ms === 10 * MINUTE));
  t.equal(day.at(-1)!.at, hour.at(-1)!.at, 'the newest is in both');
  const rising = hour.map(({ at }) => at);
  t.same(rising, rising.toSorted((a, b) => a - b)); // prettier-ignore
  t.ok(rising[0]! > (await queue.now()) - HOUR - MINUTE);
});

scene('what is over an hour old is not of the last hour', async (t, stage) => {
  const queue = stage.queue();
  await longPast(stage, 300);
  await letPass(stage, 5 * HOUR); // no worker was there
  t.same(await queue.history('hour'), []);
  t.ok((await queue.history('day')).length >= 29);
  await letPass(stage, 24 * HOUR);
  t.same(await queue.history('day'), []);
});

scene('broken samples and a clock put back do no harm', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  const { client } = stage.redis;
  const now = await store.now();
  const rows = [now - 3 * MINUTE, 'x', now - 4 * MINUTE, now + HOUR].map((at) => `${at} 1 2`);
  await client.rpush(store.keys.history, 'garbage', ...rows);
  await store.prune();
  t.equal(
    await client.llen(store.keys.history),
    6,
    'a sample from the future is no reason to wait',
  );
  for (const { at, ms, ...rest } of await queue.history('hour')) {
    t.ok(Number.isSafeInteger(at) && ms > 0 && Object.values(rest).every(Number.isFinite));
  }
});

// ---- Functions ---------------------------------------------------------------------------------

/** As if the counters had been put aside so long ago. */
async function putAsideAgo(stage: Stage, ms: number): Promise<void> {
  const { keys } = stage.store();
  const { client } = stage.redis;
  await client.hset(keys.timingsNext, 'at', String((await stage.store().now()) - ms));
  await letPass(stage, MINUTE);
  await stage.store('w').prune();
}

/** Runs each job once, by a worker that then stops. */
async function runOnce(stage: Stage, ...names: string[]) {
  const worker = stage.worker({ f: () => 1, g: () => 2 });
  const queue = stage.queue();
  for (const fn of names) await (await queue.enqueue(fn)).result({ timeout: '20s' });
  await worker.stop();
}

scene('what functions did hours ago is not what they did lately', async (t, stage) => {
  const queue = stage.queue();
  const lately = async () =>
    (await queue.functions()).map(({ fn, completed }) => `${fn} ${completed}`);
  await runOnce(stage, 'f');
  t.same(await lately(), ['f 1']);
  await putAsideAgo(stage, HOUR / 2);
  await runOnce(stage, 'f', 'g');
  t.same(await lately(), ['f 2', 'g 1'], 'within the hour');
  await putAsideAgo(stage, HOUR);
  t.same(await lately(), ['f 2', 'g 1']);
  await runOnce(stage, 'f');
  await putAsideAgo(stage, HOUR + MINUTE);
  t.same(await lately(), ['f 1'], 'the first ones are forgotten');
  const [f] = await queue.functions();
  t.equal(f!.run.counts.reduce((a, b) => a + b), 1); // prettier-ignore
  await putAsideAgo(stage, HOUR);
  t.same(await lately(), []);
  const ever = (await queue.functions('ever')).map(({ fn, completed }) => `${fn} ${completed}`);
  t.same(ever, ['f 3', 'g 1']);
});

scene('what was before a night without workers is not lately', async (t, stage) => {
  const queue = stage.queue();
  await runOnce(stage, 'f');
  await putAsideAgo(stage, 10 * HOUR);
  t.same(await queue.functions(), []);
  await runOnce(stage, 'f');
  t.match(await queue.functions(), [{ fn: 'f', completed: 1 }]);
});

scene('counters reach Redis by the heartbeat', async (t, stage) => {
  const queue = stage.queue();
  const bad = () => {
    throw new Error('no');
  };
  stage.worker({ f: () => 1, bad }, { lease: 300 });
  await queue.enqueueMany([{ fn: 'f' }, { fn: 'f' }, { fn: 'bad', retries: 1, backoff: 1 }]);
  const find = async (fn: string) => (await queue.functions()).find((each) => each.fn === fn);
  await until(async () => (await find('bad'))?.failed === 1 && (await find('f'))?.completed === 2);
  t.match(await find('bad'), { completed: 0, failed: 1, retried: 1 });
  t.match(await find('f'), { completed: 2, failed: 0, retried: 0 });
});

scene('those of more functions than fit into a call, at the stop of a worker', async (t, stage) => {
  const queue = stage.queue();
  const names = Array.from({ length: 150 }, (_, i) => `f${i}`);
  const worker = stage.worker(Object.fromEntries(names.map((name) => [name, () => 1])));
  await queue.enqueueMany(names.map((fn) => ({ fn })));
  await until(async () => (await queue.counts()).completed === names.length);
  await worker.stop();
  const functions = await queue.functions();
  t.equal(functions.length, names.length);
  const sums = functions.map(({ completed, run, wait }) =>
    [[completed], run.counts, wait.counts].map((counts) => counts.reduce((a, b) => a + b)),
  );
  t.ok(sums.every((each) => each.join() === '1,1,1'));
  t.same(await queue.workers(), []);
});

scene('functions that nobody knows make no counters', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker({ f: () => 1 });
  await queue.enqueueMany(Array.from({ length: 50 }, (_, i) => ({ fn: `unknown${i}` })));
  await stage.store().enqueue([{ id: 'evil', how: '', json: '{"fn":"a b c","args":[]}' }]);
  await (await queue.enqueue('f')).result({ timeout: '20s' });
  await until(async () => (await queue.counts()).scheduled === 51);
  await worker.stop();
  const fields = await stage.redis.client.hkeys(stage.store().keys.timings);
  t.same([...new Set(fields.map((field) => field.split(' ')[0]))], ['f']);
});

for (const cut of ['request', 'replyTo'] as const) {
  const what = cut === 'request' ? 'that was lost on its way' : 'of which the answer was lost';
  scene(`counts of a heartbeat ${what} are counted once`, async (t, stage) => {
    const proxy = await startProxy(stage.redis.port);
    stage.onEnd(() => proxy.close());
    const queue = stage.queue();
    const options = { redis: proxy.url, lease: 600, callTimeout: 300 };
    const worker = stage.worker({ f: () => 1, last: () => 1 }, options);
    await until(async () => (await queue.workers()).length === 1);
    const failedBeats = () => stage.log.filter((line) => line.startsWith('error heartbeat')).length;
    for (let i = 1; i <= 3; i++) {
      const lost = proxy.cut({ [cut]: 'f ended completed' });
      const job = await queue.enqueue('f');
      await lost;
      if (i > 1) {
        await proxy.refuse(); // for longer than a call waits
        const before = failedBeats();
        await until(() => failedBeats() > before + 1);
        await proxy.accept();
      }
      await job.result({ timeout: '20s' });
    }
    // What was to be sent again has been, when what came after it is there.
    await (await queue.enqueue('last')).result({ timeout: '20s' });
    await until(async () => (await queue.functions()).some(({ fn }) => fn === 'last'));
    t.equal((await queue.functions()).find(({ fn }) => fn === 'f')!.completed, 3);
    t.equal(worker.facts().functions.find(({ fn }) => fn === 'f')!.completed, 3);
    t.notOk('counted' in (await queue.workers())[0]!);
  });
}

scene('the last counts of a worker that stops are counted once, however often they are sent', async (t, stage) => {
  const store = stage.store('worker-a');
  const counted = (number: number) => ({ number, pairs: ['f ended completed', '1'] });
  await store.heartbeat('{"host":"h"}', 1_000, [], '', counted(1));
  for (const _ of [1, 2, 3]) await store.leave(counted(2));
  t.same(await store.figures.timings('now'), { 'f ended completed': '2' });
  t.same(await store.workers(), {});
}); // prettier-ignore

scene('a counter that somebody broke costs no lease', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  let runs = 0;
  const slow = async () => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  };
  stage.worker({ f: () => 1, slow }, { lease: 300 });
  await until(async () => (await queue.workers()).length === 1);
  await client.set(stage.store().keys.timings, 'no hash');
  const job = await queue.enqueue('slow');
  await queue.enqueue('f');
  await job.result({ timeout: '20s' });
  t.equal(runs, 1);
  t.same(stage.log.filter((line) => /heartbeat|lease/.test(line)), []); // prettier-ignore
  await client.del(stage.store().keys.timings);
});

// ---- The oldest that waits ---------------------------------------------------------------------

/** As if the job had been enqueued so much earlier. */
async function backdate(stage: Stage, id: string, ms: number): Promise<void> {
  const { jobs: key } = stage.store().keys;
  const record = (await stage.redis.client.hget(key, id))!;
  const at = String(Number(record.slice(0, 13)) - ms);
  await stage.redis.client.hset(key, id, at + record.slice(13));
}

/** Moves what is due, and what isn't yet, from `scheduled` into the queue. */
async function promoteAll(stage: Stage, turn = 1): Promise<void> {
  const { client } = stage.redis;
  const store = stage.store('promoter');
  for (const ticket of await client.zrange(store.keys.scheduled, '0', '-1')) {
    await client.zadd(store.keys.scheduled, 1, ticket);
  }
  await claim(store, turn, 0);
}

scene(
  'how long the oldest has waited: none, one, and the longest of all lanes',
  async (t, stage) => {
    const queue = stage.queue();
    const seconds = async () => Math.floor((await queue.oldestWaitingMs())! / 1_000);
    const is = async (expected: number, why: string) => {
      const found = await seconds();
      t.ok(found >= expected && found < expected + 20, `${why}: ${found} s`);
    };
    t.equal(await queue.oldestWaitingMs(), undefined, 'none');
    const later = await queue.enqueue('f', [], { delay: '1h' });
    t.equal(await queue.oldestWaitingMs(), undefined, 'nothing is due');
    const one = await queue.enqueue('f');
    await is(0, 'just enqueued');
    await backdate(stage, one.id, 40_000);
    await is(40, 'the first');
    const mine = await queue.enqueue('f', [], { id: 'mine', priority: 'low' });
    await backdate(stage, mine.id, 80_000);
    await is(80, 'with an id of its own, in another lane');
    const long = await queue.enqueue('f', ['x'.repeat(20_000)], { priority: 'high' });
    await backdate(stage, long.id, 120_000);
    await is(120, 'of a long record');
    await backdate(stage, later.id, 3_600_000 + 160_000);
    await queue.remove(one.id);
    await promoteAll(stage);
    await is(160, 'since it fell due, not since it was enqueued');
    const [ticket] = ticketsOf(await claim(stage.store('w'), 1, 1));
    await claim(stage.store('w'), 2, 0, settlement(ticket!, { kind: 'released' }));
    await is(160, 'and one that was given back waits on');
  },
);

scene('runs that are not the first do not count, nor does what is void', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  const ids = Array.from({ length: 60 }, (_, i) => `j${i}`);
  await store.enqueue(jobs('', ...ids));
  for (const id of ids) await backdate(stage, id, HOUR);
  const tickets = ticketsOf(await claim(store, 1, ids.length));
  const [failing, retrying] = [tickets.slice(0, 30), tickets.slice(30)];
  await claim(store, 2, 0,
    ...failing.map((ticket) => settlement(ticket, { kind: 'failed', error: ERROR })),
    ...retrying.map((ticket) => settlement(ticket, { kind: 'retry', error: ERROR, delayMs: 1 })),
  ); // prettier-ignore
  t.equal(await queue.retryAll(), 30);
  await promoteAll(stage);
  t.equal((await queue.counts()).queued, 60);
  t.equal(await queue.oldestWaitingMs(), undefined, 'they wait again, since when is not known');

  await store.enqueue(jobs('', 'void', 'new'));
  await backdate(stage, 'void', HOUR);
  await backdate(stage, 'new', 30_000);
  await store.cancel('void');
  const oldest = (await queue.oldestWaitingMs())!;
  t.ok(oldest >= 30_000 && oldest < 50_000, `${oldest} ms: past all of them`);
});

scene('a broken record hides nothing else', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  const { keys } = stage.store();
  const [broken, fine] = [await queue.enqueue('f'), await queue.enqueue('f', [], { priority: 'low' })]; // prettier-ignore
  await client.hset(keys.jobs, broken.id, 'garbage');
  await backdate(stage, fine.id, 30_000);
  t.ok((await queue.oldestWaitingMs())! >= 30_000);
  await queue.remove(fine.id);
  t.equal(await queue.oldestWaitingMs(), undefined);
  await client.hdel(keys.jobs, broken.id);
  t.equal(await queue.oldestWaitingMs(), undefined);
  await client.del(keys.queued);
});
