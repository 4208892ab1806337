/** What the queues and workers of one process share: connections, and nothing else. */
import { Redis } from 'ioredis';
import t from 'tap';
import { Queue } from '../../src/index.ts';
import { Connection } from '../../src/redis/connection.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

/** How many connections of this name there are. */
async function count({ redis }: Stage, name: string): Promise<number> {
  return String(await redis.client.client('LIST')).split(` name=minq:${name} `).length - 1;
}

const waits = async ({ redis }: Stage) =>
  String(await redis.client.client('LIST')).split(' name=minq:wait:').length - 1;

scene('twenty queues and twenty workers: two connections for all queues, two and one each for the workers', async (t, stage) => {
  const names = Array.from({ length: 20 }, (_, i) => `${stage.name}-${i}`);
  const queues = names.map((name) => {
    const queue = new Queue(name, { redis: stage.redis.url });
    stage.onEnd(() => queue.close());
    return queue;
  });
  for (const name of names) stage.worker({ twice: (n: number) => n * 2 }, { queue: name });
  const calls = queues.map((queue, i) => queue.call('twice', [i]));
  t.strictSame(await Promise.all(calls), names.map((_, i) => i * 2));
  await until(async () => (await waits(stage)) === 20);
  for (const name of ['queue', 'results', 'worker', 'control']) {
    t.equal(await count(stage, name), 1, name);
  }
}, { redis: startRedis }); // prettier-ignore

scene('who closes leaves the connection to the others', async (t, stage) => {
  const [one, two] = [stage.queue(), stage.queue()];
  let ended: (() => void) | undefined;
  const jobs = { f: () => new Promise<string>((resolve) => (ended = () => resolve('done'))), g: () => 1 };
  const [first] = [stage.worker(jobs), stage.worker(jobs, { concurrency: 1 })];
  const waiting = [one, two].map(async (queue) => (await queue.enqueue('g', [])).result());
  await Promise.all(waiting);
  await first.stop();
  const result = two.call('f', []);
  await until(() => ended);
  await one.close();
  await t.rejects(one.counts(), { code: 'QUEUE_CLOSED' });
  ended!();
  t.equal(await result, 'done', 'what the other waits for is still heard');

  const cancelled = await two.enqueue('f', []);
  await until(async () => (await cancelled.state()) === 'active');
  const channel = `minq:{${stage.name}}:control`;
  t.strictSame(await stage.redis.client.pubsub('NUMSUB', channel), [channel, 1], 'the other worker of this queue hears of orders');
  t.ok(await cancelled.cancel());
  await t.rejects(cancelled.result(), { code: 'JOB_CANCELLED' });
}); // prettier-ignore

scene('a connection that is closed carries nothing more, though others use its client', async (t, stage) => {
  const open = () => new Connection(stage.redis.url, { name: 'minq:test', callTimeoutMs: 2_000 });
  const [one, two] = [open(), open()];
  stage.onEnd(async () => two.close());
  t.same(await Promise.all([one, two].map((each) => each.call((client) => client.ping()))), ['PONG', 'PONG']);
  one.close();
  await t.rejects(one.call((client) => client.ping()), { code: 'REDIS_UNAVAILABLE', message: /was closed/, maybeEnqueued: false });
  t.equal(await two.call((client) => client.ping()), 'PONG');
}, { redis: startRedis }); // prettier-ignore

scene('a call under which the connection broke twice moves out, and what is called meanwhile goes on', async (t, stage) => {
  const { client } = stage.redis;
  const open = () => new Connection(stage.redis.url, { name: 'minq:test', callTimeoutMs: 5_000 });
  const [one, two] = [open(), open()];
  stage.onEnd(async () => (one.close(), two.close()));
  await two.call((each) => each.ping());
  const blocked = async () => / name=minq:test .* cmd=blpop /.test(String(await client.client('LIST')));
  const pop = one.call((each) => each.blpop('list', 5));
  const waiting: Promise<string>[] = [];
  for (let breaks = 0; breaks < 2; breaks++) {
    await until(blocked);
    const killed = client.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    while (one.ready) await new Promise(setImmediate);
    for (let i = 0; i < 20; i++) {
      waiting.push(one.call((each) => each.ping()));
      await new Promise(setImmediate);
    }
    await killed;
  }
  await until(blocked);
  await client.rpush('list', 'a');
  t.same(await pop, ['list', 'a']);
  t.same(await Promise.all(waiting), waiting.map(() => 'PONG'));
  await until(async () => (await count(stage, 'test')) === 2);
}, { redis: startRedis }); // prettier-ignore

scene('what nobody listens to any more is unsubscribed', async (t, stage) => {
  const other = stage.queue();
  stage.worker({ f: () => 1 });
  await other.call('f', []);
  const queue = new Queue(stage.name, { redis: stage.redis.url });
  await queue.call('f', []);
  const subscribed = async () => ((await stage.redis.client.pubsub('CHANNELS', `minq:{${stage.name}}:results:*`)) as string[]).length;
  t.equal(await subscribed(), 2);
  await queue.close();
  await until(async () => (await subscribed()) === 1);
}, { redis: startRedis }); // prettier-ignore

scene('a client of the user is duplicated once for all that are given it', async (t, stage) => {
  const client = new Redis(stage.redis.url);
  stage.onEnd(async () => client.disconnect());
  const queues = [1, 2, 3].map(() => stage.queue({ redis: client }));
  await Promise.all(queues.map((queue) => queue.counts()));
  t.equal(await count(stage, 'queue'), 1);
  await stage.queue({ redis: { port: stage.redis.port } }).counts();
  t.equal(await count(stage, 'queue'), 2, 'options made for one queue are those of that queue');
}, { redis: startRedis }); // prettier-ignore

scene('who is cut off by what another sends gets a connection of its own, and loses nothing', async (t, stage) => {
  const guilty = stage.queue();
  const quiet = new Queue(`${stage.name}-quiet`, { redis: stage.redis.url });
  stage.onEnd(() => quiet.close());
  const big = await guilty.enqueue('f', ['x'.repeat(1_000_000)]);
  await stage.redis.client.config('SET', 'client-output-buffer-limit', 'normal 600000 0 0');
  stage.worker({ f: () => 1 }, { callTimeout: 600 });
  stage.worker({ f: () => 1 }, { queue: quiet.name, callTimeout: 500 });
  let failed = false;
  const calls = Array.from({ length: 20 }, async () => {
    let ended = 0;
    for (; !failed; ended++) await quiet.call('f', [], { timeout: '20s' });
    return ended;
  });
  await until(async () => (await guilty.stats()).failed === 1, { timeoutMs: 60_000 });
  failed = true;
  await stage.redis.client.config('SET', 'client-output-buffer-limit', 'normal 0 0 0');
  const ran = (await Promise.all(calls)).reduce((sum, each) => sum + each);
  t.match(await big.info(), { error: { name: 'BadRecordError' } });
  t.match(await quiet.stats(), { completed: ran, failed: 0, recovered: 0, retried: 0, refused: 0 });
  t.equal(await count(stage, 'worker'), 2);
}, { redis: startRedis }); // prettier-ignore
