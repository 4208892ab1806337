/** Limits of a whole queue: over several workers and processes, through a kill, changed while they work. */
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { asleep } from '../helpers/asleep.ts';
import { app, minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Most that begin in any window of this length. */
function mostWithin(times: readonly number[], ms: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to]! - sorted[from]! >= ms) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

const JOBS = `import { appendFileSync } from 'node:fs';
export const f = (file) => appendFileSync(file, Date.now() + '\\n');
`;

scene('a rate is kept by three processes together, one of them killed half-way, and is used', async (t, stage) => {
  const [rate, jobs] = [50, 400];
  const redis = stage.redis.url;
  const queue = stage.queue();
  await queue.limit({ rate: '50/1s' });
  const cwd = app(t, { 'jobs.js': JOBS, 'package.json': '{"type":"module"}' });
  const file = path.join(cwd, 'began');
  appendFileSync(file, '');
  const times = () => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  const workers = [1, 2, 3].map(() =>
    minq(t, ['worker', 'jobs.js', '--queue', stage.name, '--lease', '1s'], { redis, cwd }),
  );
  await until(async () => (await queue.workers()).length === 3, { timeoutMs: 30_000 });
  await queue.enqueueMany(Array.from({ length: jobs }, () => ({ fn: 'f', args: [file] })));
  await until(() => times().length >= jobs / 2, { timeoutMs: 30_000 });
  workers[0]!.child.kill('SIGKILL');
  await until(async () => (await queue.counts()).completed === jobs, { timeoutMs: 60_000 });

  const began = times();
  t.ok(began.length >= jobs, 'what the killed one had may have begun twice');
  // A job has begun when it is claimed, by Redis's clock; its first line runs a little later, here and there a little more.
  const claimed = (await queue.jobs('completed', { limit: jobs })).map(({ startedAt }) => startedAt!);
  const most = mostWithin(claimed, 1_000);
  t.ok(most <= rate, `${most} in a second`);
  const tookS = (Math.max(...began) - Math.min(...began)) / 1_000;
  const idealS = jobs / rate - 1;
  t.comment(`most in any second: ${most} of ${rate} (first lines: ${mostWithin(began, 1_000)}); took ${tookS.toFixed(2)} s, ideal ${idealS} s`);
  t.ok(tookS < idealS * 1.5 + 3, `${tookS} s`);
  await Promise.all(workers.slice(1).map((worker) => worker.end()));
}); // prettier-ignore

scene('jobs at once, over all workers; no slot is lost with a worker that dies', async (t, stage) => {
  const redis = stage.redis.url;
  const queue = stage.queue();
  await queue.limit({ concurrency: 3 });
  const held = gate();
  const jobs = { f: () => held.pass() };
  stage.worker(jobs, { concurrency: 10 });
  stage.worker(jobs, { concurrency: 10 });
  const cwd = app(t, { 'jobs.js': 'export const f = () => new Promise(() => setTimeout(() => {}, 60_000));' });
  const doomed = minq(t, ['worker', 'jobs.js', '--queue', stage.name, '--lease', '1s'], { redis, cwd });
  await until(async () => (await queue.workers()).length === 3, { timeoutMs: 30_000 });
  await queue.enqueueMany(Array.from({ length: 9 }, () => ({ fn: 'f' })));
  await until(async () => (await queue.counts()).active === 3);
  t.match(await queue.counts(), { queued: 6, active: 3, limit: { concurrency: 3 } });
  doomed.child.kill('SIGKILL');
  await doomed.ended;
  let most = 0;
  await until(async () => {
    const { active } = await queue.counts();
    most = Math.max(most, active);
    return held.running === 3;
  }, { timeoutMs: 30_000 }); // whoever had them, all three slots are the living ones' in the end
  t.equal(most, 3);
  held.open();
  await until(async () => (await queue.counts()).completed === 9, { timeoutMs: 30_000 });
}); // prettier-ignore

scene('waiting jobs keep their order, and a limit may be raised, lowered and taken away', async (t, stage) => {
  const queue = stage.queue();
  const order: number[] = [];
  const held = gate();
  stage.worker({ f: (n: number) => (order.push(n), held.pass()) }, { concurrency: 50 });
  await queue.limit({ concurrency: 1 });
  for (let n = 0; n < 9; n++) await queue.enqueue('f', [n]);
  await until(() => held.running === 1);
  await queue.limit({ concurrency: 4 });
  await until(() => held.running === 4);
  await queue.limit({ concurrency: 2, rate: '1/10m' });
  t.match(await queue.counts(), { limit: { concurrency: 2, rate: { count: 1, perMs: 600_000 } } });
  t.equal(held.running, 4, 'what runs goes on');
  await queue.limit(null);
  await until(() => held.running === 9);
  t.equal((await queue.counts()).limit, undefined);
  t.same(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  held.open();
  await until(async () => (await queue.counts()).completed === 9);
}); // prettier-ignore

scene('a rate that is used up costs no commands while it waits', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ f: () => 1 });
  await queue.limit({ rate: '2/10m' });
  await queue.enqueueMany(Array.from({ length: 5 }, () => ({ fn: 'f' })));
  await until(async () => (await queue.counts()).completed === 2);
  await until(() => asleep(stage));
  const sent = await commandsDuring(stage.redis, async () => {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  });
  t.ok(sent.length <= 3, `${sent.length} commands in 2 s: ${sent.map(([name]) => name).join(' ')}`);
  t.match(await queue.counts(), { queued: 3, completed: 2, active: 0 });
  await until(async () => ((await queue.oldestWaitingMs()) ?? 0) > 1_000);
  const check = await command(['check', '--queue', stage.name, '--max-age', '1s'], {
    redis: stage.redis.url,
  });
  t.match(
    check.stdout,
    /FAIL +waiting +queue \S+ \(at most 2 begin in 10m\): the oldest .* with 3 queued; slots are free, its limit may let no more begin: npx minq limit/,
  );
  await queue.limit(null);
  await until(async () => (await queue.counts()).completed === 5, { timeoutMs: 4_000 }); // asleep, it would be 15 s
});

scene('what can’t be a limit is said before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  const wrong: [limit: unknown, message: RegExp][] = [
    [{ rate: '100' }, /^limit.rate: "100" is not usable; give how many in which time, such as '100\/1m'/],
    [{ rate: '0/1s' }, /^limit.rate: "0\/1s"/],
    [{ rate: '100/soon' }, /^limit.rate: "soon" is no duration/],
    [{ rate: '1/1ms' }, /^limit.rate: "1ms" is out of range/],
    [{ concurrency: 0 }, /^limit.concurrency: 0 is not usable/],
    [{}, /^limit: .*give 'rate', 'concurrency' or both; null for none/],
    [{ rte: '1/1s' }, /^limit.rte: unknown option; did you mean 'rate'/],
    [undefined, /^limit: undefined/],
  ];
  for (const [limit, message] of wrong) {
    await t.rejects(queue.limit(limit as never), { code: 'INVALID_ARGUMENT', message });
  }
}); // prettier-ignore

scene('minq limit; stats show it', async (t, stage) => {
  const redis = stage.redis.url;
  const run = (...args: string[]) => command([...args, '--queue', stage.name], { redis });
  t.match(await run('limit'), { code: 0, stdout: `queue ${stage.name}: no limit\n` });
  t.match(await run('limit', '--rate', '100/1m', '--concurrency', '20'), { code: 0, stdout: `queue ${stage.name}: at most 100 begin in 1m, 20 at once\n` });
  t.match(JSON.parse((await run('limit', '--json')).stdout), { done: true, limit: { concurrency: 20, rate: { count: 100, perMs: 60_000 } } });
  t.match(await run('stats'), { code: 0, stdout: new RegExp(`^${stage.name}  limited: at most 100 begin in 1m, 20 at once\n`) });
  t.match(JSON.parse((await run('stats', '--json')).stdout), { queues: [{ limit: { concurrency: 20 } }] });
  t.match(await run('limit', '--off'), { code: 0, stdout: /no limit/ });
  t.match(await run('limit', '--off', '--rate', '1/1s'), { code: 2, stderr: /--off goes without the others/ });
  t.match(await run('limit', '--rate', 'fast'), { code: 2, stderr: /^minq: limit.rate: "fast"/ });
}); // prettier-ignore
