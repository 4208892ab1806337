import { JobFailedError, ResultNotFoundError } from '../../src/index.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Jobs that run until the scene lets them end. */
function held(stage: Stage, concurrency = 10) {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  stage.worker({ f: async (value: unknown) => (await ended, value) }, { concurrency });
  return end;
}

/** Whom Redis tells of the job's end. */
const waiters = (stage: Stage, id: string) =>
  stage.redis.client.hget(`minq:{${stage.name}}:waiters`, id);

/** Connections of this name; a subscriber has `sub=1` or more. */
async function connections(stage: Stage, name: string): Promise<string[]> {
  const list = String(await stage.redis.client.client('LIST'));
  return list.split('\n').filter((line) => line.includes(` name=${name} `));
}

scene('a wait begun before, during and after the run gives the result', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [{ n: 1 }]);
  const before = job.result({ timeout: '20s' });
  await until(() => waiters(stage, job.id));
  const end = held(stage);
  await until(async () => (await job.state()) === 'active');
  const during = queue.job(job.id).result({ timeout: '20s' });
  const elsewhere = stage.queue().job(job.id).result({ timeout: '20s' });
  await until(async () => (await waiters(stage, job.id))!.split(' ').length === 2);
  end();
  t.same(await before, { n: 1 });
  t.same(await during, { n: 1 });
  t.same(await elsewhere, { n: 1 });
  t.same(await job.result(), { n: 1 }, 'after the run');
  t.same(await stage.queue().job(job.id).result(), { n: 1 }, 'by another queue object');
  t.equal(await waiters(stage, job.id), null);
});

scene('a thousand waiters share one connection, and all get their own result', async (t, stage) => {
  const queue = stage.queue();
  const outcomes = await queue.enqueueMany(
    Array.from({ length: 1_000 }, (_, i) => ({ fn: 'f', args: [i] })),
  );
  const results = outcomes.map((outcome) =>
    (outcome as { value: { result(): Promise<unknown> } }).value.result(),
  );
  await until(
    async () => (await stage.redis.client.hlen(`minq:{${stage.name}}:waiters`)) === 1_000,
  );
  const subscribers = await connections(stage, 'minq:results');
  t.equal(subscribers.length, 1);
  t.match(subscribers[0], / sub=1 /);
  held(stage, 100)();
  t.strictSame(await Promise.all(results), [...Array(1_000).keys()]);
});

scene('waiting for jobs of two queues needs one connection too', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-other`;
  const jobs = [await queue.enqueue('f', [1]), await queue.enqueue('f', [2], { queue: other })];
  const results = jobs.map((job) => job.result({ timeout: '20s' }));
  await until(async () =>
    (await connections(stage, 'minq:results')).some((line) => / sub=2 /.test(line)),
  );
  stage.worker({ f: (n: number) => n });
  stage.worker({ f: (n: number) => n * 10 }, { queue: other });
  t.same(await Promise.all(results), [1, 20]);
});

scene('a wait survives the end of every connection', async (t, stage) => {
  const queue = stage.queue();
  const jobs = await Promise.all([1, 2, 3].map((n) => queue.enqueue('f', [n])));
  const results = jobs.map((job) => job.result({ timeout: '30s' }));
  await until(() => waiters(stage, jobs[2]!.id));
  const end = held(stage);
  await until(async () => (await queue.counts()).active === 3);
  const before = await connections(stage, 'minq:results');
  await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  end();
  t.same(await Promise.all(results), [1, 2, 3]);
  const after = await connections(stage, 'minq:results');
  t.not(after[0]?.split(' ')[0], before[0]!.split(' ')[0], 'it was another connection');
});

scene('a result whose message was lost is found all the same', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [1]);
  const result = job.result({ timeout: '20s' });
  await until(() => waiters(stage, job.id));
  // Nobody is told of the end: as if the message had been lost on the way.
  await stage.redis.client.hdel(`minq:{${stage.name}}:waiters`, job.id);
  held(stage)();
  t.equal(await result, 1);
});

faultyScene(
  'a result that came while the connection was down is there when it is up again',
  async (t, stage) => {
    const direct = stage.queue({ redis: stage.redis.url });
    stage.worker({ f: (n: number) => n }, { redis: stage.redis.url });
    await direct.pause();
    // Who only looks again every few seconds takes longer than 4 s, every time; a busy machine not three times.
    const waitThroughABreak = async (n: number) => {
      const queue = stage.queue();
      const job = await queue.enqueue('f', [n]);
      const result = job.result({ timeout: '4s' }).catch((error: Error) => error.name);
      await until(() => waiters(stage, job.id));
      await stage.proxy.refuse();
      await direct.resume();
      await until(async () => (await direct.job(job.id).state()) === 'completed');
      await direct.pause();
      await stage.proxy.accept();
      return (await result) === n;
    };
    t.ok(
      (await waitThroughABreak(1)) || (await waitThroughABreak(2)) || (await waitThroughABreak(3)),
    );
  },
);

faultyScene('whom Redis is to tell of a result listens by then', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [1]);
  stage.proxy.latencyMs = 100; // so that the one comes well before the other
  const result = job.result({ timeout: '20s' });
  await until(() => waiters(stage, job.id));
  const channel = (await waiters(stage, job.id))!;
  t.same(await stage.redis.client.pubsub('NUMSUB', channel), [channel, 1]);
  stage.proxy.latencyMs = 0;
  held(stage)();
  t.equal(await result, 1);
});

scene('a failed job rejects with its own error as the cause', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    f: () => {
      throw new RangeError('out of eggs');
    },
  });
  const job = await queue.enqueue('f', [], { retries: 0 });
  for (const handle of [job, queue.job(job.id)]) {
    const error = (await handle
      .result({ timeout: '20s' })
      .catch((e: unknown) => e)) as JobFailedError;
    t.type(error, JobFailedError);
    t.equal(error.message, `job ${job.id} (f) failed: RangeError: out of eggs`);
    t.match(error, { code: 'JOB_FAILED', id: job.id });
    const cause = error.cause as Error;
    t.match(cause, { name: 'RangeError', message: 'out of eggs' });
    t.match(cause.stack, /RangeError: out of eggs\n.*results\.test\.ts/s);
  }
});

scene('a job that is unknown rejects at once', async (t, stage) => {
  const queue = stage.queue();
  for (const id of ['nobody', 'constructor', '__proto__']) {
    await t.rejects(queue.job(id).result(), { name: 'ResultNotFoundError', id });
    await t.rejects(queue.job(id).info(), ResultNotFoundError);
    await t.rejects(queue.job(id).state(), ResultNotFoundError);
  }
});

scene('who waits for a job that is removed or purged hears of it at once', async (t, stage) => {
  const queue = stage.queue();
  const jobs = [
    await queue.enqueue('f', [], { id: 'removed' }),
    await queue.enqueue('f', [], { id: 'purged', delay: '1h' }),
    await queue.enqueue('f', [], { id: 'purged-too' }),
  ];
  const ends = Promise.allSettled(jobs.map((job) => job.result()));
  await until(async () => (await stage.redis.client.hlen(`minq:{${stage.name}}:waiters`)) === 3);
  t.equal(await queue.remove('removed'), true);
  t.equal(await queue.purge('scheduled'), 1);
  t.equal(await queue.purge('queued'), 1);
  for (const end of await ends) t.match(end, { status: 'rejected', reason: ResultNotFoundError });
});

scene('the timeout ends the wait, not the job', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [7]);
  const error = await job.result({ timeout: 30 }).catch((e: unknown) => e);
  t.match(error, { name: 'ResultTimeoutError', code: 'RESULT_TIMEOUT', id: job.id });
  t.match(error, { message: `job ${job.id} gave no result within 30 ms; the job itself goes on` });
  held(stage)();
  t.equal(await job.result({ timeout: '20s' }), 7);
});

scene('an aborted wait rejects with the reason and leaves nothing behind', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [7]);
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    listeners--,
    remove(...args)
  );

  const aborted = job.result({ signal }).catch((e: unknown) => e);
  const other = job.result({ timeout: '20s' });
  await until(() => waiters(stage, job.id));
  t.equal(listeners, 1);
  controller.abort(reason);
  t.equal(await aborted, reason);
  t.equal(listeners, 0, 'no listener on the signal');
  t.equal(await job.result({ signal }).catch((e: unknown) => e), reason, 'aborted beforehand');

  held(stage)();
  t.equal(await other, 7, 'another wait for the job goes on');
  t.equal(await job.result({ signal: new AbortController().signal }), 7);
  t.equal(await waiters(stage, job.id), null);
  t.equal(await stage.redis.client.exists(`minq:{${stage.name}}:waiters`), 0);
});

scene(
  'a wait that gets no connection rejects in time, and the next one works',
  async (t, stage) => {
    // Longer than a client may wait between two tries to connect (1.2 s): the next call finds a connection.
    const queue = stage.queue({ callTimeout: 2_000 });
    const job = await queue.enqueue('f', [7]);
    await stage.redis.client.config('SET', 'maxclients', '1'); // nobody new gets in
    const error = await job.result().catch((e: unknown) => e);
    await stage.redis.client.config('SET', 'maxclients', '10000');
    t.match(error, { code: /^REDIS_/ });
    held(stage)();
    t.equal(await job.result({ timeout: '20s' }), 7);
  },
);
