/** What a job sees of itself, its progress, and what wraps its run. */
import { currentJob, type JobContext, type Middleware } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('currentJob tells a job who it is, also after it has waited', async (t, stage) => {
  let seen: JobContext | undefined;
  stage.worker({
    look: async (_a: string) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen = currentJob();
      seen.log.info('hello', { extra: 1 });
    },
  });
  const handle = await stage.queue().enqueue('look', ['x'], { meta: { trace: 't1' }, retries: 8 });
  await handle.result({ timeout: '10s' });
  const { id, fn, queue, attempt, retries, meta, enqueuedAt, tick, signal } = seen!;
  t.same(
    { id, fn, queue, attempt, retries, meta, enqueuedAt, tick, aborted: signal.aborted },
    {
      id: handle.id,
      fn: 'look',
      queue: stage.name,
      attempt: 1,
      retries: 8,
      meta: { trace: 't1' },
      enqueuedAt: (await handle.info()).enqueuedAt,
      tick: undefined,
      aborted: false,
    },
  );
  t.ok(stage.log.includes(`info hello {"id":"${id}","fn":"look","extra":1}`));
});

scene('jobs that run at the same time each see themselves', async (t, stage) => {
  stage.worker({
    who: async () => {
      const before = currentJob().id;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return [before, currentJob().id];
    },
  });
  const queue = stage.queue();
  const handles = await Promise.all(Array.from({ length: 50 }, () => queue.enqueue('who')));
  for (const { id, result } of handles.map((handle) => ({
    id: handle.id,
    result: handle.result(),
  }))) {
    t.same(await result, [id, id]);
  }
});

scene('outside of a job currentJob throws: nothing there can pass for a job', async (t, stage) => {
  const outside = { name: 'MinqError', code: 'NO_JOB', message: /called outside of a job/ };
  t.throws(currentJob, outside);
  stage.worker({ ask: () => currentJob().fn });
  const job = await stage.queue().enqueue('ask');
  t.equal(await job.result({ timeout: '10s' }), 'ask');
  t.throws(currentJob, outside, 'nor beside a worker');
});

scene('who listens for the abort is still of its job', async (t, stage) => {
  const listening = gate();
  let heard: string | undefined;
  stage.worker({
    wait: async () => {
      currentJob().signal.addEventListener('abort', () => (heard = currentJob().id));
      await listening.pass();
    },
  });
  const job = await stage.queue().enqueue('wait');
  await until(() => listening.running === 1);
  await job.cancel();
  await until(() => heard !== undefined);
  t.equal(heard, job.id);
  listening.open();
});

scene('the signal says why: timeout, cancel, shutdown', async (t, stage) => {
  const reasons: Record<string, string> = {};
  const listening = gate();
  const worker = stage.worker({
    wait: async (name: string) => {
      const { signal } = currentJob();
      signal.addEventListener('abort', () => (reasons[name] = (signal.reason as Error).name));
      await listening.pass();
    },
    late: async () => {
      await listening.pass();
      reasons['looked late'] = (currentJob().signal.reason as Error).name;
    },
  });
  const queue = stage.queue();
  await queue.enqueue('wait', ['timeout'], { timeout: 300 });
  const cancelled = await queue.enqueue('wait', ['cancel']);
  const late = await queue.enqueue('late');
  await queue.enqueue('wait', ['shutdown']);
  await until(() => listening.running === 4);
  await Promise.all([cancelled.cancel(), late.cancel()]);
  await until(() => reasons['timeout'] && reasons['cancel']);
  await worker.stop({ timeout: 0 });
  listening.open();
  await until(() => reasons['looked late']);
  t.same(reasons, {
    timeout: 'JobTimeoutError',
    cancel: 'JobCancelledError',
    shutdown: 'ShutdownError',
    'looked late': 'JobCancelledError',
  });
});

scene('of progress values the latest counts, up to the end of the job', async (t, stage) => {
  const ended = gate();
  let late: JobContext | undefined;
  stage.worker({
    chat: async () => {
      late = currentJob();
      for (let i = 0; i <= 50; i++) late.progress({ done: i });
      await ended.pass();
      // The first is on its way to Redis when the job ends with the last.
      late.progress('nearly');
      await new Promise<void>((resolve) => process.nextTick(resolve));
      late.progress('almost');
      late.progress('done');
      return 1;
    },
  });
  const handle = await stage.queue().enqueue('chat');
  await until(async () => (await handle.info()).progress);
  t.same((await handle.info()).progress, { done: 50 });
  t.throws(() => late!.progress(1n), {
    name: 'InvalidArgumentError',
    message: /^progress: BigInt/,
  });
  ended.open();
  await handle.result({ timeout: '10s' });
  t.equal((await handle.info()).progress, 'done');
  late!.progress('after the end');
  await stage.queue().counts();
  t.equal((await handle.info()).progress, 'done', 'the end is the end');
});

scene('middleware wraps each run, and its return value changes nothing', async (t, stage) => {
  const steps: string[] = [];
  const middleware: Middleware = async (job, next) => {
    steps.push(`before ${job.fn} ${job.attempt}`);
    t.equal(currentJob().id, job.id, 'it runs within the job');
    const result = await next();
    steps.push(`after ${String(result)}`);
    return 'something else';
  };
  stage.worker({ add: (a: number, b: number) => (steps.push('add'), a + b) }, { middleware });
  const handle = await stage.queue().enqueue('add', [2, 3]);
  t.equal(await handle.result({ timeout: '10s' }), 5);
  t.same(steps, ['before add 1', 'add', 'after 5']);
});

const WRONG: Record<string, [middleware: Middleware, error: object, runs: number]> = {
  'throws before next()': [
    () => Promise.reject(new RangeError('not today')),
    { name: 'RangeError', message: 'not today' },
    0,
  ],
  'throws after next()': [
    async (_job, next) => {
      await next();
      throw new RangeError('too late');
    },
    { name: 'RangeError', message: 'too late' },
    2,
  ],
  'does not call next()': [async () => {}, { message: /without calling next\(\)/ }, 0],
  'calls next() twice': [
    async (_job, next) => {
      await next();
      await next();
    },
    { message: /called next\(\) twice/ },
    2,
  ],
};

for (const [what, [middleware, cause, runs]] of Object.entries(WRONG)) {
  scene(`middleware that ${what} fails the attempt`, async (t, stage) => {
    let ran = 0;
    stage.worker({ f: () => ++ran }, { middleware });
    const handle = await stage.queue().enqueue('f', [], { retries: 1, backoff: 1 });
    await t.rejects(handle.result({ timeout: '10s' }), { cause });
    t.equal(ran, runs);
  });
}

scene('middleware can neither hide an error nor lose one by not waiting', async (t, stage) => {
  const swallow: Middleware = async (_job, next) => {
    await next().catch(() => {});
  };
  const hurry: Middleware = async (_job, next) => void next();
  for (const middleware of [swallow, hurry]) {
    const worker = stage.worker(
      {
        fail: () => Promise.reject(new Error('boom')),
        slow: () => new Promise((resolve) => setImmediate(resolve, 7)),
      },
      { middleware },
    );
    const queue = stage.queue();
    const failing = await queue.enqueue('fail', [], { retries: 0 });
    await t.rejects(failing.result({ timeout: '10s' }), { cause: { message: 'boom' } });
    t.equal(await (await queue.enqueue('slow')).result({ timeout: '10s' }), 7);
    await worker.stop();
  }
});
