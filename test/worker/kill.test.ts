/**
 * Workers that are frozen, or taken down by their own job. More of it, and workers that are killed: `chaos/scenarios.long.test.ts`.
 */
import t from 'tap';
import { JobFailedError } from '../../src/index.ts';
import { workerProcesses, type WorkerProcesses } from '../helpers/processes.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

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
    const endSupervision = supervise(stage, processes);
    const error: JobFailedError = await poison.result({ timeout: '30s' }).then(
      () => t.fail('the poison can not complete'),
      (reason) => reason,
    );
    await until(async () => (await queue.counts()).completed === good.length);
    await endSupervision();

    t.type(error, JobFailedError);
    t.equal((error.cause as Error).name, 'WorkerLostError');
    const starts = processes.entries().filter((e) => e.what === 'start');
    t.same(
      starts.filter((e) => e.id === poison.id).map((e) => e.attempt),
      [1, 1, 2, 3, 4],
      'it ran retries + 2 times: the first loss, when nobody knew that it had begun, was forgiven',
    );
    const firstPoison = starts.findIndex((e) => e.id === poison.id && e.attempt === 2);
    const before = new Set(starts.slice(0, firstPoison).map((e) => e.id));
    t.ok(before.size > 150, `it went to the back of the queue, behind ${before.size} others`);
    t.equal((await queue.counts()).failed, 1, 'no good one failed');
  },
);

scene(
  'jobs that lost their workers beside a poison get their last attempt without it',
  async (t, stage) => {
    const processes = workerProcesses(stage);
    const queue = stage.queue();
    const works = Array.from({ length: 5 }, () => ({ fn: 'work', args: [1_000], retries: 2 }));
    await queue.enqueueMany([{ fn: 'latePoison', retries: 2 }, ...works]);
    const endSupervision = supervise(stage, processes);
    const ended = async () => {
      const { completed, failed } = await queue.counts();
      return completed + failed === 6;
    };
    await until(ended, { timeoutMs: 60_000 });
    await endSupervision();
    t.match(await queue.counts(), { completed: 5, failed: 1 });
  },
);

scene('jobs claimed with one that kills its worker are neither failed nor charged', async (t, stage) => {
  const processes = workerProcesses(stage);
  const queue = stage.queue();
  const work = (_: unknown, i: number) => ({ fn: 'work', args: [i * 10], retries: 0 });
  const works = Array.from({ length: 9 }, work);
  const jobs = [...works.slice(0, 4), { fn: 'poison', retries: 0 }, ...works.slice(4)];
  const ids = (await queue.enqueueMany(jobs)).flatMap((one) => (one.status === 'fulfilled' ? one.value.id : []));
  const poison = ids[4]!;
  const endSupervision = supervise(stage, processes);
  await until(async () => {
    const { completed, failed } = await queue.counts();
    return completed + failed === jobs.length;
  }, { timeoutMs: 30_000 });
  await endSupervision();
  const starts = processes.entries().filter(({ what }) => what === 'start').map(({ id }) => id);
  const runsOf = (id: string) => starts.filter((one) => one === id).length;
  t.equal(runsOf(poison), 2, 'what may have been innocent is run once more');
  t.match(await queue.job(poison).info(), { state: 'failed', attempt: 1, error: { name: 'WorkerLostError', message: /last of 1 run/ } });
  for (const id of ids.filter((id) => id !== poison)) {
    const { state, attempt, attempts } = (await queue.job(id).info())!;
    t.strictSame({ id, state, attempt, attempts }, { id, state: 'completed', attempt: 1, attempts: undefined });
  }
}); // prettier-ignore

/** A worker that died is replaced at once, until the function returned is called. */
function supervise(stage: Stage, processes: WorkerProcesses): () => Promise<void> {
  const options = { redis: stage.redis.url, queue: stage.name, lease: LEASE, concurrency: 10 };
  let over = false;
  const supervising = (async () => {
    while (!over) {
      const worker = await processes.start(options);
      await until(() => over || worker.exitCode !== undefined, { timeoutMs: 60_000 });
    }
  })();
  const end = () => {
    over = true;
    return supervising;
  };
  stage.onEnd(end);
  return end;
}
