/**
 * Every documented default, written down by hand: as the README has it, and as it is found by using it. Nothing here is
 * read from the code that sets it.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { currentJob, Queue } from '../../src/index.ts';
import { docs } from '../helpers/docs.ts';
import { FROM_SOURCE, minq } from '../helpers/cli.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

process.env['TZ'] = 'Asia/Tokyo'; // no default may come from where a machine stands

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** As README and the guides have them: a row of a table, or a sentence. */
const README: Record<string, RegExp> = {
  retries: /^\| `retries` +\| 3 +\| runs after the first: up to four in all/m,
  backoff: /^\| `backoff` +\| exponential +\| `\{ type, delay: '1s', max: '10m', jitter: 1 \}`/m,
  timeout: /^\| `timeout` +\| `5m` /m,
  resultTtl: /^\| `resultTtl` +\| `1h` /m,
  retryIf: /^\| `retryIf` +\| all /m,
  prefix: /^\| `prefix` +\| `minq` /m,
  callTimeout: /^\| `callTimeout` +\| `5s` /m,
  timezone: /^\| `timezone` +\| `UTC` /m,
  catchUp: /^\| `catchUp` +\| `last` /m,
  overlap: /^\| `overlap` +\| true /m,
  queue: /^\| `queue` +\| `default` /m,
  concurrency: /^\| `concurrency` +\| 10 /m,
  lease: /^\| `lease` +\| `15s` .*heartbeat \(sent every third of it\)/m,
  shutdownTimeout: /^\| `shutdownTimeout` +\| `25s` /m,
  burst: /^\| `burst` +\| false /m,
  kept: /^\| `keepFailed`, `keepCompleted` +\| `\{ age: '7d', count: 10_000 \}`, `1h` /m,
  unique: /default: while it waits or runs$/m,
};

void t.test('the README says them', async (t) => {
  const text = docs();
  for (const [name, said] of Object.entries(README)) t.match(text, said, name);
});

const jobs = {
  ok: () => 'fine',
  fails() {
    throw new Error('no');
  },
  holds: () => new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve)),
};

const between = (value: number, least: number, most: number) => value >= least && value <= most;

scene('retries: four runs, whatever the error', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  stage.worker(jobs);
  const job = await queue.enqueue('fails', [], { backoff: 1 });
  await t.rejects(job.result({ timeout: '20s' }), { code: 'JOB_FAILED' });
  const { attempt, attempts } = await job.info();
  t.same([attempt, attempts!.length], [4, 3]);
});

/** How long jobs wait after the failure of this attempt, which is none of the last. */
async function waitsAfter(stage: Stage, attempt: number): Promise<number[]> {
  const queue = stage.queue<typeof jobs>();
  const { scheduled, tickets } = stage.store().keys;
  const { client } = stage.redis;
  const ids = Array.from({ length: 300 }, (_, i) => `wait-${attempt}-${i}`);
  await queue.enqueueMany(ids.map((id) => ({ fn: 'fails', args: [], id, delay: '1h', retries: 100 })));
  for (const ticket of await client.zrange(scheduled, '0', '-1')) {
    const [id, run] = ticket.split(':') as [string, string];
    const later = `${id}:${run}:${attempt}${/[a-z]$/.exec(ticket)?.[0] ?? ''}`;
    await client.multi().zrem(scheduled, ticket).zadd(scheduled, '1', later).hset(tickets, id, later).exec();
  }
  const worker = stage.worker(jobs);
  await until(async () => (await queue.find('scheduled', { error: 'no', limit: 300 })).jobs.length === 300);
  await worker.stop();
  const waits: number[] = [];
  for (const id of ids) {
    const { dueAt, attempts, attempt: next } = await queue.job(id).info();
    // One that waited for a moment only may have run once more, or stand in line for it.
    if (next === attempt + 1 && dueAt !== undefined) waits.push(dueAt - attempts!.at(-1)!.endedAt);
  }
  await queue.purge('scheduled');
  return waits;
} // prettier-ignore

for (const [attempt, most] of [
  [10, 512 * SECOND],
  [11, 10 * MINUTE],
  [60, 10 * MINUTE],
] as const) {
  scene(`backoff: after attempt ${attempt} anything up to ${most} ms`, async (t, stage) => {
    const waits = await waitsAfter(stage, attempt);
    // Of 300 that are spread evenly none lies in the last tenth, or in the first, once in 10^13 times.
    t.ok(between(Math.max(...waits), 0.9 * most, most + 1), `longest ${Math.max(...waits)}`);
    t.ok(between(Math.min(...waits), 0, 0.1 * most), `shortest ${Math.min(...waits)}`);
  });
}

scene('how long things are kept', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  stage.worker(jobs);
  const { completed, failed, cancelled } = stage.store().keys;
  const keptMs = async (key: string, id: string) =>
    Number(await stage.redis.client.zscore(key, id)) - (await queue.job(id).info()).endedAt!;
  await (await queue.enqueue('ok', [], { id: 'a' })).result();
  t.equal(await keptMs(completed, 'a'), HOUR);
  await (await queue.enqueue('fails', [], { id: 'b', retries: 0 })).result().catch(() => {});
  t.equal(await keptMs(failed, 'b'), 7 * DAY);
  await (await queue.enqueue('ok', [], { id: 'c', delay: '1h' })).cancel();
  t.equal(await keptMs(cancelled, 'c'), HOUR);
});

scene('priority, unique, lease, concurrency, burst', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  t.match(await (await queue.enqueue('ok', [], { id: 'x' })).info(), { priority: 'normal', meta: {}, attempt: 1 });
  t.equal((await queue.enqueue('ok', [], { id: 'x' })).duplicate, true, 'while it waits');
  stage.worker(jobs);
  await queue.job('x').result();
  t.equal((await queue.enqueue('ok', [], { id: 'x' })).duplicate, false, 'not while its result is kept');
  for (let i = 0; i < 25; i++) await queue.enqueue('holds', [], { id: `h${i}` });
  await until(async () => (await queue.counts()).active >= 10);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.match(await queue.counts(), { active: 10, queued: 15 }, 'ten at once; and it has not stopped by itself');
  t.match(await queue.workers(), [{ concurrency: 10 }]);
  const claimedAt = await queue.now();
  await queue.job('h0').cancel();
  await until(async () => (await queue.job('h10').info()).state === 'active');
  const { leaseEndsAt } = await queue.job('h10').info();
  t.ok(between(leaseEndsAt! - claimedAt, 15 * SECOND, 15 * SECOND + (await queue.now()) - claimedAt), 'a lease of 15 s');
}); // prettier-ignore

scene('cron: in UTC, the last tick that was missed, runs that overlap', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  await queue.schedule('noon', { fn: 'ok', cron: '0 12 * * *' });
  const [entry] = await queue.schedules();
  t.match(entry, { catchUp: 'last', overlap: true });
  t.equal(new Date(entry!.nextAt!).getUTCHours(), 12);
});

void t.test('queue, prefix, and how long a call waits', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const queue = new Queue(undefined, { redis: redis.url });
  t.teardown(() => queue.close());
  await queue.enqueue('ok');
  t.equal(queue.name, 'default');
  t.same((await redis.client.keys('*:jobs')), ['minq:{default}:jobs']);
  process.kill(redis.pid, 'SIGSTOP');
  const from = performance.now();
  await t.rejects(queue.counts(), { code: 'REDIS_UNAVAILABLE' });
  const tookMs = performance.now() - from;
  process.kill(redis.pid, 'SIGCONT');
  t.ok(between(tookMs, 4.9 * SECOND, 12 * SECOND), `${tookMs} ms`);
}); // prettier-ignore

scene('what a worker waits for: its timers, from a process of its own', async (t, stage) => {
  const folder = path.resolve(import.meta.dirname, '../fixtures/worker');
  const queue = stage.queue();
  const worker = minq(t, ['worker', path.join(folder, 'timers.mjs'), '--queue', stage.name], {
    redis: stage.redis.url,
    program: FROM_SOURCE.program,
    env: {
      NODE_OPTIONS: `${FROM_SOURCE.env.NODE_OPTIONS} --import=${pathToFileURL(path.join(folder, 'timers-told.mjs')).href}`,
    },
  });
  await queue.enqueue('holds');
  await until(async () => (await queue.counts()).active === 1);
  await worker.says(/timer (299\d{3}|300000)\b/);
  t.pass('timeout: five minutes');
  await worker.says(/timer 5[0-4]\d\d\.\d/);
  t.pass('a heartbeat every third of the lease, and up to a tenth more');
  worker.child.kill('SIGTERM');
  await worker.says(/timer (24999|25000)\b/);
  t.pass('shutdownTimeout');
  worker.child.kill('SIGKILL');
});

void t.test('the command line', async (t) => {
  const { stdout } = await minq(t, ['worker', '--help']).ended;
  t.match(stdout, /a queue to work on, .*else default\)/);
  t.match(stdout, /jobs at once .*\(default 10\)/);
  t.match(stdout, /how long running jobs may take when it stops \(default 25s\)/);
  t.match((await minq(t, ['dashboard', '--help']).ended).stdout, /5555/);
});
