/** `call`: enqueue and wait for the result, in one. */
import { tracingChannel } from 'node:diagnostics_channel';
import { JobFailedError, QueueClosedError, type EnqueueMessage } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const jobs = {
  echo: (value: unknown) => value,
  fails: () => {
    throw new Error('on purpose');
  },
};

const known = async (stage: Stage) =>
  Object.values(await stage.queue().counts()).some((n) => Number(n) > 0);
/** Ends the connections on which results are told. */
const deafen = (stage: Stage) => stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');

scene('it gives what the function returned', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs);
  t.same(await queue.call('echo', [{ a: [1, null] }]), { a: [1, null] });
  t.equal(await queue.call('echo', ['later'], { delay: 50, priority: 'high' }), 'later');
  t.equal(await queue.call('echo', ['last'], { timeout: '10s' }), 'last');
  t.equal(await stage.redis.client.exists(`minq:{${stage.name}}:waiters`), 0);
});

scene('a hundred at once are enqueued, and waited for, by one command', async (t, stage) => {
  const queue = stage.queue();
  const { pass, open } = gate();
  stage.worker({ ...jobs, pass: (n: number) => pass().then(() => n) }, { concurrency: 100 });
  await queue.call('echo', [0]); // all is connected, and all scripts are there
  let results!: Promise<unknown[]>;
  const commands = await commandsDuring(stage.redis, async () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i);
    results = Promise.all(hundred.map((i) => queue.call('pass', [i])));
    await until(async () => (await stage.queue().counts()).active === 100);
  });
  const calls = commands.filter((words) => words.some((word) => word.includes('"fn":"pass"')));
  t.equal(calls.length, 1);
  open();
  t.same(await results, [...Array(100).keys()]);
});

scene(
  'a job that failed rejects with its error, one that was cancelled says so',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({ fails: jobs.fails });
    const error = await t.rejects(queue.call('fails', [], { retries: 0 }), JobFailedError);
    t.match(error, { message: /\(fails\) failed/, cause: { message: 'on purpose' } });
    const called = queue.call('fails', [], { id: 'mine', delay: '1h' });
    await until(() => known(stage));
    await queue.job('mine').cancel();
    await t.rejects(called, { name: 'JobCancelledError' });
  },
);

scene('what can not be called is refused before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  await t.rejects(queue.call('no name', []), /fn: "no name" can't be the name of a job/);
  await t.rejects(queue.call('echo', [() => 1]), { name: 'InvalidArgumentError' });
  await t.rejects(queue.call('echo', [1], { timeout: 'soon' as '1s' }), /timeout/);
  await t.rejects(queue.call('echo', [1], { signal: {} as AbortSignal }), /signal.*AbortSignal/);
  await t.rejects(queue.call('echo', [1], { lane: 'high' } as object), /lane/);
  await t.rejects(
    queue.call('echo', [1], { resultTtl: 0, timeout: 500 }),
    /resultTtl.*call\(\) waits for/,
  );
  t.notOk(await known(stage));
});

scene('a timeout and a signal end the wait, and not the job', async (t, stage) => {
  const queue = stage.queue();
  const first = queue.call('echo', [0]); // from now on it listens: what is called goes out at once
  await until(() => known(stage));
  const late = queue.call('echo', [1], { timeout: 20, id: 'a' });
  await t.rejects(late, { name: 'ResultTimeoutError' });
  const controller = new AbortController();
  const called = queue.call('echo', [2], { signal: controller.signal, id: 'b' });
  await until(async () => (await stage.queue().counts()).queued === 3);
  controller.abort(new Error('enough'));
  await t.rejects(called, /enough/);
  stage.worker(jobs);
  const results = [first, queue.job('a').result(), queue.job('b').result()];
  t.same(await Promise.all(results), [0, 1, 2]);
});

scene('who gives up before it can be sent has enqueued nothing', async (t, stage) => {
  const queue = stage.queue();
  const controller = new AbortController();
  const called = queue.call('echo', [1], { signal: controller.signal }); // still subscribing
  controller.abort(new Error('at once'));
  await t.rejects(called, /at once/);
  await t.rejects(queue.call('echo', [2], { signal: controller.signal }), /at once/);
  stage.worker(jobs);
  t.equal(await queue.call('echo', [3]), 3);
  t.match(await queue.stats(), { enqueued: 1 });
});

scene('of one id there is one job, and each caller gets its result', async (t, stage) => {
  const queue = stage.queue();
  const both = [1, 2].map((n) => queue.call('echo', [n], { id: 'mine', unique: 'kept' }));
  await until(() => known(stage));
  const handle = queue.job('mine').result();
  stage.worker(jobs);
  t.same(await Promise.all([...both, handle]), [1, 1, 1]);
  // Three, one after the other: a look every five seconds would not do.
  for (let n = 0; n < 3; n++) {
    const soon = { id: 'mine', unique: 'kept', timeout: '1s' } as const;
    t.equal(await queue.call('echo', [3], soon), 1, 'it has ended already');
  }
});

scene(
  'of several who wait for a job each may give up, and the others hear of it',
  async (t, stage) => {
    for (const gone of [0, 1, 2]) {
      const queue = stage.queue();
      const id = `job-${gone}`;
      const controllers = [0, 1, 2].map(() => new AbortController());
      const calls = controllers.map(({ signal }) =>
        queue
          .call('echo', [gone], { id, signal, timeout: '10s' })
          .catch((error: Error) => error.message),
      );
      await until(
        async () =>
          (await stage
            .queue()
            .job(id)
            .state()
            .catch(() => '')) === 'queued',
      );
      controllers[gone]!.abort(new Error('enough'));
      await calls[gone];
      const worker = stage.worker(jobs);
      t.same(
        await Promise.all(calls),
        calls.map((_, i) => (i === gone ? 'enough' : gone)),
      );
      await worker.stop();
    }
  },
);

scene('on another queue, and from a job', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-other`;
  stage.worker(jobs, { queue: other });
  stage.worker({ ask: (n: number) => queue.call('echo', [n * 2], { queue: other }) });
  t.equal(await queue.call('ask', [21]), 42);
});

scene('after close() it rejects, and so do those that wait', async (t, stage) => {
  const queue = stage.queue();
  const called = queue.call('echo', [1]);
  await until(() => known(stage));
  const told = t.rejects(called, QueueClosedError);
  await queue.close();
  await told;
  await t.rejects(queue.call('echo', [2]), QueueClosedError);
});

scene('who listens to enqueues hears of calls, too', async (t, stage) => {
  const heard: string[] = [];
  const note = (what: string) => (message: unknown) =>
    void heard.push(`${what} ${(message as EnqueueMessage).fn}`);
  const listeners = { start: note('start'), end: note('end'), asyncStart: note('asyncStart'), asyncEnd: note('asyncEnd'), error: note('error') }; // prettier-ignore
  const channel = tracingChannel<unknown, EnqueueMessage>('minq:enqueue');
  channel.subscribe(listeners);
  let why: unknown;
  channel.error.subscribe((message) => (why = (message as EnqueueMessage).error));
  const queue = stage.queue();
  stage.worker(jobs);
  await queue.call('echo', [1]);
  t.same(heard.splice(0), ['start echo', 'end echo', 'asyncStart echo', 'asyncEnd echo']);
  const controller = new AbortController();
  const late = stage.queue().call('fails', [], { signal: controller.signal });
  controller.abort(new Error('at once'));
  await t.rejects(late);
  await until(() => heard.length === 5);
  t.same(heard, ['start fails', 'end fails', 'error fails', 'asyncStart fails', 'asyncEnd fails']);
  t.match(why, { message: 'at once' }, 'with the reason');
  channel.unsubscribe(listeners);
});

faultyScene('its reply is lost: one job, and its result', async (t, stage) => {
  const queue = stage.queue();
  const cut = stage.proxy.cut({ replyTo: 'call-mark' });
  const called = queue.call('echo', ['call-mark'], { timeout: '15s' });
  await cut;
  await until(() => known(stage));
  stage.worker(jobs, { redis: stage.redis.url });
  t.equal(await called, 'call-mark');
  t.match(await queue.stats(), { enqueued: 1, completed: 1 });
});

faultyScene(
  'the word of its end is lost with the connection: found when that is back',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker(jobs, { redis: stage.redis.url });
    // Who only looks again every 5 s takes longer than 4 s, every time; a busy machine not three times.
    const through = async (n: number) => {
      const cut = stage.proxy.cut({ reply: `"result":"lost-${n}"` });
      const called = queue.call('echo', [`lost-${n}`], { timeout: '4s' });
      await cut;
      return (await called.catch((error: Error) => error.name)) === `lost-${n}`;
    };
    t.ok((await through(1)) || (await through(2)) || (await through(3)));
  },
);

faultyScene('before it is enqueued nobody looks for its job in vain', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs, { redis: stage.redis.url });
  t.equal(await queue.call('echo', ['first']), 'first');
  await stage.redis.client.client('PAUSE', 700, 'WRITE');
  const under = queue.call('echo', [1], { timeout: '15s' });
  await new Promise((resolve) => setImmediate(resolve));
  const behind = queue.call('echo', [2], { timeout: '15s' }); // waits for the answer to that
  await deafen(stage); // all that is awaited is looked up again
  t.same(await Promise.all([under, behind]), [1, 2]);
});

scene('a key of another type: an error, and no job is enqueued', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('echo', [0]);
  await stage.redis.client.set(`minq:{${stage.name}}:waiters`, 'of another app');
  await t.rejects(queue.call('echo', [1]), /WRONGTYPE/);
  await t.rejects(queue.call('echo', [1], { delay: 5 }), /WRONGTYPE/);
  await stage.redis.client.del(`minq:{${stage.name}}:waiters`);
  t.match(await queue.counts(), { queued: 1, scheduled: 0 });
});
