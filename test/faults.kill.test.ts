/**
 * Workers that are frozen, or taken down by their own job. More of it, and workers that are killed: `chaos.scenarios`.
 */
import t from 'tap';
import { JobFailedError } from '../src/index.ts';
import { workerProcesses } from './helpers/processes.ts';
import { scene } from './helpers/setup.ts';
import { until } from './helpers/until.ts';

const LEASE = 1_000;

t.setTimeout(180_000);

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
