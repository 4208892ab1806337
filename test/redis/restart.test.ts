/** Redis is killed, restarted, or not there at all. */
import t from 'tap';
import { Queue, RedisUnavailableError, ResultNotFoundError, Worker } from '../../src/index.ts';
import { startProxy } from '../helpers/proxy.ts';
import { startRedis } from '../helpers/redis.ts';
import { workerProcesses } from '../helpers/processes.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(90_000);

const ownRedis = { redis: () => startRedis() };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

scene(
  'Redis restarted empty: the worker says what vanished and takes new jobs, who waited is told',
  async (t, stage) => {
    const queue = stage.queue();
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const jobs = { held: () => gate, echo: (text: string) => text };
    stage.worker(jobs, { concurrency: 1, lease: 60_000 });
    const running = await queue.enqueue('held');
    const waiting = await queue.enqueue('echo', ['never']);
    await until(async () => (await queue.counts()).active === 1);
    const lost = [running, waiting].map((job) => job.result().catch((error: Error) => error));
    await until(
      async () => (await stage.redis.client.exists(`minq:{${stage.name}}:waiters`)) === 1,
    );

    await stage.redis.restart({ empty: true });
    for (const error of await Promise.all(lost)) t.type(error, ResultNotFoundError);
    open();
    await until(() => stage.log.some((line) => /vanished/.test(line) && line.includes(running.id)));
    const next = await queue.enqueue('echo', ['after']);
    t.equal(await next.result({ timeout: '5s' }), 'after');
    t.equal((await queue.counts()).completed, 1, 'the job that vanished leaves no trace');
  },
  ownRedis,
);

scene(
  'a run whose job vanished hears of it by its signal, from the next heartbeat',
  async (t, stage) => {
    const queue = stage.queue();
    const reasons: unknown[] = [];
    let begun = false;
    const { currentJob } = await import('../../src/index.ts');
    const jobs = {
      wait: () =>
        new Promise<void>((resolve) => {
          const { signal } = currentJob();
          begun = true;
          signal.addEventListener('abort', () => {
            reasons.push((signal.reason as Error).name);
            resolve();
          });
        }),
    };
    stage.worker(jobs, { lease: 1_000 });
    await queue.enqueue('wait');
    await until(() => begun); // that it is active says nothing: the worker may not have heard of it
    await stage.redis.restart({ empty: true });
    await until(() => reasons.length > 0);
    t.same(reasons, ['LeaseLostError']);
  },
  ownRedis,
);

scene(
  'Redis away when worker and queue are made: both wait for it, and resume',
  async (t, stage) => {
    const proxy = await startProxy(stage.redis.port);
    stage.onEnd(() => proxy.close());
    await proxy.refuse();
    stage.worker({ echo: (text: string) => text }, { redis: proxy.url, callTimeout: 300 });
    const queue = stage.queue({ redis: proxy.url, callTimeout: '10s' });
    const early = queue.enqueue('echo', ['early']);
    await until(() => stage.log.filter((line) => line.includes('waiting for Redis')).length >= 2);
    await proxy.accept();
    const back = performance.now();
    t.equal(await (await early).result({ timeout: '5s' }), 'early');
    t.ok(performance.now() - back < 3_000, 'within 3 s');
  },
);

scene(
  'Redis away: an enqueue rejects at its deadline and says that nothing was sent',
  async (t, stage) => {
    const proxy = await startProxy(stage.redis.port);
    stage.onEnd(() => proxy.close());
    await proxy.refuse();
    const queue = stage.queue({ redis: proxy.url, callTimeout: 300 });
    const started = performance.now();
    const error = await queue.enqueue('echo').then(
      () => undefined,
      (reason: RedisUnavailableError) => reason,
    );
    t.type(error, RedisUnavailableError);
    t.equal(error?.maybeEnqueued, false);
    t.match(error?.message, 'ECONNREFUSED', 'it says why');
    t.ok(performance.now() - started < 4_000);
    await t.rejects(queue.counts(), { code: 'REDIS_UNAVAILABLE' });
    await t.rejects(queue.job('x').result(), { code: 'REDIS_UNAVAILABLE' });
    const other = stage.queue();
    const job = await other.enqueue('echo', [], { id: error!.id!, unique: 'kept' });
    t.notOk(job.duplicate);
    t.equal((await other.counts()).queued, 1);
  },
);

scene('jobs run on while Redis is away, and are settled when it is back', async (t, stage) => {
  const proxy = await startProxy(stage.redis.port);
  stage.onEnd(() => proxy.close());
  let runs = 0;
  const worker = stage.worker(
    { slow: () => (runs++, sleep(700)) },
    { redis: proxy.url, callTimeout: 300, lease: '30s' },
  );
  const queue = stage.queue();
  const job = await queue.enqueue('slow');
  await until(() => runs === 1);
  await proxy.refuse();
  await sleep(1_200); // longer than the run
  await proxy.accept();
  await job.result({ timeout: '5s' });
  t.equal(runs, 1);
  t.equal((await queue.stats()).refused, 0);
  await worker.stop();
});

// ---- Stopping without Redis ------------------------------------------------------------------

for (const [how, away, back] of [
  ['gone', 'SIGKILL', undefined],
  ['hung', 'SIGSTOP', 'SIGCONT'],
] as const) {
  scene(
    `Redis ${how}: a worker stops in time, with what it has and at once`,
    async (t, stage) => {
      // A short lease: so that a heartbeat is under way, too.
      const options = { redis: stage.redis.url, queue: stage.name, lease: 600 } as const;
      const hold = { hold: () => new Promise(() => {}) };
      const patient = new Worker(hold, { ...options, shutdownTimeout: 500, logger: silent });
      const hasty = new Worker(hold, { ...options, logger: silent });
      const idle = new Worker(hold, { ...options, logger: silent });
      const queue = stage.queue();
      const runs = [patient.run(), hasty.run()];
      await queue.enqueueMany(Array.from({ length: 20 }, () => ({ fn: 'hold' })));
      await until(async () => (await queue.counts()).active === 20);
      runs.push(idle.run());
      await until(async () => (await queue.workers()).length === 3);
      stage.redis.signal(away);
      await sleep(300); // let them notice, where there is something to notice

      const took = await Promise.all(
        [
          () => patient.stop(),
          () => hasty.stop({ timeout: 0 }),
          () => idle.stop({ timeout: 0 }),
        ].map(async (stop) => {
          const started = performance.now();
          await stop();
          return performance.now() - started;
        }),
      );
      await Promise.all(runs);
      t.ok(took[0]! < 500 + 2_000 + 1_500, `shutdownTimeout + 2 s: ${Math.round(took[0]!)} ms`);
      t.ok(took[1]! < 1_000 + 1_500, `at once, with jobs: ${Math.round(took[1]!)} ms`);
      t.ok(took[2]! < 1_000 + 1_500, `at once, idle: ${Math.round(took[2]!)} ms`);
      if (back) stage.redis.signal(back);
      else await stage.redis.restart();
      if (back)
        await until(
          async () => (await queue.counts()).active + (await queue.counts()).queued === 20,
        );
    },
    ownRedis,
  );
}

scene('Redis away from the start: a worker that is stopped stops at once', async (t, stage) => {
  const proxy = await startProxy(stage.redis.port);
  await proxy.refuse();
  const worker = new Worker(
    { echo: () => {} },
    { redis: proxy.url, queue: stage.name, logger: silent },
  );
  const running = worker.run();
  await sleep(200);
  const started = performance.now();
  await worker.stop({ timeout: 0 });
  await running;
  t.ok(performance.now() - started < 2_500);
});

scene(
  'Redis gone: the process of a stopped worker ends by itself, nothing keeps trying',
  async (t, stage) => {
    const processes = workerProcesses(stage);
    const queue = stage.queue();
    const worker = await processes.start({ redis: stage.redis.url, queue: stage.name });
    await queue.enqueue('hold');
    await until(() => processes.entries().some((e) => e.what === 'start'));
    await stage.redis.kill();
    await worker.stop(0);
    t.equal(worker.exitCode, 0);
    await stage.redis.restart();
  },
  ownRedis,
);

scene('Redis gone: a queue closes, and whom it can not serve it tells', async (t, stage) => {
  const proxy = await startProxy(stage.redis.port);
  stage.onEnd(() => proxy.close());
  const queue = new Queue(stage.name, { redis: proxy.url, callTimeout: 500 });
  const job = await queue.enqueue('echo');
  const waiting = job.result().catch((error: Error) => error.name);
  await until(async () => (await stage.redis.client.exists(`minq:{${stage.name}}:waiters`)) === 1);
  await queue.counts(); // answers come in order: that of the look for the result is there too
  await proxy.refuse();
  const late = queue.enqueue('echo').catch((error: Error) => error.name);
  const started = performance.now();
  await queue.close();
  t.ok(performance.now() - started < 3_500);
  t.equal(await late, 'RedisUnavailableError');
  t.equal(await waiting, 'QueueClosedError');
  await stage.redis.client.del(`minq:{${stage.name}}:waiters`);
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };
