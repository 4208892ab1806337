import { currentJob, Retry } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('state and info follow a job through its life', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [1], { delay: 100, retries: 1, backoff: 100 });
  const scheduled = await job.info();
  t.match(scheduled, { id: job.id, fn: 'f', state: 'scheduled', args: [1], attempt: 1 });
  t.equal(scheduled.dueAt, scheduled.enqueuedAt! + 100);
  t.notOk('startedAt' in scheduled || 'result' in scheduled || 'error' in scheduled);

  let go!: (action: () => unknown) => void;
  const next = () => new Promise<() => unknown>((resolve) => (go = resolve));
  let told = next();
  stage.worker({
    f: async () => {
      currentJob().progress({ done: currentJob().attempt });
      const action = await told;
      told = next();
      return action();
    },
  });
  await until(async () => (await job.info()).progress !== undefined);
  const active = await job.info();
  t.match(active, { state: 'active', attempt: 1, progress: { done: 1 } });
  t.ok(active.leaseEndsAt! > active.enqueuedAt!);
  t.notOk('dueAt' in active);
  t.equal(await job.state(), 'active');

  go(() => {
    throw new TypeError('not yet');
  });
  await until(async () => (await job.info()).attempt === 2);
  t.match(await job.info(), { attempt: 2, error: { name: 'TypeError', message: 'not yet' } });
  await until(async () => (await job.state()) === 'active');
  await until(async () => ((await job.info()).progress as { done: number }).done === 2);
  go(() => ({ sum: 3 }));
  t.same(await job.result({ timeout: '20s' }), { sum: 3 });
  const done = await job.info();
  t.match(done, { state: 'completed', attempt: 2, result: { sum: 3 }, progress: { done: 2 } });
  t.notOk('error' in done || 'leaseEndsAt' in done || 'reason' in done);
  t.ok(done.startedAt! >= done.enqueuedAt! + 100 && done.endedAt! >= done.startedAt!);
  t.ok(done.ranMs! >= 0);
});

scene('a failed job shows its last error', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    f: () => {
      throw currentJob().attempt < 3 ? new Retry({ delay: 1 }) : new RangeError('third');
    },
  });
  const job = await queue.enqueue('f', ['x'], { retries: 2 });
  await until(async () => (await job.state()) === 'failed');
  const info = await job.info();
  t.match(info, { attempt: 3, args: ['x'], error: { name: 'RangeError', message: 'third' } });
  t.match(info.error!.stack, /handles\.test\.ts/);
  t.notOk('result' in info);
});

scene('a handle by id alone costs nothing and does all of it', async (t, stage) => {
  const queue = stage.queue();
  const made = await queue.enqueue('f', [4]);
  const handle = queue.job<number>(made.id);
  t.match(handle, { id: made.id, fn: undefined, queue: stage.name, duplicate: false });
  t.equal(await handle.state(), 'queued');
  stage.worker({ f: (n: number) => n });
  t.equal(await handle.result({ timeout: '20s' }), 4);
  t.equal((await handle.info()).fn, 'f');
});

scene('a queued and a scheduled job are cancelled at once, and never run', async (t, stage) => {
  const queue = stage.queue();
  let runs = 0;
  const jobs = [
    await queue.enqueue('f', [], { priority: 'high' }),
    await queue.enqueue('f'),
    await queue.enqueue('f', [], { delay: 200 }),
  ];
  const last = await queue.enqueue('f');
  const waiting = jobs.map((job) => job.result().catch((error: unknown) => error));
  for (const job of jobs) t.equal(await job.cancel(), true);
  for (const end of await Promise.all(waiting)) {
    t.match(end, { name: 'JobCancelledError', code: 'JOB_CANCELLED', reason: 'cancelled' });
  }
  t.match(await queue.counts(), { queued: 1, scheduled: 0, cancelled: 3 });
  t.same(
    (await queue.jobs('queued')).map((job) => job.id),
    [last.id],
    'it is not listed either',
  );
  stage.worker({ f: () => ++runs });
  t.equal(await last.result({ timeout: '20s' }), 1);
  const { enqueuedAt } = await jobs[2]!.info();
  await until(() => Date.now() > enqueuedAt! + 250);
  await (await queue.enqueue('f')).result({ timeout: '20s' });
  t.equal(runs, 2);
  for (const job of jobs) t.match(await job.info(), { state: 'cancelled', reason: 'cancelled' });
});

scene('a running job is cancelled through its signal', async (t, stage) => {
  const queue = stage.queue();
  let reason: unknown;
  stage.worker({
    f: () =>
      new Promise((_, reject) => {
        const { signal } = currentJob();
        signal.addEventListener('abort', () => reject((reason = signal.reason) as Error));
      }),
  });
  const job = await queue.enqueue('f');
  await until(async () => (await job.state()) === 'active');
  t.equal(await job.cancel(), true);
  await t.rejects(job.result({ timeout: '20s' }), { name: 'JobCancelledError', id: job.id });
  t.match(reason, { name: 'JobCancelledError' });
  t.match(await job.info(), { state: 'cancelled', reason: 'cancelled' });
  t.match(await queue.counts(), { active: 0, cancelled: 1 });
});

scene(
  'a cancelling that the worker could not hear reaches the job as soon as it can',
  async (t, stage) => {
    const queue = stage.queue();
    const job = await queue.enqueue('f');
    // The heartbeat, which brings it otherwise, comes every 20 s.
    stage.worker({ f: () => new Promise(() => {}) }, { lease: '60s' });
    await until(async () => (await job.state()) === 'active');
    const listens = async () =>
      / name=minq:control .* sub=1 /.test(String(await stage.redis.client.client('LIST')));
    await until(listens);
    // As the script notes it, but nobody is told: whoever listened was away.
    const { active, cancelling } = stage.store().keys;
    const [ticket] = await stage.redis.client.zrange(active, '0', '0');
    await stage.redis.client.sadd(cancelling, ticket!);
    await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await t.rejects(job.result({ timeout: '8s' }), { name: 'JobCancelledError' });
  },
);

scene('a job that waits for its retry can be cancelled', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    f: () => {
      throw new Retry({ delay: '1h' });
    },
  });
  const job = await queue.enqueue('f');
  await until(async () => (await job.state()) === 'scheduled');
  t.equal(await job.cancel(), true);
  t.match(await job.info(), { state: 'cancelled', attempt: 2 });
});

scene('what has ended or is unknown can not be cancelled', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ f: () => 1 });
  const job = await queue.enqueue('f');
  await job.result({ timeout: '20s' });
  t.equal(await job.cancel(), false);
  t.equal(await job.state(), 'completed');
  const dropped = await queue.enqueue('f', [], { delay: '1h' });
  t.equal(await dropped.cancel(), true);
  t.equal(await dropped.cancel(), false, 'twice');
  t.equal(await queue.job('nobody').cancel(), false);
  t.equal((await queue.stats()).cancelled, 1);
});

scene('a broken record shows as what it is, and breaks no view', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [1]);
  await queue.enqueue('g', [2]);
  const key = `minq:{${stage.name}}:jobs`;
  for (const garbage of ['', 'x', '1700000000000{', '1700000000000null', '1700000000000{"fn":1}']) {
    await stage.redis.client.hset(key, job.id, garbage);
    t.match(await job.info(), { id: job.id, state: 'queued', fn: undefined, args: [] });
    t.same(
      (await queue.jobs('queued')).map(({ fn }) => fn),
      [undefined, 'g'],
    );
  }
});
