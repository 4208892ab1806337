/** Servers that refuse, and servers that are shaken: what a caller gets to see of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { Connection } from '../../src/redis/connection.ts';
import {
  chain,
  group,
  MinqError,
  Queue,
  RedisCommandError,
  step,
  Worker,
} from '../../src/index.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const PAYLOAD = 'PAYLOAD-CANARY';
const SECRET = 'S3CRET-CANARY';
const jobs = { echo: (text: string) => text };
const ownRedis = { redis: () => startRedis() };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything by which an error could end up in a log. */
const shown = (error: unknown) =>
  [
    inspect(error, { depth: 10, showHidden: true }),
    JSON.stringify(error),
    String(error),
    (error as Error).stack,
  ].join('\n');

async function rejection(promise: Promise<unknown>): Promise<MinqError> {
  return promise.then(
    () => {
      throw new Error('it should have been refused');
    },
    (error: MinqError) => error,
  );
}

/** The error is one of minq's, and neither it nor the log tells what nobody should read. */
function clean(t: Test, stage: Stage, error: MinqError): void {
  t.type(error, MinqError);
  const text = shown(error) + stage.log.join('\n');
  t.notMatch(text, PAYLOAD, 'no payload is shown');
  t.notMatch(text, SECRET, 'no password is shown');
}

/** Runs a worker whose whole log is kept. */
function runWorker(stage: Stage, redis: string): Promise<void> {
  const logger = { debug: note, info: note, warn: note, error: note };
  function note(message: string, fields?: object) {
    stage.log.push(`${message} ${JSON.stringify(fields)}`);
  }
  return new Worker(jobs, { redis, queue: stage.name, logger }).run();
}

const as = (stage: Stage, user: string, password: string) =>
  `redis://${user}:${password}@127.0.0.1:${stage.redis.port}`;

scene('a wrong password: a clear error at once, for queue and worker', async (t, stage) => {
  await stage.redis.client.acl('SETUSER', 'app', 'on', '>right', '~*', '&*', '+@all');
  const url = as(stage, 'app', SECRET);
  const queue = stage.queue({ redis: url });
  const started = performance.now();
  for (const refused of [
    () => queue.enqueue('echo', [PAYLOAD]),
    () => queue.counts(),
    () => queue.job('x').result(),
    () => runWorker(stage, url),
  ]) {
    const error = await rejection(refused());
    t.type(error, RedisCommandError);
    t.match(error.message, /WRONGPASS/);
    clean(t, stage, error);
  }
  t.ok(performance.now() - started < 4_000, 'before any deadline');
});

scene(
  'a password was needed and none given: a clear error at once',
  async (t, stage) => {
    await stage.redis.client.config('SET', 'requirepass', SECRET);
    const error = await rejection(stage.queue().enqueue('echo', [PAYLOAD]));
    t.type(error, RedisCommandError);
    t.match(error.message, /NOAUTH/);
    clean(t, stage, error);
    await t.rejects(runWorker(stage, stage.redis.url), { code: 'REDIS_COMMAND' });
    await stage.redis.client.config('SET', 'requirepass', '');
  },
  ownRedis,
);

scene('a right that is missing is named at once', async (t, stage) => {
  const rights = ['~*', '&*', '+@all', '-eval', '-evalsha'];
  await stage.redis.client.acl('SETUSER', 'few', 'on', `>${SECRET}`, ...rights);
  const url = as(stage, 'few', SECRET);
  for (const refused of [
    () => stage.queue({ redis: url }).enqueue('echo', [PAYLOAD]),
    () => runWorker(stage, url),
  ]) {
    const error = await rejection(refused());
    t.type(error, RedisCommandError);
    t.match(error.message, /NOPERM.*eval/i);
    clean(t, stage, error);
  }
});

faultyScene('a server that is too old: a worker refuses to work with it', async (t, stage) => {
  stage.proxy.rewrite = (reply) => reply.replace(/redis_version:\d/, 'redis_version:5');
  const error = await rejection(runWorker(stage, stage.proxy.url));
  t.type(error, RedisCommandError);
  t.match(error.message, /too old.*6\.2/);
});

faultyScene('refused until its deadline, a call tells what Redis said', async (t, stage) => {
  const queue = stage.queue({ callTimeout: '1s' });
  await queue.counts();
  // A try takes 60 ms and the pause after it 100: the last one that could begin would have no time to be answered.
  stage.proxy.latencyMs = 30;
  stage.proxy.rewrite = (reply) => reply.replace(/\*0\r\n$/, '-MISCONF errors writing to disk\r\n');
  const error = await rejection(queue.enqueue('echo', ['x']));
  t.match(error.message, /MISCONF/);
});

scene('a key of the wrong type: a clear error without the payload', async (t, stage) => {
  await stage.redis.client.set(`minq:{${stage.name}}:jobs`, 'foreign');
  const error = await rejection(stage.queue().enqueue('echo', [PAYLOAD]));
  t.type(error, RedisCommandError);
  t.match(error.message, /WRONGTYPE/);
  clean(t, stage, error);
  await stage.redis.client.del(`minq:{${stage.name}}:jobs`);
});

scene('a command that the server does not have: named, and nothing of what was given with it', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('echo'); // the first call sends the script itself
  const error = await rejection(queue.enqueue('echo', [PAYLOAD]));
  t.type(error, RedisCommandError);
  t.match(error.message, /unknown command 'evalsha'$/);
  clean(t, stage, error);
}, { redis: () => startRedis(['--rename-command', 'EVALSHA', '']) }); // prettier-ignore

scene('what a connector of the user says is told without the password in it', async (t, stage) => {
  class Failing {
    connect = () => Promise.reject(new Error(`no way to redis://me:${SECRET}@somewhere:1`));
    check = () => false;
    disconnect() {}
  }
  const queue = stage.queue({ redis: { Connector: Failing as never }, callTimeout: 300 });
  const error = await rejection(queue.enqueue('echo', [PAYLOAD]));
  t.match(error.message, /no way to redis:\/\/\*\*\*@somewhere:1/);
  clean(t, stage, error);
});

faultyScene(
  'connections reset, refused and silent: no payload in what is said',
  async (t, stage) => {
    await stage.redis.client.acl('SETUSER', 'app2', 'on', `>${SECRET}`, '~*', '&*', '+@all');
    const redis = `redis://app2:${SECRET}@127.0.0.1:${stage.proxy.port}`;
    stage.worker(jobs, { redis });
    const queue = stage.queue({ redis, callTimeout: 300 });
    // The script for jobs with an id is known by then: the next call is carried out, though nobody hears of it.
    await (await queue.enqueue('echo', ['first'], { id: 'first' })).result();
    stage.proxy.swallow = ['replies'];
    clean(t, stage, await rejection(queue.enqueue('echo', [PAYLOAD], { id: 'silent' })));
    stage.proxy.swallow = [];
    await stage.proxy.refuse();
    clean(t, stage, await rejection(queue.enqueue('echo', [PAYLOAD])));
    const dying = rejection(queue.enqueue('echo', [PAYLOAD]));
    await queue.close();
    clean(t, stage, await dying);
    await stage.proxy.accept();
    t.equal(await stage.queue().job('silent').result({ timeout: '5s' }), PAYLOAD);
  },
);

/** What a user of Redis must be allowed to do, as the guide lists it: for the connections, and for the scripts. */
const CONNECTION_COMMANDS = 'info client|setname eval evalsha blpop subscribe unsubscribe';
const SCRIPT_COMMANDS =
  'del exists get hdel hexists hget hgetall hincrby hlen hmget hscan hset hsetnx llen lpop lpush lrange lrem publish rpush ' +
  'sadd scard set sismember smismember srem time zadd zcard zcount zmscore zpopmin zrange zrank zrem ' +
  'zremrangebyrank zscore';

void t.test('the list of rights names exactly what the scripts call', async (t) => {
  const folder = new URL('../../src/store/scripts/', import.meta.url);
  const called = readdirSync(folder).flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(/redis\.call\('([A-Z]+)'/g)].map((m) =>
      m[1]!.toLowerCase(),
    ),
  );
  t.same([...new Set(called)].sort(), SCRIPT_COMMANDS.split(' '));
});

scene('a user with the fewest rights can do everything', async (t, stage) => {
  const rights = ['resetkeys', '~minq:*', 'resetchannels', '&minq:*', '-@all'];
  await stage.redis.client.acl(
    'SETUSER',
    'least',
    'on',
    `>${SECRET}`,
    ...rights,
    ...`${CONNECTION_COMMANDS} ${SCRIPT_COMMANDS}`.split(' ').map((name) => `+${name}`),
  );
  await stage.redis.client.call('ACL', 'LOG', 'RESET');
  const redis = as(stage, 'least', SECRET);
  const queue = stage.queue({ redis });
  const all = {
    ...jobs,
    fails: () => {
      throw new Error('no');
    },
    hold: () => new Promise(() => {}),
  };
  const worker = stage.worker(all, { redis, lease: 600 });
  t.equal(await (await queue.enqueue('echo', ['a'])).result({ timeout: '5s' }), 'a');
  t.equal(await (await queue.enqueue('echo', ['b'], { delay: 50 })).result({ timeout: '5s' }), 'b');
  const failing = await queue.enqueue('fails', [], { retries: 1, backoff: 10 });
  await t.rejects(failing.result({ timeout: '5s' }), { code: 'JOB_FAILED' });
  t.ok(await queue.retry(failing.id));
  await t.rejects(failing.result({ timeout: '5s' }), { code: 'JOB_FAILED' });
  const held = await queue.enqueue('hold');
  await until(async () => (await held.state()) === 'active');
  t.ok(await held.cancel());
  await t.rejects(held.result({ timeout: '5s' }), { code: 'JOB_CANCELLED' });
  const late = await queue.enqueue('echo', ['c'], { delay: '1h', id: 'late', priority: 'low' });
  t.ok(await late.cancel());
  t.ok(await queue.remove('late'));
  const flow = chain(step('echo', ['a']), group([step('echo'), step('echo', [], { queue: `${stage.name}-b` })])); // prettier-ignore
  stage.worker(all, { redis, queue: `${stage.name}-b` });
  t.same(await (await queue.enqueue(flow)).result({ timeout: '20s' }), ['a', 'a']);
  const failed = await queue.enqueue(chain(step('fails', [], { retries: 0 }), step('echo')));
  await t.rejects(failed.result({ timeout: '5s' }), { code: 'JOB_FAILED' });
  t.ok(await failed.flow());
  t.ok(await (await queue.enqueue(chain(step('echo', ['b'], { delay: '1h' }), step('echo')))).cancel()); // prettier-ignore
  await queue.schedule('soon', { every: '1s', fn: 'echo', args: ['tick'] });
  await until(async () => (await queue.schedules())[0]?.lastState === 'completed');
  t.ok(await queue.unschedule('soon'));
  await queue.pause();
  const waiting = await queue.enqueue('echo', ['d'], { priority: 'high' });
  t.ok(await waiting.cancel());
  t.equal((await queue.jobs('queued')).length, 0);
  await queue.enqueue('echo', ['e'], { resultTtl: 0 });
  t.equal(await queue.purge('queued'), 1);
  await queue.resume();
  await queue.stats();
  await until(async () => (await queue.workers()).length === 1);
  await worker.stop({ timeout: 100 });
  const denied = (await stage.redis.client.call('ACL', 'LOG')) as string[][];
  // `client|setinfo` is ioredis introducing itself, from Redis 7.2 on; it does without.
  t.same(
    denied.map((entry) => entry[7]).filter((what) => !/^client/i.test(what!)),
    [],
  );
  t.same(
    stage.log.filter((line) => /NOPERM/.test(line)),
    [],
  );
});

/** Gives the user all rights that minq needs but these. */
async function allBut(stage: Stage, ...missing: string[]): Promise<string> {
  const commands = `${CONNECTION_COMMANDS} ${SCRIPT_COMMANDS}`.split(' ');
  const rights = commands.filter((name) => !missing.includes(name)).map((name) => `+${name}`);
  const user = `lacking on >${SECRET} resetkeys ~minq:* resetchannels &minq:* -@all`.split(' ');
  await stage.redis.client.call('ACL', ['SETUSER', ...user, ...rights]);
  return as(stage, 'lacking', SECRET);
}

scene('a worker that lacks a single right ends with an error that names it', async (t, stage) => {
  const optional = ['info', 'client|setname', 'unsubscribe'];
  for (const missing of `${CONNECTION_COMMANDS} ${SCRIPT_COMMANDS}`.split(' ')) {
    const redis = await allBut(stage, missing);
    if (optional.includes(missing)) {
      const worker = stage.worker(jobs, { redis });
      t.ok(await (await stage.queue({ redis }).enqueue('echo', ['a'])).result({ timeout: '5s' }));
      await worker.stop();
      continue;
    }
    const error = await rejection(runWorker(stage, redis));
    t.type(error, RedisCommandError);
    t.match(error.message, new RegExp(`NOPERM.*\\b${missing}\\b`), error.message);
    clean(t, stage, error);
  }
  const error = await rejection(runWorker(stage, await allBut(stage, 'zadd', 'lpop')));
  t.match(error.message, /lacks (?=.*\+zadd)(?=.*\+lpop)/, 'all of them at once');
});

scene('rights withdrawn from a worker at work: it ends and names one', async (t, stage) => {
  const redis = await allBut(stage);
  const queue = stage.queue();
  const running = runWorker(stage, redis);
  await (await queue.enqueue('echo', ['a'])).result();
  await allBut(stage, 'zadd');
  await queue.enqueue('echo', ['b'], { id: 'b' });
  const error = await rejection(running);
  t.match(error.message, /NOPERM.*zadd/);
  // A heartbeat may have met it before the turn.
  t.ok(
    stage.log.filter((line) => /turn failed/.test(line)).length <= 1,
    'it does not try for ever',
  );
  clean(t, stage, error);
  // The script was cut off midway, and Redis takes nothing back: no client can mend what it left behind.
  stage.allow(/job b is in 0 places/);
});

scene('a producer is told which command its script may not run', async (t, stage) => {
  const queue = stage.queue({ redis: await allBut(stage, 'rpush') });
  const error = await rejection(queue.enqueue('echo', [PAYLOAD]));
  t.match(error.message, /NOPERM: script enqueue\S* may not run rpush/);
  clean(t, stage, error);
  stage.allow(/./);
});

// ---- Servers that are shaken: latency only ------------------------------------------------------

/** Enqueues, waits and looks while `shake` goes on; what fails, fails the test. */
async function undisturbed(t: Test, stage: Stage, shake: () => Promise<unknown>): Promise<void> {
  stage.worker({ echo: async (n: number) => (await sleep(5), n) }, { lease: '10s' });
  const queue = stage.queue();
  let shaking = true;
  let calls = 0;
  const caller = async () => {
    while (shaking || calls < 50) {
      const n = calls++;
      const job = await queue.enqueue('echo', [n]);
      if ((await job.result()) !== n) t.fail(`job ${n} has the result of another`);
      await queue.counts();
    }
  };
  const callers = [caller(), caller(), caller()];
  try {
    await shake();
  } finally {
    shaking = false;
  }
  await Promise.all(callers);
  t.equal((await queue.stats()).completed, calls);
  t.equal((await queue.stats()).refused, 0);
  t.equal((await queue.stats()).recovered, 0);
}

scene('CLIENT KILL 40 times: no error reaches a caller', async (t, stage) => {
  await undisturbed(t, stage, async () => {
    for (let i = 0; i < 40; i++) {
      const type = i % 4 === 3 ? 'pubsub' : 'normal';
      await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', type);
      await sleep(40);
    }
  });
});

scene('SCRIPT FLUSH 200 times: no error reaches a caller', async (t, stage) => {
  await undisturbed(t, stage, async () => {
    for (let i = 0; i < 200; i++) {
      await stage.redis.client.script('FLUSH');
      await sleep(3);
    }
  });
});

scene('CLIENT PAUSE for 2 s: no error reaches a caller', async (t, stage) => {
  await undisturbed(t, stage, async () => {
    await stage.redis.client.call('CLIENT', 'PAUSE', '2000', 'ALL');
    await sleep(2_000);
  });
});

scene(
  'a master is made a replica for a second (READONLY): no error reaches a caller, work resumes',
  async (t, stage) => {
    await undisturbed(t, stage, async () => {
      await stage.redis.client.replicaof('127.0.0.1', '1');
      await sleep(1_000);
      await stage.redis.client.replicaof('NO', 'ONE');
    });
  },
  ownRedis,
);

scene(
  'a master that stays a replica: the call ends at its deadline, and says why, and is not done later',
  async (t, stage) => {
    const queue = new Queue(stage.name, { redis: stage.redis.url, callTimeout: 700 });
    await queue.counts();
    await stage.redis.client.replicaof('127.0.0.1', '1');
    const error = await rejection(queue.enqueue('echo', [PAYLOAD]));
    t.equal(error.code, 'REDIS_UNAVAILABLE');
    t.match(error.message, /READONLY/);
    t.match(error, { maybeEnqueued: false }, 'what is refused was not done');
    clean(t, stage, error);
    await stage.redis.client.replicaof('NO', 'ONE');
    await until(() => queue.counts().catch(() => undefined));
    t.equal((await queue.counts()).queued, 0);
    await queue.close();
  },
  ownRedis,
);

scene(
  'closed while it has just come back: nothing is left that nobody hears of',
  async (_, stage) => {
    const connection = new Connection(stage.redis.url, { name: 'minq:test', callTimeoutMs: 5_000 });
    stage.onEnd(async () => connection.close());
    await connection.subscribe('channel');
    const client = await connection.call(async (each) => each);
    const ready = once(client, 'ready');
    client.disconnect(true);
    await ready;
    connection.close(); // a rejection without a handler would fail the test
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
);
