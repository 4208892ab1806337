/** `recorder()`: a queue for unit tests of producers, without Redis. */
import t from 'tap';
import { chain, group, job, Queue, step, type EnqueueMessage } from '../../src/index.ts';
import { recorder } from '../../src/testing/index.ts';
import { tracingChannel } from 'node:diagnostics_channel';

const jobs = {
  add: (a: number, b: number) => a + b,
  mail: job({ retries: 2 }, async (to: string) => ({ to, at: new Date(0) })),
  sum: (all: number[]) => all.length,
  nothing: () => {},
};
type Jobs = typeof jobs;

void t.test('writes down what would have been sent: function, arguments, options', async (t) => {
  const queue = recorder<Jobs>('shop', {
    defaults: { retries: 7, timeout: '2m' },
    routes: { mail: 'mail' },
  });
  const handle = await queue.enqueue('add', [1, 2]);
  await queue.enqueue('mail', ['ann'], {
    id: 'm1',
    unique: 'kept',
    delay: '1h',
    priority: 'high',
    meta: { who: 'ann' },
  });
  await queue.enqueue('nothing', [], {
    queue: 'other',
    runAt: new Date(1_900_000_000_000),
    retries: 0,
  });
  await queue.enqueueMany([{ fn: 'nothing' }, { fn: 'add', args: [3, 4], expires: '5s' }]);
  t.match(handle, { queue: 'shop', fn: 'add', duplicate: false });
  const defaults = { retries: 7, timeout: 120_000 };
  t.same(
    queue.enqueued.map(({ id: _id, ...rest }) => rest),
    [
      { queue: 'shop', fn: 'add', args: [1, 2], options: defaults },
      {
        queue: 'mail',
        fn: 'mail',
        args: ['ann'],
        options: {
          ...defaults,
          unique: 'kept',
          delay: 3_600_000,
          priority: 'high',
          meta: { who: 'ann' },
        },
      },
      {
        queue: 'other',
        fn: 'nothing',
        args: [],
        options: { ...defaults, runAt: new Date(1_900_000_000_000), retries: 0 },
      },
      { queue: 'shop', fn: 'nothing', args: [], options: defaults },
      { queue: 'shop', fn: 'add', args: [3, 4], options: { ...defaults, expires: 5_000 } },
    ],
  );
  t.equal(queue.enqueued[0]!.id, handle.id);
  t.equal(queue.enqueued[1]!.id, 'm1');
  t.equal((await queue.enqueue('mail', ['bob'], { id: 'm1' })).duplicate, true, 'an id is taken');
  t.equal(queue.enqueued.length, 5);
  queue.enqueued.length = 0;
  t.equal(queue instanceof Queue, true);
  await queue.close();
  await t.rejects(queue.enqueue('nothing'), { code: 'QUEUE_CLOSED' });
});

void t.test('checks as the real one does, before anything is written down', async (t) => {
  const queue = recorder<Jobs>();
  const any = queue as unknown as Queue;
  await t.rejects(any.enqueue('no such name!', []), { code: 'INVALID_ARGUMENT', message: /^fn: / });
  await t.rejects(any.enqueue('add', [1, NaN]), { code: 'INVALID_ARGUMENT', message: /NaN/ });
  await t.rejects(any.enqueue('add', [1, 2], { dely: '1s' } as never), {
    code: 'INVALID_ARGUMENT',
    message: /dely.*delay/,
  });
  await t.rejects(
    any.enqueueMany([
      { fn: 'add', args: [1, 2] },
      { fn: 'add', args: [1n] },
    ]),
    { code: 'INVALID_ARGUMENT', message: /^items\[1\]: / },
  );
  await t.rejects(any.schedule('x', { cron: '99 * * * *', fn: 'nothing' }), {
    code: 'INVALID_ARGUMENT',
  });
  t.throws(() => recorder<Jobs>('two words'), { code: 'INVALID_ARGUMENT' });
  t.same(queue.enqueued, []);
  t.equal(queue.scheduled.size, 0);
});

void t.test('steps of a flow, and cron entries', async (t) => {
  const queue = recorder<Jobs>('shop', { routes: { mail: 'mail' } });
  const flow = await queue.enqueue(
    chain(group([step('add', [1, 2]), step('add', [3, 4], { retries: 1 })]), step('sum')),
  );
  await (queue as unknown as Queue).enqueue(
    chain(step('nothing'), group([step('mail', ['ann'], { delay: '1m' }), step('nothing')])),
  );
  const [one, two] = [flow.id.split('.')[0], queue.enqueued[3]!.flow];
  t.same(
    queue.enqueued.map(({ id: _id, ...rest }) => rest),
    [
      { queue: 'shop', fn: 'add', args: [1, 2], options: {}, flow: one },
      { queue: 'shop', fn: 'add', args: [3, 4], options: { retries: 1 }, flow: one },
      { queue: 'shop', fn: 'sum', args: [], options: {}, flow: one },
      { queue: 'shop', fn: 'nothing', args: [], options: {}, flow: two },
      { queue: 'mail', fn: 'mail', args: ['ann'], options: { delay: 60_000 }, flow: two },
      { queue: 'shop', fn: 'nothing', args: [], options: {}, flow: two },
    ],
  );
  await queue.schedule('nightly', {
    cron: '0 2 * * *',
    timezone: 'Europe/Berlin',
    fn: 'add',
    args: [1, 2],
  });
  t.match(queue.scheduled.get('nightly'), {
    when: { cron: '0 2 * * *', timezone: 'Europe/Berlin' },
    fn: 'add',
    args: [1, 2],
  });
});

void t.test('results are what the test says, as JSON brings them', async (t) => {
  const queue = recorder<Jobs>();
  queue.returns('add', (a: number, b: number) => a * 10 + b);
  queue.returns('mail', { to: 'ann', at: '1970-01-01T00:00:00.000Z' });
  queue.returns('sum', () => {
    throw new RangeError('too many');
  });
  t.equal(await queue.call('add', [4, 2], { timeout: '1s' }), 42);
  t.same(await (await queue.enqueue('mail', ['ann'])).result(), {
    to: 'ann',
    at: '1970-01-01T00:00:00.000Z',
  });
  await t.rejects(queue.call('sum', [[1]]), {
    code: 'JOB_FAILED',
    cause: { name: 'RangeError', message: 'too many' },
  });
  await t.rejects((await queue.enqueue('nothing')).result(), {
    code: 'NO_RESULT',
    message: /^no result was given for "nothing": call returns\('nothing', /,
  });
  await t.rejects(queue.job('unknown').result(), { code: 'RESULT_NOT_FOUND' });
  const flow = await (queue as unknown as Queue).enqueue(
    chain(step('nothing'), step('add', [1, 2])),
  );
  t.equal(await flow.result(), 12);
});

void t.test('what needs a Redis says so at once', async (t) => {
  const queue = recorder<Jobs>();
  const began = performance.now();
  const needs = { code: 'REDIS_COMMAND', message: /^a recorder has no Redis: / };
  await t.rejects(queue.counts(), needs);
  await t.rejects(queue.schedules(), needs);
  const job = await queue.enqueue('nothing');
  await t.rejects(job.state(), needs);
  await t.rejects(job.cancel(), needs);
  t.ok(performance.now() - began < 4_000);
  await queue.close();
});

void t.test('traces see what is enqueued', async (t) => {
  const seen: string[] = [];
  const channel = tracingChannel<unknown, EnqueueMessage>('minq:enqueue');
  const hear = { asyncEnd: (message: unknown) => void seen.push((message as EnqueueMessage).fn), start() {}, end() {}, asyncStart() {}, error() {} }; // prettier-ignore
  channel.subscribe(hear);
  await recorder<Jobs>().enqueue('nothing');
  channel.unsubscribe(hear);
  t.same(seen, ['nothing']);
});
