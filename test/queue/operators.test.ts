import { hostname } from 'node:os';
import { currentJob } from '../../src/index.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** A queue with jobs in every state: two of each, `<state>-1` and `<state>-2`; one of `active`. */
async function everyState(stage: Stage) {
  const queue = stage.queue();
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const worker = stage.worker(
    {
      ok: (n: number) => n,
      fail: () => {
        throw new Error('broken');
      },
      hang: () => ended,
    },
    { concurrency: 1 },
  );
  for (const n of [1, 2]) {
    await (await queue.enqueue('ok', [n], { id: `completed-${n}` })).result({ timeout: '20s' });
    const failed = await queue.enqueue('fail', [n], { id: `failed-${n}`, retries: 0 });
    await failed.result({ timeout: '20s' }).catch(() => {});
    await (await queue.enqueue('ok', [n], { id: `cancelled-${n}`, delay: '1h' })).cancel();
    await queue.enqueue('ok', [n], { id: `scheduled-${n}`, delay: `${n}h` });
  }
  const hanging = await queue.enqueue('hang', [], { id: 'active-1' });
  await until(async () => (await hanging.state()) === 'active');
  for (const n of [1, 2]) await queue.enqueue('ok', [n], { id: `queued-${n}` });
  return { queue, worker, end };
}

const ids = (jobs: readonly { id: string }[]) => jobs.map((job) => job.id);

scene('counts, lists and counters of every state', async (t, stage) => {
  const { queue, end } = await everyState(stage);
  const counts = { scheduled: 2, queued: 2, active: 1, completed: 2, failed: 2, cancelled: 2 };
  t.same(await queue.counts(), { waiting: 0, ...counts, paused: false });
  t.same(ids(await queue.jobs('scheduled')), ['scheduled-1', 'scheduled-2'], 'due first first');
  t.same(ids(await queue.jobs('queued')), ['queued-1', 'queued-2'], 'next first');
  t.same(ids(await queue.jobs('active')), ['active-1']);
  t.same(ids(await queue.jobs('completed')), ['completed-2', 'completed-1'], 'ended last first');
  t.same(ids(await queue.jobs('failed')), ['failed-2', 'failed-1']);
  t.same(ids(await queue.jobs('cancelled')), ['cancelled-2', 'cancelled-1']);
  t.match((await queue.jobs('failed'))[0], { state: 'failed', error: { message: 'broken' } });
  t.match((await queue.jobs('completed'))[0], { state: 'completed', result: 2, args: [2] });
  t.same(await queue.stats(), {
    enqueued: 11,
    droppedCompleted: 0,
    droppedFailed: 0,
    completed: 2,
    failed: 2,
    cancelled: 2,
    retried: 0,
    recovered: 0,
    refused: 0,
    blocked: 0,
    blockedMs: 0,
  });
  end();
  await until(async () => (await queue.counts()).completed === 5);
});

scene('an empty queue has nothing to show', async (t, stage) => {
  const queue = stage.queue();
  const none = { scheduled: 0, queued: 0, active: 0, completed: 0, failed: 0, cancelled: 0 };
  t.same(await queue.counts(), { waiting: 0, ...none, paused: false });
  t.same(await queue.jobs('queued'), []);
  t.same(await queue.workers(), []);
  t.ok(Object.values(await queue.stats()).every((count) => count === 0));
});

scene('pages go through all lanes of the queue, and through a set', async (t, stage) => {
  const queue = stage.queue();
  for (const priority of ['low', 'normal', 'high'] as const) {
    for (let i = 0; i < 4; i++) await queue.enqueue('f', [`${priority[0]}${i}`], { priority });
  }
  for (let i = 0; i < 5; i++) await queue.enqueue('f', [i], { delay: `${i + 1}h` });
  const pages = async (state: 'queued' | 'scheduled', limit: number) => {
    const all: unknown[] = [];
    for (let offset = 0; ; offset += limit) {
      const page = await queue.jobs(state, { offset, limit });
      if (page.length === 0) return all;
      all.push(...page.map((job) => job.args[0]));
    }
  };
  const order = 'h0 h1 h2 h3 n0 n1 n2 n3 l0 l1 l2 l3'.split(' ');
  for (const limit of [1, 3, 5, 100]) t.same(await pages('queued', limit), order, `by ${limit}`);
  t.same(await pages('scheduled', 2), [0, 1, 2, 3, 4]);
  t.same(await queue.jobs('queued', { offset: Number.MAX_SAFE_INTEGER }), []);
  t.same(await queue.jobs('scheduled', { offset: Number.MAX_SAFE_INTEGER }), []);
});

scene('a page is 100 jobs unless told otherwise', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueueMany(Array.from({ length: 120 }, () => ({ fn: 'f' })));
  t.equal((await queue.jobs('queued')).length, 100);
});

scene('a worker is listed with what it runs, until it has stopped', async (t, stage) => {
  const queue = stage.queue();
  const { worker, end } = await everyState(stage);
  await until(async () => (await queue.workers())[0]?.busy === 1);
  const [seen] = await queue.workers();
  t.match(seen, { id: worker.id, host: hostname(), pid: process.pid, concurrency: 1 });
  t.match(seen!.version, /^\d+\.\d+\.\d+/);
  t.ok(seen!.seenAt >= seen!.startedAt - 5_000);
  t.match(seen!.running, [{ id: 'active-1', fn: 'hang', sinceMs: Number }]);
  t.equal(seen!.running.length, 1);
  end();
  await worker.stop();
  t.same(await queue.workers(), []);
});

scene('a paused queue takes jobs and starts none; what runs goes on', async (t, stage) => {
  const { queue, end } = await everyState(stage);
  await queue.pause();
  t.equal((await queue.counts()).paused, true);
  const urgent = await queue.enqueue('ok', [9], { priority: 'high' });
  end();
  await until(async () => (await queue.job('active-1').state()) === 'completed');
  t.match(await queue.counts(), { queued: 3, active: 0, paused: true });
  await t.rejects(urgent.result({ timeout: 100 }), { name: 'ResultTimeoutError' });
  // The worker has found nothing and sleeps; nobody but resume() wakes it now.
  const { client } = stage.redis;
  await until(async () => {
    const asleep = / name=minq:wait:\S* .* cmd=blpop /.test(String(await client.client('LIST')));
    return asleep && (await client.exists(`minq:{${stage.name}}:wake`)) === 0;
  });
  await queue.resume();
  t.equal(await urgent.result({ timeout: '6s' }), 9, 'at once, not at the end of the sleep');
  await until(async () => (await queue.counts()).queued === 0);
  t.equal((await queue.counts()).paused, false);
});

scene('retry runs a failed or cancelled job again, with all its attempts', async (t, stage) => {
  const queue = stage.queue();
  const attempts: number[] = [];
  let broken = true;
  stage.worker({
    f: () => {
      attempts.push(currentJob().attempt);
      if (broken) throw new Error('broken');
      return 'mended';
    },
  });
  const job = await queue.enqueue('f', [], { retries: 1, backoff: 1, priority: 'low' });
  await t.rejects(job.result({ timeout: '20s' }), { name: 'JobFailedError' });
  t.ok(await queue.retry(job.id));
  await until(() => attempts.length === 4);
  await t.rejects(job.result({ timeout: '20s' }), { name: 'JobFailedError' });
  t.same(attempts, [1, 2, 1, 2]);
  broken = false;
  t.ok(await queue.retry(job.id));
  t.equal(await job.result({ timeout: '20s' }), 'mended');
  t.match(await job.info(), { priority: 'low', attempt: 1 });
  t.notOk('error' in (await job.info()));

  const delayed = await queue.enqueue('f', [], { delay: '1h' });
  await delayed.cancel();
  t.ok(await queue.retry(delayed.id));
  t.equal(await delayed.result({ timeout: '20s' }), 'mended', 'it is not delayed again');
});

scene('retry runs a job that came too late, late', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [], { expires: 1 });
  const { enqueuedAt } = await job.info();
  await until(
    async () => Number((await stage.redis.client.time())[0]) * 1000 > enqueuedAt! + 1_000,
  );
  stage.worker({ f: () => 1 });
  await t.rejects(job.result({ timeout: '5s' }), { message: /cancelled: expired/ });
  t.ok(await queue.retry(job.id));
  t.equal(await job.result({ timeout: '5s' }), 1);
});

scene('retry and remove say when there is nothing to do', async (t, stage) => {
  const { queue, end } = await everyState(stage);
  for (const id of ['scheduled-1', 'queued-1', 'active-1', 'completed-1', 'nobody']) {
    t.equal(await queue.retry(id), false, id);
  }
  t.equal(await queue.remove('nobody'), false);
  await t.rejects(queue.remove('active-1'), {
    code: 'JOB_ACTIVE',
    message: 'job active-1 is running; cancel it first',
  });
  end();
});

scene('remove leaves nothing of a job, in whatever state it waits or ended', async (t, stage) => {
  const { queue, end } = await everyState(stage);
  for (const state of ['scheduled', 'queued', 'completed', 'failed', 'cancelled']) {
    t.equal(await queue.remove(`${state}-1`), true, state);
    t.equal(await queue.remove(`${state}-1`), false, `${state}, again`);
    await t.rejects(queue.job(`${state}-1`).info(), { name: 'ResultNotFoundError' });
  }
  const counts = { scheduled: 1, queued: 1, completed: 1, failed: 1, cancelled: 1, active: 1 };
  t.match(await queue.counts(), counts);
  t.equal(await stage.redis.client.hlen(`minq:{${stage.name}}:jobs`), 6);
  end();
  await until(async () => (await queue.counts()).completed === 3);
});

for (const state of ['scheduled', 'queued', 'completed', 'failed', 'cancelled'] as const) {
  scene(`purge('${state}') removes the jobs of that state and no others`, async (t, stage) => {
    const { queue, end } = await everyState(stage);
    const before = await queue.counts();
    t.equal(await queue.purge(state), 2);
    t.same(await queue.counts(), { ...before, [state]: 0 });
    t.equal(await queue.purge(state), 0);
    t.equal(await stage.redis.client.hlen(`minq:{${stage.name}}:jobs`), 9);
    end();
  });
}

scene(
  'purge goes on until all are gone, past what was cancelled in the queue',
  async (t, stage) => {
    const queue = stage.queue();
    const outcomes = await queue.enqueueMany(
      Array.from({ length: 2_500 }, (_, i) => ({
        fn: 'f',
        priority: (['high', 'normal', 'low'] as const)[i % 3]!,
      })),
    );
    for (const outcome of outcomes.slice(0, 50)) {
      if (outcome.status === 'fulfilled') await outcome.value.cancel();
    }
    t.equal(await queue.purge('queued'), 2_450);
    t.match(await queue.counts(), { queued: 0, cancelled: 50 });
  },
);

scene('a purge takes what was there, while producers go on', async (t, stage) => {
  const queue = stage.queue();
  const add = (count: number) =>
    queue.enqueueMany(Array.from({ length: count }, () => ({ fn: 'f', args: [] })));
  for (let i = 0; i < 5; i++) await add(500);
  let purged = false;
  let added = 0;
  const producing = (async () => {
    for (let i = 0; i < 40 && !purged; i++) added += (await add(500)).length;
  })();
  const removed = await queue.purge('queued');
  purged = true;
  await producing;
  t.ok(removed >= 2_500 && removed <= 3_500, `${removed} removed, 2,500 were there`);
  t.equal((await queue.counts()).queued, 2_500 + added - removed, 'none is lost');
});
