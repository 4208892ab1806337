import { chain, job, step, Worker } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Everything the queue has left in Redis, but for its counters and its workers. */
async function traces(client: { keys(pattern: string): Promise<string[]> }, queue: string) {
  const base = `minq:{${queue}}:`;
  const keys = (await client.keys(`minq:{${queue}}:*`)).map((key) => key.slice(base.length));
  return keys
    .filter((key) => !/^(stats|history|timings.*|workers|wake|claim:.*)$/.test(key))
    .sort();
}

scene(
  'resultTtl: 0 leaves no trace of a job that ended well, and gives its result to nobody',
  async (t, stage) => {
    const queue = stage.queue();
    const jobs = await Promise.all([
      queue.enqueue('f', [1], { resultTtl: 0 }),
      queue.enqueue('f', [2], { resultTtl: 0, id: 'mine', priority: 'high' }),
      queue.enqueue('f', [3], { resultTtl: 0, delay: 50 }),
      queue.enqueue('flaky', [4], { resultTtl: 0, backoff: 1 }),
      queue.enqueue('f', [5], { resultTtl: 0 }),
    ]);
    const unheard = jobs.pop()!; // nobody waits for it
    const results = jobs.map((job) => job.result({ timeout: '20s' }));
    for (const result of results) result.catch(() => {});
    await until(async () => (await stage.redis.client.hlen(`minq:{${stage.name}}:waiters`)) === 4);
    let tries = 0;
    stage.worker({
      f: (n: number) => n,
      flaky: (n: number) => {
        if (++tries < 3) throw new Error('again');
        return n;
      },
    });
    // Whether it was asked for before the end, as here, or after it, is all the same.
    for (const result of results) await t.rejects(result, { name: 'ResultNotFoundError' });
    await until(async () => (await queue.stats()).completed === 5);
    t.same(await traces(stage.redis.client, stage.name), []);
    t.match(await queue.counts(), { completed: 0 });
    await t.rejects(unheard.result(), { name: 'ResultNotFoundError' });
    await t.rejects(jobs[1]!.info(), { name: 'ResultNotFoundError' });
    t.equal((await queue.enqueue('f', [6], { id: 'mine', unique: 'kept' })).duplicate, false);
  },
);

scene(
  'resultTtl: 0: the result may be anything; a failure is kept, but not its id',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({
      odd: job({ resultTtl: 0 }, () => ({ big: 1n, at: new Map() }) as never),
      fails: job({ resultTtl: 0, retries: 0 }, () => {
        throw new Error('no');
      }),
      ownOdd: () => 1n,
      two: (n = 0) => n + 2,
    });
    await queue.enqueue('odd');
    await queue.enqueue('ownOdd', [], { resultTtl: 0 });
    await until(async () => (await queue.stats()).completed === 2);
    const first = await queue.enqueue('fails', [], { id: 'mine', unique: 'kept' });
    await t.rejects(first.result({ timeout: '20s' }), { cause: { message: 'no' } });
    t.match(await first.info(), { state: 'failed', error: { message: 'no' } });
    const again = await queue.enqueue('fails', [], { id: 'mine', unique: 'kept' });
    t.equal(again.duplicate, false);
    t.match(await queue.stats(), { completed: 2 });
    // Of a flow's step the result is handed on, kept or not.
    const sum = await queue.enqueue(chain(step('two', [], { resultTtl: 0 }), step('two', [])));
    t.equal(await sum.result({ timeout: '20s' }), 4);
  },
);

scene(
  'past its time an outcome is unknown to every reader, though nobody prunes',
  async (t, stage) => {
    const queue = stage.queue();
    const store = stage.store('worker');
    const handle = await queue.enqueue('f', [1], { id: 'short', unique: 'kept' });
    const failed = await queue.enqueue('f', [2], { id: 'bad' });
    const { claimed, now } = await store.turn(1, 60_000, 2, []);
    const settled = (n: number) => ({
      job: { ticket: claimed[n]!.ticket, attempt: 1, claimedAt: now },
      ranMs: 0,
      keptMs: 1_000,
    });
    await store.turn(2, 60_000, 0, [
      { ...settled(0), outcome: { kind: 'completed', result: '1' } },
      { ...settled(1), outcome: { kind: 'failed', error: { name: 'Error', message: 'no' } } },
    ]);
    t.equal(await handle.result(), 1);
    t.equal((await queue.enqueue('f', [], { id: 'short', unique: 'kept' })).duplicate, true);
    const till = Number(await stage.redis.client.zscore(`minq:{${stage.name}}:failed`, 'bad'));
    await until(async () => (await queue.now()) >= till);
    t.match(await queue.counts(), { completed: 0, failed: 0 });
    for (const each of [handle, failed]) {
      await t.rejects(each.result(), { name: 'ResultNotFoundError' });
      await t.rejects(each.info(), { name: 'ResultNotFoundError' });
    }
    t.same(await queue.jobs('completed'), []);
    t.same((await queue.find('failed', { error: 'no' })).jobs, []);
    t.equal(await queue.retry('bad'), false);
    t.equal((await queue.enqueue('f', [], { id: 'short', unique: 'kept' })).duplicate, false);
  },
);

scene('a result is kept for its time, then it is pruned without a trace', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store();
  stage.worker({ f: (n: number) => n });
  const short = await queue.enqueue('f', [1], { resultTtl: 200, id: 'short', priority: 'low' });
  const long = await queue.enqueue('f', [2], { resultTtl: '1h' });
  const usual = await queue.enqueue('f', [3]);
  // The short one isn't waited for: 200 ms after its end it is unknown to whoever asks too late.
  for (const job of [long, usual]) await job.result({ timeout: '20s' });
  const key = `minq:{${stage.name}}:completed`;
  const keptFor = async (job: typeof short) =>
    Number(await stage.redis.client.zscore(key, job.id)) - (await job.info()).endedAt!;
  t.equal(await keptFor(long), 3_600_000);
  t.equal(await keptFor(usual), 3_600_000, 'an hour by default');
  await until(async () => {
    await store.prune();
    const { queued, active, completed } = await queue.counts();
    return queued + active === 0 && completed === 2;
  });
  await t.rejects(short.result(), { name: 'ResultNotFoundError' });
  await t.rejects(queue.job('short').state(), { name: 'ResultNotFoundError' });
  t.equal(await long.result(), 2);
});

scene('failed jobs are kept for a week, cancelled ones for an hour', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  stage.worker({
    f: () => {
      throw new Error('no');
    },
  });
  const failed = await queue.enqueue('f', [], { retries: 0, resultTtl: 0 });
  await failed.result({ timeout: '20s' }).catch(() => {});
  const cancelled = await queue.enqueue('f', [], { delay: '1h', resultTtl: 0 });
  await cancelled.cancel();
  for (const [job, state, kept] of [
    [failed, 'failed', 7 * 24 * 3_600_000],
    [cancelled, 'cancelled', 3_600_000],
  ] as const) {
    const { endedAt } = await job.info();
    const keptUntil = Number(await client.zscore(`minq:{${stage.name}}:${state}`, job.id));
    t.equal(keptUntil - endedAt!, kept, state);
  }
});

scene('of the completed jobs at most 10,000 are kept, the newest', async (t, stage) => {
  const store = stage.store('worker');
  const queue = stage.queue();
  const { client } = stage.redis;
  const total = 10_700;
  await queue.enqueueMany(Array.from({ length: total }, (_, i) => ({ fn: 'f', args: [i] })));
  let claimed: Awaited<ReturnType<typeof store.turn>>['claimed'] = [];
  let most = 0;
  for (let turn = 1, ended = 0; ended < total; turn++) {
    const now = Date.now();
    const settlements = claimed.map(({ ticket }) => ({
      job: { ticket, attempt: 1, claimedAt: now },
      outcome: { kind: 'completed' as const, result: '1' },
      ranMs: 0,
      keptMs: 3_600_000 + turn * 1_000, // the later it ended, the longer it is kept
    }));
    const reply = await store.turn(turn, 60_000, 1_000, settlements);
    t.same(reply.refused, []);
    ended += settlements.length;
    claimed = reply.claimed;
    most = Math.max(most, await client.zcard(`minq:{${stage.name}}:completed`));
  }
  t.equal(most, 10_000);
  const left = 9_700; // 1,000 went at once: the 700 that were too many, and up to 500 ahead
  t.match(await queue.counts(), { completed: left, active: 0, queued: 0 });
  t.equal((await queue.stats()).completed, total);
  t.equal(await client.hlen(`minq:{${stage.name}}:jobs`), left, 'nothing is left of the others');
  t.equal(await client.hlen(`minq:{${stage.name}}:outcomes`), left);
  const kept = (await client.hvals(`minq:{${stage.name}}:jobs`)).map(
    (record) => (JSON.parse(record.slice(13)) as { args: [number] }).args[0],
  );
  t.equal(kept.filter((n) => n >= 1_000).length, left, 'those went that ended first');
});

scene('what a bound drops is counted, warned of and found; the bounds are the worker\'s', async (t, stage) => {
  const queue = stage.queue();
  const boom = () => {
    throw new Error('no');
  };
  const bounds = { keepFailed: { age: '2d', count: 50 }, keepCompleted: { age: '2h' } } as const;
  const first = stage.worker({ boom, f: () => 1 }, bounds);
  const usual = await queue.enqueue('f');
  await usual.result();
  await queue.enqueueMany(Array.from({ length: 120 }, () => ({ fn: 'boom', retries: 0 })));
  await until(async () => (await queue.counts()).failed === 120);
  const kept = async (state: 'completed' | 'failed') => {
    const [id = '', till] = await stage.redis.client.zrange(`minq:{${stage.name}}:${state}`, '0', '0', 'WITHSCORES');
    return Number(till) - (await queue.job(id).info()).endedAt!;
  };
  t.same([await kept('failed'), await kept('completed')], [2 * 86_400_000, 2 * 3_600_000]);
  const chained = await queue.enqueue(chain(step('boom', [], { retries: 0 }), step('f')));
  await t.rejects(chained.result());
  const till = Number(await stage.redis.client.zscore(`minq:{${stage.name}}:failed`, chained.id));
  t.equal(till - (await chained.info()).endedAt!, 2 * 86_400_000, 'a step that failed with another, too');
  await first.stop();

  stage.worker({ boom }, bounds);
  await until(async () => (await queue.stats()).droppedFailed === 72);
  t.match(await queue.counts(), { failed: 50, completed: 1 });
  await until(() => stage.log.some((line) => line === `warn too many failed jobs: some were dropped before their time, see keepFailed {"queue":"${stage.name}","jobs":72,"count":50}`));
  const found = (await queue.findings()).find(({ check }) => check === 'dropped-failed');
  t.match(found, { ok: true, warning: true, message: /: 72 failed jobs dropped before their time so far, the last \S+ ago/ });
  t.throws(() => new Worker({ boom }, { keepFailed: { count: 0 } }), { message: /^keepFailed\.count: 0 .*from 1 to 1000000/ });
  t.throws(() => new Worker({ boom }, { keepCompleted: { size: 1 } as never }), { message: /^keepCompleted\.size: unknown option/ });
}); // prettier-ignore

scene('10,000 of each are kept, or as many as a worker says; more are counted as dropped', async (t, stage) => {
  const store = stage.store('worker');
  const queue = stage.queue();
  let turn = 0;
  const end = async (kind: 'completed' | 'failed', count: number) => {
    for (let left = count; left > 0; left -= 1_000) {
      await queue.enqueueMany(Array.from({ length: Math.min(1_000, left) }, () => ({ fn: 'f' })));
      const { claimed } = await store.turn(++turn, 60_000, 1_000, []);
      const outcome = kind === 'failed' ? { kind, error: { name: 'E', message: 'm' } } : { kind, result: undefined };
      await store.turn(++turn, 60_000, 0, claimed.map(({ ticket }) => ({ job: { ticket, attempt: 1, claimedAt: 0 }, outcome, ranMs: 0, keptMs: 3_600_000 })));
    }
  };
  const bound = (count: number) => ({ completed: { age: 1, count }, failed: { age: 1, count } });
  await store.prune(bound(10_500));
  await end('completed', 10_400);
  t.match(await queue.counts(), { completed: 10_400 }, 'a bound that is higher');
  t.match(await queue.stats(), { droppedCompleted: 0, droppedFailed: 0 });
  await store.prune({ completed: { age: 1, count: 10_000 }, failed: { age: 604_800_000, count: 10_000 } });
  t.equal(await stage.redis.client.exists(`minq:{${stage.name}}:keep`), 0, 'the defaults need no key');
  t.match(await queue.counts(), { completed: 9_500 }, 'some more at once');
  await end('failed', 10_300);
  t.match(await queue.counts(), { failed: 10_000 });
  t.match(await queue.stats(), { droppedCompleted: 900, droppedFailed: 300 });
}); // prettier-ignore

scene(
  'pruning takes what is over in calls of 1,000, and says whether there is more',
  async (t, stage) => {
    const store = stage.store('worker');
    const queue = stage.queue();
    await queue.enqueueMany(Array.from({ length: 2_300 }, () => ({ fn: 'f' })));
    for (let turn = 1, open: string[] = []; turn <= 4; turn++) {
      const settlements = open.map((ticket) => ({
        job: { ticket, attempt: 1, claimedAt: 0 },
        outcome: { kind: 'completed' as const, result: undefined },
        ranMs: 0,
        keptMs: 1,
      }));
      const { claimed } = await store.turn(turn, 60_000, 1_000, settlements);
      open = claimed.map((claim) => claim.ticket);
    }
    t.equal(await stage.redis.client.zcard(`minq:{${stage.name}}:completed`), 2_300);
    const before = Number((await stage.redis.client.time())[0]);
    await until(async () => Number((await stage.redis.client.time())[0]) > before);
    t.same([await store.prune(), await store.prune(), await store.prune()], [true, true, false]);
    t.same(await traces(stage.redis.client, stage.name), []);
  },
);
