import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { startProxy } from '../helpers/proxy.ts';
import { startRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const redis = await startRedis();
t.teardown(() => redis.stop());

async function through(test: Test) {
  const proxy = await startProxy(redis.port);
  const client = new Redis({
    port: proxy.port,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
  });
  client.on('error', () => {});
  test.teardown(async () => {
    client.disconnect();
    await proxy.close();
  });
  await client.ping();
  return { proxy, client };
}

/** Whether it has neither resolved nor rejected after several round trips of another connection. */
async function pending(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  promise.then(
    () => (over = true),
    () => (over = true),
  );
  for (let i = 0; i < 50; i++) await redis.client.ping();
  return !over;
}

void t.test('latency delays every byte, and none overtakes another', async (test) => {
  const { proxy, client } = await through(test);
  proxy.latencyMs = 60;
  const started = performance.now();
  const first = Array.from({ length: 20 }, (_, i) => client.echo(`a${i}`));
  await client.echo('between');
  test.ok(performance.now() - started >= 115, 'there and back again');
  const held = client.echo('held');
  await new Promise((resolve) => setImmediate(resolve));
  proxy.latencyMs = 0;
  test.equal(await client.echo('later'), 'later', 'each reply reaches its own caller');
  test.equal(await held, 'held');
  test.same(
    await Promise.all(first),
    Array.from({ length: 20 }, (_, i) => `a${i}`),
  );
});

void t.test(
  'swallowed replies: Redis acts, the caller hears nothing, not even later',
  async (test) => {
    const { proxy, client } = await through(test);
    proxy.swallow = ['replies'];
    const lost = client.incr('replies');
    await until(() => proxy.cutOff === 1);
    test.equal(await redis.client.get('replies'), '1');
    proxy.swallow = [];
    test.ok(await pending(lost));
    test.ok(await pending(client.ping()), 'what was cut off stays so');
    const closed = new Promise((resolve) => client.once('close', resolve));
    proxy.reset();
    await closed;
    test.equal(await client.ping(), 'PONG', 'a new link is well');
  },
);

void t.test('swallowed requests: Redis never hears of them, nothing is closed', async (test) => {
  const { proxy, client } = await through(test);
  proxy.swallow = ['requests', 'replies'];
  test.ok(await pending(client.incr('requests')));
  test.equal(await redis.client.get('requests'), null);
  test.equal(proxy.links, 1);
});

void t.test('a cut loses one request, or one reply, and resets the link', async (test) => {
  const { proxy, client } = await through(test);
  const closed = () => new Promise((resolve) => client.once('close', resolve));
  for (const [cut, effect] of [
    [{ request: 'cut-1' }, null],
    [{ replyTo: 'cut-2' }, '1'],
    [{ reply: 'cut-3' }, '1'],
  ] as const) {
    const [key] = Object.values(cut) as [string];
    const over = proxy.cut(cut);
    const ended = closed();
    void client.eval(`redis.call('INCR', KEYS[1]) return KEYS[1]`, 1, key).catch(() => {});
    await Promise.all([over, ended]);
    test.equal(await client.ping(), 'PONG', 'the next link is well');
    test.equal(await redis.client.get(key), effect);
  }
});

void t.test('refusing: no connection until it accepts again', async (test) => {
  const { proxy, client } = await through(test);
  const errors: string[] = [];
  client.on('error', (error: Error) => errors.push(error.message));
  await proxy.refuse();
  await until(() => errors.some((message) => message.includes('ECONNREFUSED')));
  await proxy.accept();
  test.equal(await client.ping(), 'PONG');
});
