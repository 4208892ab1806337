/** How a worker starts and stops: waits, gives back without charging, leaves nothing behind. */
import { currentJob, MinqError, RedisCommandError, Worker } from '../../src/index.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { gate } from '../helpers/gate.ts';
import { freePort, startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

scene(
  'stop waits for what runs, starts nothing more, and leaves the list of workers',
  async (t, stage) => {
    const held = gate();
    const queue = stage.queue();
    const worker = stage.worker({ hold: held.pass }, { concurrency: 1 });
    const [first, second] = [await queue.enqueue('hold', [1]), await queue.enqueue('hold', [2])];
    await until(() => held.running === 1);
    await until(async () => (await queue.workers()).length === 1);
    let stopped = false;
    const stopping = worker.stop().then(() => (stopped = true));
    await queue.counts();
    t.equal(stopped, false);
    held.open();
    await stopping;
    t.equal(await first.result({ timeout: '10s' }), 1);
    t.match(await second.info(), { state: 'queued', attempt: 1 });
    t.equal(held.started, 1);
    t.same(await queue.workers(), []);
  },
);

scene('what runs on while its worker stops keeps its lease', async (t, stage) => {
  const held = gate();
  const queue = stage.queue();
  const worker = stage.worker({ hold: held.pass }, { lease: 400 });
  const handle = await queue.enqueue('hold', [1]);
  await until(() => held.running === 1);
  const stopping = worker.stop();
  stage.worker({ hold: () => 'taken over' }, { lease: 400 });
  const ends = new Set<number | undefined>();
  await until(async () => {
    const { state, leaseEndsAt } = await handle.info();
    if (state === 'active') ends.add(leaseEndsAt);
    return ends.size === 5 || state === 'completed';
  });
  held.open();
  await stopping;
  t.equal(await handle.result({ timeout: '10s' }), 1);
  t.match(await queue.stats(), { recovered: 0, refused: 0, completed: 1 });
});

faultyScene(
  'a claim that is under way when its worker is stopped is given back, not run',
  async (t, stage) => {
    let runs = 0;
    const worker = stage.worker({ f: () => ++runs }, { lease: '30s' });
    const queue = stage.queue({ redis: stage.redis.url });
    await until(async () => (await queue.workers()).length === 1);
    stage.proxy.latencyMs = 300;
    const job = await queue.enqueue('f');
    await until(async () => (await queue.counts()).active === 1);
    await worker.stop();
    t.equal(runs, 0, 'its reply came after the call to stop');
    t.match(await job.info(), { state: 'queued', attempt: 1 });
  },
);

scene(
  'what is unfinished after the timeout is given back, and the next worker runs it at once',
  async (t, stage) => {
    const deaf = gate();
    const queue = stage.queue();
    const attempts: number[] = [];
    const worker = stage.worker(
      { hold: deaf.pass, other: () => {} },
      { concurrency: 2, lease: '1h' },
    );
    const handles = [await queue.enqueue('hold', [1]), await queue.enqueue('hold', [2])];
    await until(() => deaf.running === 2);
    await queue.enqueue('other');
    await worker.stop({ timeout: 10 });
    t.match(await queue.counts(), { queued: 3, active: 0 });
    t.same((await queue.jobs('queued')).map(({ id, attempt }) => [id, attempt]), [
    [handles[0]!.id, 1], [handles[1]!.id, 1], [(await queue.jobs('queued'))[2]!.id, 1],
  ]); // prettier-ignore
    stage.worker({
      hold: (n: number) => (attempts.push(currentJob().attempt), n),
      other: () => {},
    });
    t.same(await Promise.all(handles.map((handle) => handle.result({ timeout: '10s' }))), [1, 2]);
    t.same(attempts, [1, 1], 'no attempt was charged');
    deaf.open();
    await until(() => deaf.running === 0);
    t.match(await queue.stats(), { completed: 3, recovered: 0, refused: 0, retried: 0 });
  },
);

scene(
  'a second stop with less time hurries the first; a third one does no harm',
  async (t, stage) => {
    const deaf = gate();
    const queue = stage.queue();
    const before = timers();
    const worker = stage.worker({ hold: deaf.pass });
    await queue.enqueue('hold');
    await until(() => deaf.running === 1);
    const first = worker.stop({ timeout: '1h' });
    const second = worker.stop({ timeout: '2h' });
    const third = worker.stop({ timeout: 5 });
    await Promise.all([first, second, third]);
    await worker.stop();
    t.match(await queue.counts(), { queued: 1, active: 0 });
    await until(() => timers() <= before, {
      what: 'no timer keeps the process alive',
      timeoutMs: 5_000,
    });
    deaf.open();
  },
);

scene('stop before Redis could be reached ends the wait', async (t, stage) => {
  const port = await freePort();
  const worker = stage.worker({ f() {} }, { redis: `redis://127.0.0.1:${port}` });
  await until(() => stage.log.some((line) => /error Redis: .*ECONNREFUSED/.test(line)));
  const before = timers();
  await worker.stop();
  await until(() => timers() < before, { what: 'nothing tries on', timeoutMs: 5_000 });
  const errors = stage.log.length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.equal(stage.log.length, errors, 'no further attempt is logged');
});

scene('a worker that is started before Redis works when Redis is there', async (t, stage) => {
  await stage.redis.kill();
  const queue = stage.queue({ callTimeout: '20s' });
  stage.worker({ add: (a: number, b: number) => a + b });
  const handle = queue.enqueue('add', [1, 2]);
  await until(() => stage.log.some((line) => /error Redis: /.test(line)));
  await stage.redis.restart();
  t.equal(await (await handle).result({ timeout: '20s' }), 3);
}, { redis: startRedis }); // prettier-ignore

scene('stopped while Redis is away, a worker ends in time and leaves nothing running', async (t, stage) => {
  const before = timers();
  const worker = stage.worker({ hold: () => new Promise(() => {}), f() {} }, { callTimeout: 500, lease: 1_000 });
  const queue = stage.queue();
  await queue.enqueue('hold');
  await until(async () => (await queue.counts()).active === 1);
  await queue.close();
  await stage.redis.kill();
  await worker.stop({ timeout: 10 });
  await until(() => timers() <= before, { what: 'nothing tries on', timeoutMs: 5_000 });
  const said = stage.log.length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.equal(stage.log.length, said, 'nothing is said afterwards');
    await stage.redis.restart();
}, { redis: startRedis }); // prettier-ignore

scene('run can be called once', async (t, stage) => {
  const worker = stage.worker({ f() {} });
  await t.rejects(worker.run(), { name: 'MinqError', code: 'WORKER_RUNNING' });
  await worker.stop();
  await t.rejects(worker.run(), MinqError);
});

scene('stopped before it was run, a worker ends at once when it is', async (t, stage) => {
  const worker = new Worker({ f() {} }, { queue: stage.name, redis: stage.redis.url });
  await worker.stop();
  const job = await stage.queue().enqueue('f');
  await worker.run();
  t.equal(await job.state(), 'queued', 'it has ended, and run nothing');
});

scene('a server that refuses us is an error of run, not waited out', async (t, stage) => {
  await stage.redis.client.config('SET', 'requirepass', 'secret');
  stage.onEnd(() => stage.redis.client.config('SET', 'requirepass', ''));
  const worker = new Worker({ f() {} }, { queue: stage.name, redis: stage.redis.url });
  await t.rejects(worker.run(), RedisCommandError);
}, { redis: startRedis }); // prettier-ignore

scene('twenty workers that came and went leave no listener', async (t, stage) => {
  const listeners = () =>
    Object.fromEntries(
      process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
    );
  const before = listeners();
  for (let i = 0; i < 20; i++) {
    const worker = new Worker({ f: () => 1 }, { redis: stage.redis.url, queue: stage.name });
    const running = worker.run();
    await until(
      async () => process.listenerCount('unhandledRejection') > (before['unhandledRejection'] ?? 0),
    );
    await worker.stop();
    await running;
  }
  t.same(listeners(), before);
});
