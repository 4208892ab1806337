/** `minq/testing`: the jobs of an app, run when the test says so, in a time that the test sets forward. */
import t from 'tap';
import {
  chain,
  currentQueue,
  Fail,
  group,
  job,
  Queue,
  Retry,
  routesOf,
  step,
} from '../../src/index.ts';
import { testing, type TestedRun } from '../../src/testing/index.ts';
import { startRedis } from '../helpers/redis.ts';

t.setTimeout(120_000);
t.jobs = 4;

const server = startRedis();
t.teardown(async () => (await server).stop());

const wrong = new Error('the mail server is away');
const jobs = {
  add: (a: number, b: number) => a + b,
  sum: (all: number[]) => all.reduce((sum, each) => sum + each, 0),
  parent: async (n: number): Promise<string> => (await currentQueue().enqueue('add', [n, n])).id,
  mail: job({ retries: 2, backoff: '1m', queue: 'mail' }, async (to: string) => {
    if (to === 'nobody') throw wrong;
    return to;
  }),
  greet: (name: string) => `hello ${name}`,
  snooze: () => {
    throw new Retry({ delay: '1h' });
  },
  never: job({ onFailure: 'told' }, () => {
    throw new Fail('no');
  }),
  told: ({ fn, error }: { fn: string; error: { message: string } }) => `${fn}: ${error.message}`,
  digest: job({ cron: '0 7 * * *', timezone: 'Europe/Berlin' }, () => 'sent'),
  poll: job({ every: '2h', queue: 'mail' }, () => 'polled'),
};
const only = (runs: readonly TestedRun[], name: string) => runs.filter(({ fn }) => fn === name);
const names = (runs: readonly TestedRun[]) => runs.map(({ fn }) => fn);

for (const where of ['in this process', 'a Redis beside it']) {
  const begin = async (options: object = {}) =>
    testing(jobs, {
      ...options,
      ...(where === 'in this process' ? {} : { redis: (await server).url }),
    });

  void t.test(
    `${where}: nothing runs before it is told to, and then all that follows`,
    async (t) => {
      await using it = await begin({ routes: routesOf(jobs) });
      const { queue } = it;
      const first = await queue.enqueue('parent', [4]);
      t.equal(await first.state(), 'queued');
      const runs = await it.drain();
      t.match(runs, [
        { fn: 'parent', attempt: 1, queue: 'default' },
        { fn: 'add', result: 8 },
      ]);
      t.equal(runs[1]!.id, await first.result({ timeout: '10s' }));
      t.same(await it.drain(), [], 'that was all');

      const flow = await queue.enqueue(
        chain(group([step('add', [1, 2]), step('add', [3, 4])]), step('sum')),
      );
      t.equal((await it.drain()).length, 3);
      t.equal(await flow.result({ timeout: '10s' }), 10);
      const other = await queue.enqueue(chain(step('mail', ['ann']), step('greet')));
      t.same(names(await it.drain()), ['mail', 'greet'], 'a flow over two queues');
      t.equal(await other.result({ timeout: '10s' }), 'hello ann');
      await queue.enqueue('never');
      const failed = await it.drain();
      t.match(failed, [
        { fn: 'never', error: { name: 'Fail' } },
        { fn: 'told', result: 'never: no' },
      ]);
    },
  );

  void t.test(
    `${where}: errors of jobs are in reach, themselves; backoff and delays come due without waiting`,
    async (t) => {
      const began = performance.now();
      await using it = await begin({ routes: { mail: 'mail' } });
      const job = await it.queue.enqueue('mail', ['nobody']);
      t.equal(job.queue, 'mail');
      const [run] = await it.drain();
      t.equal(run!.error, wrong, 'the very object');
      t.equal(await job.state(), 'scheduled');
      t.same(only(await it.advance('50s'), 'mail'), [], 'not yet');
      t.match(only(await it.advance('20s'), 'mail'), [{ attempt: 2, error: wrong }]);
      t.match(only(await it.advance('1h'), 'mail'), [{ attempt: 3, error: wrong }]);
      t.equal(await job.state(), 'failed');
      await t.rejects(job.result({ timeout: '10s' }), {
        code: 'JOB_FAILED',
        cause: { message: wrong.message },
      });

      await it.queue.enqueue('add', [1, 1], { delay: '2h' });
      await it.queue.enqueue('add', [2, 2], { delay: '90m', expires: '3h' });
      const results = (await it.advance('2h'))
        .filter(({ fn }) => fn === 'add')
        .map(({ result }) => result);
      t.same(results, [4, 2], 'in the order in which they come due');
      await it.queue.pause();
      const late = await it.queue.enqueue('add', [3, 3], { expires: '1h' });
      await it.advance('2h');
      t.equal(await late.state(), 'queued');
      await it.queue.resume();
      await it.drain();
      t.equal(await late.state(), 'cancelled', 'it has expired');
      t.equal((await it.queue.enqueue('snooze', [], { retries: 0 })).duplicate, false);
      t.ok(performance.now() - began < 60_000);
    },
  );

  void t.test(
    `${where}: cron entries fire at each of their ticks, those of functions and of schedule`,
    async (t) => {
      await using it = await begin();
      const week = await it.advance('7d');
      t.equal(only(week, 'digest').length, 7);
      t.equal(only(week, 'poll').length, 7 * 12);
      await it.queue.schedule('hourly', { cron: '0 * * * *', fn: 'add', args: [1, 1], times: 5 });
      t.equal(only(await it.advance('1d'), 'add').length, 5);
      await it.queue.pauseSchedule('digest');
      t.equal(only(await it.advance('2d'), 'digest').length, 0);
    },
  );

  void t.test(`${where}: limits of a queue, and how long results are kept`, async (t) => {
    await using it = await begin();
    await it.queue.limit({ rate: '10/1m' });
    await it.queue.enqueueMany(
      Array.from({ length: 35 }, () => ({ fn: 'add' as const, args: [1, 1] as [number, number] })),
    );
    t.equal((await it.drain()).length, 10);
    t.equal(only(await it.advance('61s'), 'add').length, 10);
    t.equal(only(await it.advance('10m'), 'add').length, 15);
    const job = await it.queue.enqueue('add', [1, 1], { resultTtl: '1h' });
    await it.drain();
    t.equal(await job.result({ timeout: '10s' }), 2);
    await it.advance('61m');
    await t.rejects(job.result({ timeout: '10s' }), { code: 'RESULT_NOT_FOUND' });
  });
}

void t.test(
  'tests side by side on one Redis see nothing of each other, and leave nothing',
  async (t) => {
    const { url: redis, client } = await server;
    const both = await Promise.all([testing(jobs, { redis }), testing(jobs, { redis })]);
    await both[0]!.queue.enqueue('add', [1, 1]);
    t.same(await both[1]!.drain(), []);
    t.equal((await both[0]!.drain()).length, 1);
    const own = new Queue('own', both[0]!.options);
    await own.enqueue('add', [2, 2]);
    t.same(
      names(await both[0]!.drain()),
      ['add'],
      'what the code under test enqueues itself is run too',
    );
    await own.close();
    const prefixes = both.map(({ options }) => options.prefix);
    await Promise.all(both.map((each) => each.close()));
    const left = (await Promise.all(prefixes.map((prefix) => client.keys(`${prefix}*`)))).flat();
    t.same(
      left.filter((key) => !key.includes(':claim:')),
      [],
      'notes of workers go by themselves',
    );
    for (const key of left) t.ok((await client.pttl(key)) > 0);
    await t.rejects(both[0]!.queue.enqueue('add', [1, 1]), { code: 'QUEUE_CLOSED' });
  },
);

void t.test('what is wrong is said at once', async (t) => {
  await t.rejects(testing({}), { code: 'INVALID_ARGUMENT', message: /no function found/ });
  await t.rejects(testing(jobs, { redis: 'http://127.0.0.1' }), { code: 'INVALID_ARGUMENT' });
  await using it = await testing(jobs);
  await t.rejects(it.advance('soon'), { code: 'INVALID_ARGUMENT', message: /^time: / });
});
