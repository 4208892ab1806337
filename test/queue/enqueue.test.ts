import { currentJob } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { app, minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('an enqueued job waits, with everything that was given', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('report', ['a', { b: [1] }], {
    id: 'r-1',
    priority: 'high',
    meta: { traceparent: '00-abc-01' },
  });
  t.match(job, { id: 'r-1', fn: 'report', queue: stage.name, duplicate: false });
  const info = await job.info();
  t.match(info, {
    id: 'r-1',
    queue: stage.name,
    state: 'queued',
    fn: 'report',
    args: ['a', { b: [1] }],
    attempt: 1,
    priority: 'high',
    meta: { traceparent: '00-abc-01' },
  });
  t.type(info.enqueuedAt, 'number');
});

scene('without arguments none are needed, and ids are made by the client', async (t, stage) => {
  const queue = stage.queue();
  const jobs = await Promise.all([queue.enqueue('f'), queue.enqueue('f', []), queue.enqueue('f')]);
  t.equal(new Set(jobs.map((job) => job.id)).size, 3);
  for (const job of jobs) {
    t.match(job.id, /^[0-9A-Za-z]{12,}$/);
    t.same((await job.info()).args, []);
  }
});

scene('a running job sees its meta, attempt and retries', async (t, stage) => {
  const queue = stage.queue({ defaults: { retries: 7, meta: { from: 'defaults' } } });
  stage.worker({
    look: () => {
      const { id, fn, queue: name, attempt, retries, meta } = currentJob();
      return { id, fn, name, attempt, retries, meta };
    },
  });
  const seen = async (options?: object) =>
    (await queue.enqueue('look', [], options)).result({ timeout: '10s' });
  t.match(await seen(), {
    fn: 'look',
    name: stage.name,
    attempt: 1,
    retries: 7,
    meta: { from: 'defaults' },
  });
  t.match(await seen({ retries: 0, meta: { x: 'y' } }), { retries: 0, meta: { x: 'y' } });
});

scene('options over the defaults of the queue: what is given wins', async (t, stage) => {
  const queue = stage.queue({ defaults: { delay: '1h', priority: 'low', expires: '2h' } });
  const due = async (options?: object) => {
    const info = await (await queue.enqueue('f', [], options)).info();
    return { ...info, inMs: info.dueAt === undefined ? 0 : info.dueAt - info.enqueuedAt! };
  };
  t.match(await due(), { state: 'scheduled', inMs: 3_600_000, priority: 'low' });
  t.match(await due({ delay: 0 }), { state: 'queued' });
  t.match(await due({ priority: 'normal' }), { priority: 'normal', inMs: 3_600_000 });
  const runAt = new Date(Date.now() + 60_000);
  t.equal((await due({ runAt })).dueAt, runAt.getTime(), 'a point in time wins over a delay');
  await t.rejects(queue.enqueue('f', [], { expires: '1m' }), {
    code: 'INVALID_ARGUMENT',
    message: /^expires: 60000 .* later than 'delay'/,
  });
});

scene('a delayed job waits for its time, by the clock of Redis', async (t, stage) => {
  const queue = stage.queue();
  const startedAt: Record<string, number> = {};
  stage.worker({ note: (name: string) => void (startedAt[name] = Date.now()) });
  const from = Date.now();
  const jobs = await Promise.all([
    queue.enqueue('note', ['delay'], { delay: 300 }),
    queue.enqueue('note', ['runAt'], { runAt: new Date(from + 300) }),
    queue.enqueue('note', ['past'], { runAt: new Date(from - 60_000) }),
    queue.enqueue('note', ['far'], { runAt: new Date(8.64e15) }),
  ]);
  const far = jobs.pop()!;
  for (const job of jobs) await job.result({ timeout: '10s' });
  t.ok(startedAt['delay']! >= from + 299, `delay: after ${startedAt['delay']! - from} ms`);
  t.ok(startedAt['runAt']! >= from + 299, `runAt: after ${startedAt['runAt']! - from} ms`);
  const others = Math.min(startedAt['delay']!, startedAt['runAt']!);
  t.ok(startedAt['past']! < others, 'in the past: at once');
  t.match(await far.info(), { state: 'scheduled', dueAt: 8.64e15 });
});

scene('a job that is not started in time is cancelled, with the reason', async (t, stage) => {
  const queue = stage.queue();
  const late = await queue.enqueue('f', [], { expires: 1 });
  const intime = await queue.enqueue('f', [], { expires: '1m' });
  await until(async () => Date.now() > (await late.info()).enqueuedAt! + 20);
  let runs = 0;
  stage.worker({ f: () => ++runs });
  await t.rejects(late.result({ timeout: '10s' }), {
    name: 'JobCancelledError',
    reason: 'expired',
  });
  t.equal(await intime.result({ timeout: '10s' }), 1);
  t.match(await late.info(), { state: 'cancelled', reason: 'expired' });
});

scene('high runs before normal before low, each first in first out', async (t, stage) => {
  const queue = stage.queue();
  const order: string[] = [];
  const jobs = [];
  for (const i of [1, 2, 3]) {
    for (const priority of ['low', undefined, 'high', 'normal'] as const) {
      const options = priority === undefined ? {} : { priority };
      jobs.push(await queue.enqueue('note', [`${priority ?? 'none'}${i}`], options));
    }
  }
  const expected = [
    'high1 high2 high3',
    'none1 normal1 none2 normal2 none3 normal3',
    'low1 low2 low3',
  ]
    .join(' ')
    .split(' ');
  t.same(
    (await queue.jobs('queued')).map((job) => job.args[0]),
    expected,
  );
  stage.worker({ note: (name: string) => void order.push(name) }, { concurrency: 1 });
  for (const job of jobs) await job.result({ timeout: '10s' });
  t.same(order, expected);
});

scene('jobs of one tick keep their order, whatever their options', async (t, stage) => {
  const queue = stage.queue();
  await Promise.all([
    queue.enqueue('a'),
    queue.enqueue('b', [], { id: 'x' }),
    queue.enqueue('c'),
    queue.enqueue('d', [], { runAt: new Date(1) }),
    queue.enqueue('e', [], { meta: { a: 'b' } }),
  ]);
  t.same((await queue.jobs('queued')).map((job) => job.fn).join(''), 'abcde');
});

scene('a job can go to another queue, where its handle looks for it', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-other`;
  const job = await queue.enqueue('f', [1], { queue: other });
  t.equal(job.queue, other);
  t.equal((await job.info()).queue, other);
  t.equal((await queue.counts()).queued, 0);
  stage.worker({ f: (n: number) => n + 1 }, { queue: other });
  t.equal(await job.result({ timeout: '10s' }), 2);
  await t.rejects(queue.job(job.id).state(), { name: 'ResultNotFoundError' });
});

scene('calls of one tick share one round trip, a lone call goes out at once', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('warm'); // the script is known to the server from now on
  const together = await commandsDuring(stage.redis, () =>
    Promise.all(Array.from({ length: 100 }, (_, i) => queue.enqueue('f', [i]))),
  );
  t.same(
    together.map(([name]) => name!.toLowerCase()),
    ['evalsha'],
  );
  const alone = await commandsDuring(stage.redis, async () => {
    for (let i = 0; i < 5; i++) await queue.enqueue('g', [i]);
  });
  t.equal(alone.length, 5);
  t.equal((await queue.counts()).queued, 106);
});

scene('what comes in during a round trip shares the next one', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('warm');
  const sent = await commandsDuring(stage.redis, async () => {
    const first = queue.enqueue('f');
    await new Promise((resolve) => process.nextTick(resolve)); // it is on its way now
    const rest = Array.from({ length: 50 }, () => queue.enqueue('f'));
    await Promise.all([first, ...rest]);
  });
  t.equal(sent.length, 2);
});

scene('an enqueue that is sent twice makes one job', async (t, stage) => {
  const store = stage.store();
  const queue = stage.queue();
  const json = (call?: string) => JSON.stringify({ fn: 'f', args: [], ...(call && { call }) });
  const batch = [
    { id: 'plain', how: '', json: json() },
    { id: 'urgent', how: 'h - 0', json: json() },
    { id: 'later', how: 'n - +60000', json: json() },
    { id: 'mine', how: 'n pending 0', json: json('call-1') },
    { id: 'kept', how: 'l kept 0', json: json('call-2') },
  ];
  t.same([...(await store.enqueue(batch)).refused], [], 'the first time');
  const before = await queue.counts();
  t.match(before, { queued: 4, scheduled: 1 });
  t.same([...(await store.enqueue(batch)).refused], [], 'again: accepted, not refused');
  t.same(await queue.counts(), before);
  t.equal((await queue.stats()).enqueued, 5);

  stage.worker({ f: () => null });
  await until(async () => (await queue.counts()).completed === 4);
  t.same([...(await store.enqueue(batch)).refused], [], 'even when they have run');
  t.same(await queue.counts(), { ...before, queued: 0, completed: 4 });
});

scene('times are by the clock of Redis: those of a producer and a worker may be wrong by an hour', async (t, stage) => {
  const queue = stage.queue();
  const folder = app(t, {
    'jobs.mjs': 'export const f = () => Date.now();',
    'off.mjs': `const now = Date.now;
      Date.now = () => now() + 3_600_000;`,
  });
  const options = { cwd: folder, redis: stage.redis.url, env: { NODE_OPTIONS: `--import=${folder}/off.mjs` } };
  const from = await queue.now();
  const worker = minq(t, ['worker', 'jobs.mjs', '--queue', stage.name], options);
  t.match(await minq(t, ['enqueue', 'f', '--queue', stage.name, '--id', 'now'], options).ended, { code: 0 });
  t.match(await minq(t, ['enqueue', 'f', '--queue', stage.name, '--id', 'later', '--delay', '300ms'], options).ended, { code: 0 });
  const theirs = (await queue.job('later').result({ timeout: '20s' })) as number;
  await queue.job('now').result({ timeout: '20s' });
  const to = await queue.now();
  t.ok(theirs > to + 3_000_000, 'their clock is wrong');
  for (const id of ['now', 'later']) {
    const { enqueuedAt, startedAt, endedAt } = await queue.job(id).info();
    for (const at of [enqueuedAt!, startedAt!, endedAt!]) t.ok(at >= from && at <= to, `${id}: ${at}`);
  }
  const [seen] = await queue.workers();
  t.ok(seen!.seenAt >= from && seen!.seenAt <= (await queue.now()));
  t.match(await worker.end(), { code: 0 });
}); // prettier-ignore
