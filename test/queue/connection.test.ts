import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { chord, currentJob, Queue, step } from '../../src/index.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene(
  'a client of the user is duplicated, its options kept, and never closed',
  async (t, stage) => {
    const mine = new Redis(`${stage.redis.url}/3`, { connectionName: 'mine' });
    try {
      const queue = new Queue(stage.name, { redis: mine });
      const job = await queue.enqueue('f');
      await t.rejects(job.result({ timeout: 50 }), { name: 'ResultTimeoutError' });
      const names = String(await stage.redis.client.client('LIST')).match(/ name=\S+/g);
      t.match(names, / name=minq:queue\b/, 'a connection of its own for the queue');
      t.match(names, / name=minq:results\b/, 'and one for results');
      await queue.close();
      t.equal(mine.status, 'ready');
      t.equal(await mine.hlen(`minq:{${stage.name}}:jobs`), 1, 'in the database of the client');
      t.same(mine.listenerCount('error') + mine.listenerCount('message'), 0, 'no listeners left');
    } finally {
      mine.disconnect();
    }
  },
);

for (const [version, connect] of Object.entries({
  'ioredis 5': (url: string) => new Redis5(url),
  'ioredis 6': (url: string) => new Redis(url),
  'ioredis 6 with replies of RESP3': (url: string) => new Redis(url, { replyMapping: 'resp3' }),
})) {
  scene(`queue and worker on a client of ${version}, also after a cut`, async (t, stage) => {
    const redis = connect(stage.redis.url);
    stage.onEnd(async () => redis.disconnect());
    const jobs = {
      add: (a: number, b: number) => a + b,
      fails: () => Promise.reject(new Error('no')),
      hold: () => new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve)),
    };
    stage.worker(jobs, { redis });
    const queue = stage.queue({ redis });
    for (const _ of ['before', 'after']) {
      const added = await queue.enqueue('add', [1, 2], { delay: 5 });
      t.equal(await added.result({ timeout: '10s' }), 3);
      const failing = await queue.enqueue('fails', [], { retries: 1, backoff: 5 });
      await t.rejects(failing.result({ timeout: '10s' }), { code: 'JOB_FAILED' });
      const holding = await queue.enqueue('hold');
      await until(async () => (await holding.state()) === 'active');
      t.ok(await holding.cancel());
      await t.rejects(holding.result({ timeout: '10s' }), { code: 'JOB_CANCELLED' });
      const flow = await queue.enqueue(chord([step('add', [1, 2])], step('add', ['!'])));
      t.equal(await flow.result({ timeout: '10s' }), '3!');
      await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await queue.schedule('soon', { every: '1s', fn: 'add', args: [1, 1] });
    await until(async () => (await queue.schedules())[0]?.lastState === 'completed');
    t.ok(await queue.unschedule('soon'));
    const { jobs: found } = await queue.find('failed');
    t.same(
      found.map(({ error }) => error?.message),
      ['no', 'no'],
    );
    t.equal((await queue.stats()).recovered, 0);
    await until(async () => (await queue.functions())[0]?.fn === 'add'); // workers report every few seconds
    t.ok((await queue.queues()).includes(stage.name));
  });
}

scene('a client that was not connected yet stays so', async (t, stage) => {
  const mine = new Redis(stage.redis.url, { lazyConnect: true });
  const queue = stage.queue({ redis: mine });
  await queue.enqueue('f');
  t.equal(mine.status, 'wait');
});

scene("ioredis options are taken, with a prefix of one's own", async (t, stage) => {
  const redis = { port: stage.redis.port, db: 2 };
  const queue = stage.queue({ redis, prefix: 'app' });
  await queue.enqueue('f');
  const client = stage.redis.client.duplicate({ db: 2 });
  const isOurs = (key: string) => key === 'app:queues' || key.startsWith(`app:{${stage.name}}:`);
  t.same((await client.keys('*')).filter((key) => !isOurs(key)), []); // prettier-ignore
  t.equal(await client.llen(`app:{${stage.name}}:queued`), 1);
  client.disconnect();
});

scene('keyPrefix is refused, however it is given', async (t, stage) => {
  const message = /^redis: keyPrefix "mine:" can't be used with minq; give the prefix as option/;
  const client = new Redis(stage.redis.url, { lazyConnect: true, keyPrefix: 'mine:' });
  for (const redis of [client, { keyPrefix: 'mine:' }, `${stage.redis.url}?keyPrefix=mine:`]) {
    t.throws(() => new Queue(stage.name, { redis }), { code: 'INVALID_ARGUMENT', message });
  }
});

scene('what is no Redis is refused at once, without showing a password', async (t) => {
  for (const redis of [
    'localhost:6379',
    'http://user:hunter2@127.0.0.1',
    'user:hunter2@127.0.0.1:6379',
    'redis//:hunter2@127.0.0.1',
    'redis://user:hunter2@127.0.0.1:port',
    'redis://user:hunter2@127.0.0.1:99999',
    '',
    7,
    true,
  ]) {
    try {
      new Queue('q', { redis: redis as string });
      t.fail(`${redis} was taken`);
    } catch (error) {
      t.match(error, { code: 'INVALID_ARGUMENT', message: /^redis: / });
      t.notMatch(inspect(error), 'hunter2');
    }
  }
});

scene('without options MINQ_REDIS_URL comes before REDIS_URL', async (t, stage) => {
  const names = ['MINQ_REDIS_URL', 'REDIS_URL'] as const;
  const before = names.map((name) => process.env[name]);
  t.teardown(() => {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });
  const databaseOf = async (options: { redis?: string } = {}) => {
    await using queue = new Queue(stage.name, options);
    await queue.enqueue('f');
    for (const db of [5, 6, 7]) {
      const client = stage.redis.client.duplicate({ db });
      const found = await client.del(`minq:{${stage.name}}:jobs`);
      client.disconnect();
      if (found > 0) return db;
    }
    return undefined;
  };
  process.env['MINQ_REDIS_URL'] = `${stage.redis.url}/5`;
  process.env['REDIS_URL'] = `${stage.redis.url}/6`;
  t.equal(await databaseOf({ redis: `${stage.redis.url}/7` }), 7, 'the option before both');
  t.equal(await databaseOf(), 5);
  delete process.env['MINQ_REDIS_URL'];
  t.equal(await databaseOf(), 6);
});

scene('jobs and queue that import each other work together', async (t, stage) => {
  const before = process.env['MINQ_REDIS_URL'];
  process.env['MINQ_REDIS_URL'] = stage.redis.url;
  const jobs = await import('../fixtures/types/jobs.ts');
  const { queue } = await import('../fixtures/types/queue.ts');
  if (before === undefined) delete process.env['MINQ_REDIS_URL'];
  else process.env['MINQ_REDIS_URL'] = before;
  stage.worker(jobs, { queue: queue.name });
  const job = await queue.enqueue('fanOut', [3]);
  t.equal(await job.result({ timeout: '20s' }), 3);
  await until(async () => (await queue.counts()).completed === 4);
  await queue.close();
});

scene(
  'a wrong password is said at once, and not shown',
  async (t, stage) => {
    await stage.redis.client.config('SET', 'requirepass', 'sesame');
    const url = (password: string) => stage.redis.url.replace('//', `//:${password}@`);
    const good = stage.queue({ redis: url('sesame') });
    await good.enqueue('f');
    const bad = stage.queue({ redis: url('hunter2'), callTimeout: '30s' });
    const error = await bad.enqueue('f').catch((thrown: unknown) => thrown);
    t.match(error, { code: 'REDIS_COMMAND', message: /WRONGPASS/ });
    t.notMatch(inspect(error), 'hunter2');
    await stage.redis.client.config('SET', 'requirepass', '');
  },
  { redis: () => startRedis() },
);

scene(
  'Redis away: the call ends at its deadline, surely not sent; later calls work again',
  async (t, stage) => {
    await stage.redis.kill();
    const queue = stage.queue({ callTimeout: 200 });
    const error = await queue.enqueue('f', ['hunter2']).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'REDIS_UNAVAILABLE', maybeEnqueued: false, id: /^\w{12,}$/ });
    t.notMatch(inspect(error), 'hunter2');
    const late = queue.enqueue('f');
    for (const since = performance.now(); performance.now() - since < 50;); // a busy process
    const message = /^no connection to Redis within 200 ms: /; // which is what was asked for, not what was left of it
    await t.rejects(late, { message });
    await t.rejects(queue.counts(), { code: 'REDIS_UNAVAILABLE', id: undefined });
    await stage.redis.restart();
    const patient = stage.queue({ callTimeout: '10s' });
    await patient.enqueue('f');
    t.equal((await patient.counts()).queued, 1, 'the call that timed out did not come after all');
  },
  { redis: () => startRedis() },
);

scene(
  'Redis silent: the call ends at its deadline, maybe sent; repeated with its id it is one job',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: 300 });
    await queue.enqueue('warm');
    stage.redis.signal('SIGSTOP');
    const error = (await queue.enqueue('f').catch((thrown: unknown) => thrown)) as { id: string };
    t.match(error, { code: 'REDIS_UNAVAILABLE', maybeEnqueued: true });
    stage.redis.signal('SIGCONT');
    const patient = stage.queue({ callTimeout: '10s' });
    await patient.enqueue('f', [], { id: error.id, unique: 'kept' });
    t.equal((await patient.jobs('queued')).filter((job) => job.id === error.id).length, 1);
    t.equal((await patient.counts()).queued, 2, 'it was sent under that id');
  },
  { redis: () => startRedis() },
);
