/** Workers that are killed, frozen, or taken down by their own job. */
import t from 'tap';
import { JobFailedError } from '../src/index.ts';
import type { Entry } from './helpers/evidence.ts';
import { seeded } from './helpers/seeded.ts';
import { workerProcesses } from './helpers/processes.ts';
import { scene } from './helpers/setup.ts';
import { until } from './helpers/until.ts';

const LEASE = 1_000;

t.setTimeout(180_000);

scene(
  'SIGKILL at 20 random phases: every job runs again within lease + 1 s, none is lost',
  async (t, stage) => {
    const random = seeded(20_261_120);
    const processes = workerProcesses(stage);
    const queue = stage.queue();
    const options = { redis: stage.redis.url, queue: stage.name, lease: LEASE };
    const start = () => processes.start(options);
    // Two are always there to go on: a kill comes only when the one before was made up for.
    const workers = await Promise.all([start(), start(), start()]);
    const killed = new Map<number, number>();
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      const jobs = Array.from({ length: 6 }, () =>
        // Without a charge limit in the way: a job may be hit by several of the kills.
        queue.enqueue('work', [50 + random(600)], { retries: 20 }),
      );
      for (const job of await Promise.all(jobs)) ids.push(job.id);
      await new Promise((resolve) => setTimeout(resolve, random(300))); // the phase of this kill
      const victim = workers.splice(random(workers.length), 1)[0]!;
      victim.signal('SIGKILL');
      killed.set(victim.pid, Date.now());
      workers.push(await start());
    }
    await Promise.all(ids.map((id) => queue.job(id).result({ timeout: '20s' })));

    const entries = processes.entries();
    const again = interrupted(entries, killed).map(({ start, killedAt }) => {
      const next = entries.find((e) => e.what === 'start' && e.id === start.id && e.at >= killedAt);
      return next ? next.at - killedAt : Infinity;
    });
    const worst = Math.max(...again);
    t.comment(`${ids.length} jobs, ${again.length} runs interrupted, worst wait ${worst} ms`);
    t.ok(again.length >= 10, 'the kills did interrupt runs');
    t.ok(worst <= LEASE + 1_000, `at most lease + 1 s: ${worst} ms`);
    const counts = await queue.counts();
    t.equal(counts.completed, ids.length);
    t.equal(counts.failed + counts.active + counts.queued + counts.scheduled, 0);
    const stats = await queue.stats();
    t.equal(stats.completed, ids.length, 'each was settled once');
    t.ok(stats.recovered >= again.length);
  },
);

/** Runs that a kill ended. */
function interrupted(entries: Entry[], killed: ReadonlyMap<number, number>) {
  return entries.flatMap((start) => {
    const killedAt = killed.get(start.pid);
    if (start.what !== 'start' || killedAt === undefined) return [];
    const over = entries.some(
      (e) =>
        e.what === 'end' && e.id === start.id && e.pid === start.pid && e.attempt === start.attempt,
    );
    return over ? [] : [{ start, killedAt }];
  });
}

scene(
  'SIGSTOP for twice the lease: two runs, and the result recorded is the newer one',
  async (t, stage) => {
    const processes = workerProcesses(stage);
    const queue = stage.queue();
    const options = { redis: stage.redis.url, queue: stage.name, lease: LEASE, concurrency: 1 };
    const first = await processes.start(options);
    const job = await queue.enqueue('work', [600]);
    await until(() => processes.entries().some((e) => e.what === 'start'));
    first.signal('SIGSTOP');
    const second = await processes.start(options);
    await new Promise((resolve) => setTimeout(resolve, 2 * LEASE)); // how long the fault lasts
    first.signal('SIGCONT');

    t.equal(await job.result({ timeout: '10s' }), String(second.pid), 'the newer run is recorded');
    const seen = (what: string, pid: number) =>
      processes.entries().some((e) => e.what === what && e.pid === pid);
    await until(() => seen('end', first.pid), { what: 'the frozen run goes on to its end' });
    await until(async () => (await queue.stats()).refused === 1, {
      what: 'its settlement is refused',
    });
    t.equal(await job.result(), String(second.pid), 'and nothing was overwritten');
    t.equal((await job.info()).attempt, 2);
    t.equal(processes.entries().filter((e) => e.what === 'start').length, 2);
    t.equal((await queue.stats()).completed, 1);
  },
);

scene('a job that outlives its lease hears of it by its signal', async (t, stage) => {
  const processes = workerProcesses(stage);
  const queue = stage.queue();
  const options = { redis: stage.redis.url, queue: stage.name, lease: LEASE, concurrency: 1 };
  const first = await processes.start(options);
  const job = await queue.enqueue('work', [8_000]);
  await until(() => processes.entries().some((e) => e.what === 'start'));
  first.signal('SIGSTOP');
  const second = await processes.start(options);
  await until(() => processes.entries().some((e) => e.what === 'start' && e.pid === second.pid));
  first.signal('SIGCONT');
  await until(() => processes.entries().some((e) => e.what === 'abort' && e.pid === first.pid));
  t.equal(await job.state(), 'active', 'the newer run goes on');
  t.notOk(processes.entries().some((e) => e.what === 'abort' && e.pid === second.pid));
  await job.cancel();
  await until(async () => (await job.state()) === 'cancelled');
});

scene(
  'a job that kills its worker each time ends failed, and the good ones beside it complete',
  async (t, stage) => {
    const processes = workerProcesses(stage);
    const queue = stage.queue();
    const poison = await queue.enqueue('poison');
    const good = await queue.enqueueMany(
      Array.from({ length: 200 }, () => ({ fn: 'work', args: [10] })),
    );
    let over = false;
    const supervised = async () => {
      while (!over) {
        const worker = await processes.start({
          redis: stage.redis.url,
          queue: stage.name,
          lease: LEASE,
          concurrency: 10,
        });
        await until(() => over || worker.exitCode !== undefined, { timeoutMs: 60_000 });
      }
    };
    const supervisor = supervised();
    const error: JobFailedError = await poison.result({ timeout: '30s' }).then(
      () => t.fail('the poison can not complete'),
      (reason) => reason,
    );
    await until(async () => (await queue.counts()).completed === good.length);
    over = true;
    await supervisor;

    t.type(error, JobFailedError);
    t.equal((error.cause as Error).name, 'WorkerLostError');
    const starts = processes.entries().filter((e) => e.what === 'start');
    t.same(
      starts.filter((e) => e.id === poison.id).map((e) => e.attempt),
      [1, 2, 3, 4],
      'it ran retries + 1 times',
    );
    const firstPoison = starts.findIndex((e) => e.id === poison.id && e.attempt === 2);
    const before = new Set(starts.slice(0, firstPoison).map((e) => e.id));
    t.ok(before.size > 150, `it went to the back of the queue, behind ${before.size} others`);
    t.equal((await queue.counts()).failed, 1, 'no good one failed');
  },
);
