import { setTimeout as sleep } from 'node:timers/promises';
import { queueKeys } from '../../src/store/keys.ts';
import { app, JOBS, minq } from '../helpers/cli.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Far less than the 25 s a first signal may take, far more than the second needs on a busy machine. */
const SOON_MS = 8_000;

/** With less time than the command line gives: that takes `shutdown.long.test.ts`. */

const since = (startedAt: number) => performance.now() - startedAt;
const queued = (stage: Stage) =>
  stage.redis.client.lrange(queueKeys('minq', stage.name).queued, 0, -1);
const start = (t: Parameters<typeof minq>[0], stage: Stage, ...more: string[]) =>
  minq(t, ['worker', JOBS, '--queue', stage.name, ...more], { redis: stage.redis.url });

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  scene(`${signal}: claims no more, lets running jobs finish, exits with 0`, async (t, stage) => {
    const worker = start(t, stage, '--concurrency', '1');
    const queue = stage.queue();
    const running = await queue.enqueue('waitStubbornly', [1_500]);
    await worker.says(/job started/);
    const next = await queue.enqueue('add', [1, 2]);
    const { code } = await worker.end(signal);
    t.equal(code, 0);
    t.equal(await running.result({ timeout: '1s' }), 'waited');
    t.equal(await next.state(), 'queued');
  });
}

scene(
  'a second signal gives the jobs back at once, uncharged, and exits with 1',
  async (t, stage) => {
    const worker = start(t, stage);
    const queue = stage.queue();
    const job = await queue.enqueue('waitStubbornly', [60_000]);
    await worker.says(/job started/);
    worker.child.kill('SIGTERM');
    await worker.says(/SIGTERM: stopping/);
    await sleep(1_100);
    const startedAt = performance.now();
    const { code, stderr } = await worker.end('SIGTERM');
    t.equal(code, 1);
    t.ok(since(startedAt) < SOON_MS);
    t.match(stderr, new RegExp(`job released id=${job.id} `));
    t.same(await queued(stage), [`${job.id}:2:1`], 'its second run is again its first attempt');
  },
);

scene('the same signal twice within a second counts once', async (t, stage) => {
  const worker = start(t, stage);
  const job = await stage.queue().enqueue('waitStubbornly', [1_500]);
  await worker.says(/job started/);
  worker.child.kill('SIGINT'); // from the terminal
  await worker.says(/SIGINT: stopping/);
  t.equal((await worker.end('SIGINT')).code, 0); // by yarn, concurrently or npm, who had it too
  t.equal(await job.result({ timeout: '1s' }), 'waited');
});

scene(
  'what is not finished when the time is over goes back uncharged, and it exits with 0',
  async (t, stage) => {
    const options = ['--queue', stage.name, '--shutdown-timeout', '500ms', '--verbose'];
    const worker = minq(t, ['worker', JOBS, ...options], { redis: stage.redis.url });
    const job = await stage.queue().enqueue('waitStubbornly', [60_000]);
    await worker.says(/job started/);
    const { code } = await worker.end();
    t.equal(code, 0);
    t.match(worker.stderr, /giving back 1 unfinished job/);
    t.same(await queued(stage), [`${job.id}:2:1`]);
  },
);

for (const [how, signal] of [
  ['dead', 'SIGKILL'],
  ['frozen', 'SIGSTOP'],
] as const) {
  scene(
    `with Redis ${how}, a signal ends an idle worker, and two end a busy one`,
    async (t, stage) => {
      const idle = minq(t, ['worker', JOBS, '--queue', `${stage.name}-idle`], {
        redis: stage.redis.url,
      });
      const busy = start(t, stage);
      await idle.says(/worker started/);
      await stage.queue().enqueue('waitStubbornly', [60_000]);
      await busy.says(/job started/);
      // It has nothing at stake only once the answer to its last claim is there, and it sleeps.
      await until(async () => {
        const list = String(await stage.redis.client.client('LIST')).split('\n');
        return list.some((line) => line.includes(`:wait:${stage.name}-idle `) && / cmd=blpop /.test(line)); // prettier-ignore
      });
      stage.redis.signal(signal);
      const startedAt = performance.now();
      idle.child.kill('SIGTERM');
      busy.child.kill('SIGTERM');
      await busy.says(/SIGTERM: stopping/);
      busy.child.kill('SIGINT');
      t.equal((await busy.ended).code, 1);
      t.ok(since(startedAt) < SOON_MS, 'two signals');
      t.equal((await idle.ended).code, 0);
      t.ok(since(startedAt) < 20_000, 'one signal: there is nothing to wait for');
      if (signal === 'SIGSTOP') stage.redis.signal('SIGCONT');
      else await stage.redis.restart();
    },
    { redis: () => startRedis() },
  );
}

scene('a worker that has not found its Redis yet ends at the first signal', async (t) => {
  const worker = minq(t, ['worker', JOBS], { redis: 'redis://127.0.0.1:1' });
  await worker.says(/Redis/);
  const startedAt = performance.now();
  t.equal((await worker.end()).code, 0);
  t.ok(since(startedAt) < SOON_MS);
});

scene(
  'an exception outside any promise fails its job, lets the others finish, and exits with 1',
  async (t, stage) => {
    const worker = start(t, stage, '--concurrency', '2');
    const queue = stage.queue();
    const other = await queue.enqueue('waitStubbornly', [1_500]);
    await worker.says(/job started/);
    const thrower = await queue.enqueue('throwOutside', [], { retries: 0 });
    const { code, stderr } = await worker.ended;
    t.equal(code, 1);
    t.match(stderr, /uncaught exception/);
    await t.rejects(thrower.result({ timeout: '1s' }), {
      cause: { message: 'thrown from a timer' },
    });
    t.equal(await other.result({ timeout: '1s' }), 'waited');
  },
);

scene('a rejection that nobody handles fails its job, and the worker lives', async (t, stage) => {
  const worker = start(t, stage);
  const queue = stage.queue();
  const other = await queue.enqueue('waitStubbornly', [1_000]);
  const job = await queue.enqueue('rejectOutside', [], { retries: 0 });
  await t.rejects(job.result(), { cause: { message: 'rejected on the side' } });
  t.equal(await other.result(), 'waited');
  t.equal(await (await queue.enqueue('add', [1, 2])).result(), 3);
  worker.child.kill();
  await worker.says(/stopping/);
  await worker.end();
});

scene(
  'a rejection outside any job ends the worker with 1, also with several queues',
  async (t, stage) => {
    const folder = app(t, {
      'jobs.mjs': `export const a = () => 1;
      const timer = setInterval(() => process.env.GO && Promise.reject(new Error('not of a job')), 50);
      export const go = () => { setTimeout(() => (process.env.GO = '1'), 1); return 1; };`,
    });
    const args = ['worker', 'jobs.mjs', '--queue', stage.name, '--queue', `${stage.name}-b`];
    const worker = minq(t, args, { redis: stage.redis.url, cwd: folder });
    await (await stage.queue().enqueue('go')).result();
    const { code, stderr } = await worker.ended;
    t.equal(code, 1);
    t.match(stderr, /error uncaught exception: not of a job/);
    await until(async () => (await stage.redis.client.zcard(`minq:{${stage.name}}:active`)) === 0);
  },
);

scene('a signal ends a worker whose jobs file is still loading', async (t, stage) => {
  const folder = app(t, {
    'jobs.mjs': `process.stderr.write('loading');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      export const a = () => 1;`,
  });
  const worker = minq(t, ['worker', 'jobs.mjs'], { redis: stage.redis.url, cwd: folder });
  await worker.says(/loading/);
  const { code, signal } = await worker.end();
  t.same({ code, signal }, { code: 0, signal: null });
});
