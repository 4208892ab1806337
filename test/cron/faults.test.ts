/**
 * Cron under faults: hosts whose clocks are wrong, a Redis that lost everything or was away. (Beats that are killed and
 * frozen: the scenario `cron-beats`.)
 */
import t from 'tap';
import { currentJob, job } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { workerProcesses } from '../helpers/processes.ts';
import { startPlainServer } from '../helpers/plain-server.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type AnyQueue } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);
t.jobs = 6; // they wait for seconds to pass

/** A run as the fixture wrote it. */
const ticksOf = (processes: ReturnType<typeof workerProcesses>) =>
  processes
    .entries()
    .filter(({ what }) => what === 'tick')
    .map(({ id, attempt }) => ({ tick: Number(id), enqueuedAt: attempt }));

const beatPid = async (queue: AnyQueue) => (await queue.workers()).find(({ beat }) => beat)?.pid;

scene('hosts whose clocks are ten minutes off fire the same ticks, on time', async (t, stage) => {
  const processes = workerProcesses(stage, 'cron/worker.ts');
  const queue = stage.queue();
  const options = { redis: stage.redis.url, queue: stage.name };
  const skews = [600_000, -600_000];
  const workers = [];
  for (const skew of skews) workers.push(await processes.start(options, { CLOCK_SKEW_MS: String(skew) })); // prettier-ignore
  const first = await beatPid(queue);
  await until(() => ticksOf(processes).length >= 4);
  // The other one fires too, once the first is gone.
  await workers.find(({ pid }) => pid === first)!.stop(1_000);
  const before = ticksOf(processes).length;
  await until(() => ticksOf(processes).length >= before + 4);
  t.not(await beatPid(queue), first);
  const seen = ticksOf(processes);
  const ticks = seen.map(({ tick }) => tick);
  t.same(
    ticks,
    Array.from(ticks, (_, i) => ticks[0]! + i * 1_000),
    'every second, each once',
  );
  for (const { tick, enqueuedAt } of seen) t.ok(enqueuedAt >= tick && enqueuedAt < tick + 5_000);
  const [seconds] = await stage.redis.client.time();
  t.ok(Math.abs(ticks.at(-1)! / 1_000 - Number(seconds)) < 30, 'seconds of the clock of Redis');
}, { beside: true }); // prettier-ignore

scene('a Redis that comes back empty: the entries are written down again', async (t, stage) => {
  const queue = stage.queue();
  const ticks: Date[] = [];
  const tick = job({ every: '1s' }, () => void ticks.push(new Date()));
  const rare = job({ cron: '0 0 1 1 *' }, () => undefined);
  stage.worker({ tick }, { app: 'often', lease: 1_000 });
  stage.worker({ rare }, { app: 'rarely', lease: 1_000 });
  await until(async () => ticks.length > 0 && (await queue.schedules()).length === 2);
  await stage.redis.restart({ empty: true });
  await until(async () => (await queue.schedules()).length === 2, { timeoutMs: 40_000 });
  const before = ticks.length;
  await until(() => ticks.length > before);
  t.match(await queue.schedules(), [{ name: 'rare', app: 'rarely' }, { name: 'tick', app: 'often' }]); // prettier-ignore
}, { beside: true }); // prettier-ignore

scene('whoever beats sees at the next tick that Redis was emptied, and waits for no heartbeat', async (t, stage) => {
  const queue = stage.queue();
  const { entries, workers, lastTicks } = stage.store().keys;
  await queue.pause(); // nothing runs: heartbeats are ten seconds apart
  stage.worker({ tick: job({ every: '1s' }, () => {}) });
  await until(() => stage.redis.client.exists(lastTicks));
  await stage.redis.client.flushall();
  await until(() => stage.redis.client.exists(entries));
  t.equal(await stage.redis.client.exists(workers), 0, 'no worker has said that it is there');
}, { redis: startRedis }); // prettier-ignore

scene('what was not heard, the heartbeat brings: soon, while jobs run', async (t, stage) => {
  const queue = stage.queue();
  const { cron, entries, apps } = stage.store().keys;
  const { client } = stage.redis;
  const held = gate();
  const yearly = () => job({ cron: '@yearly' }, () => undefined);
  const options = { lease: 1_500, concurrency: 2 };
  stage.worker({ first: yearly(), hold: held.pass }, { app: 'one', ...options });
  stage.worker({ second: yearly(), hold: held.pass }, { app: 'two', ...options });
  await until(async () => (await queue.schedules()).length === 2);
  await queue.enqueueMany(Array.from({ length: 3 }, () => ({ fn: 'hold' })));
  await until(() => held.running === 3, { what: 'each of the two has a lease to renew' });
  // One of two apps' entries is gone; the other's has the same next tick.
  await client.multi().zrem(cron, 'second').hdel(entries, 'second').hdel(apps, 'two').exec();
  await until(async () => (await queue.schedules()).length === 2);
  // An entry falls due earlier than the beat was told.
  await client.zadd(cron, 1_000, 'first');
  await until(async () => (await queue.schedules())[0]!.last === 'fired');
  t.match(await queue.schedules(), [{ name: 'first', last: 'fired' }, { name: 'second' }]);
  held.open();
  await until(async () => (await queue.counts()).completed === 4);
}, { beside: true }); // prettier-ignore

scene('a Redis that is away: its ticks are made up for as the entry says', async (t, stage) => {
  const queue = stage.queue();
  const ticks: Record<string, number[]> = { last: [], all: [] };
  const entry = (name: string, catchUp: 'last' | 'all') =>
    job({ every: '1s', catchUp }, () => void ticks[name]!.push(Date.now()));
  stage.worker({ last: entry('last', 'last'), all: entry('all', 'all') }, { lease: 1_000 });
  await until(() => ticks['all']!.length > 1);
  stage.redis.signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 7_000)); // how long the fault lasts
  stage.redis.signal('SIGCONT');
  const done = async (name: string) =>
    (await queue.jobs('completed', { limit: 1_000 })).filter(({ fn }) => fn === name).map(({ tick }) => tick!).sort((a, b) => a - b); // prettier-ignore
  const before = ticks['all']!.length;
  await until(() => ticks['all']!.length > before + 9);
  const [all, last] = [await done('all'), await done('last')];
  t.same(all, Array.from(all, (_, i) => all[0]! + i * 1_000), 'nothing is missing');
  t.same(last, Array.from(last, (_, i) => last[0]! + i * 1_000), 'a worker was there: nor here');
}, { beside: true }); // prettier-ignore

scene('the clock of Redis is set back over ticks: they do not fire again', async (t, stage) => {
  const queue = stage.queue();
  const runs: { tick: number; enqueuedAt: number }[] = [];
  const every = job({ every: '1s', catchUp: 'all' }, () => {
    const { tick, enqueuedAt } = currentJob();
    runs.push({ tick: tick!.getTime(), enqueuedAt });
  });
  stage.worker({ every }, { lease: 2_000 });
  await until(() => runs.length >= 3);
  const before = Number((await stage.redis.client.time())[0]);
  stage.redis.signal('SIGUSR2');
  await until(async () => Number((await stage.redis.client.time())[0]) < before);
  const at = runs.length;
  await until(() => runs.length >= at + 3, { timeoutMs: 40_000 });
  const ticks = runs.map(({ tick }) => tick);
  t.same(ticks, Array.from(ticks, (_, i) => ticks[0]! + i * 1_000), 'each once, in order');
  t.ok(runs.every(({ tick, enqueuedAt }) => enqueuedAt >= tick), 'none before its time');
  t.equal((await queue.counts()).failed, 0);
}, { redis: startPlainServer, beside: true }); // prettier-ignore

scene('the clock of Redis is set back by an hour: what keeps its spacing goes on, and nothing comes twice', async (t, stage) => {
  const queue = stage.queue();
  const ticks: number[] = [];
  const spaced = job({ cron: '* * * * * *' }, () => void ticks.push(currentJob().tick!.getTime()));
  stage.worker({ spaced, daily: job({ cron: '0 0 0 * * *' }, () => t.fail('not its time')) }, { lease: 2_000 });
  await until(() => ticks.length >= 3);
  stage.redis.signal('SIGHUP');
  const before = ticks.length;
  await until(() => ticks.length >= before + 4, { timeoutMs: 20_000 });
  t.equal(new Set(ticks).size, ticks.length);
  t.ok(ticks.at(-1)! < ticks[0]! - 3_500_000, 'by the new time');
  t.ok(stage.log.some((line) => line.startsWith('warn cron: the clock of Redis was set back')), stage.log.join());
  t.equal((await queue.counts()).failed, 0);
}, { redis: startPlainServer, beside: true }); // prettier-ignore
