/** A server that closes the connection on what is too large for it: nothing waits for that, and who is to blame fails by name. */
import t from 'tap';
import { startProxy } from '../helpers/proxy.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);
t.jobs = 3; // they wait for calls to end

const few = (n: number, size: number) =>
  Array.from({ length: n }, (_, i) => ({ fn: 'f', args: [i, 'x'.repeat(size)] }));
const f = (i: number) => i;
/** Each call ends soon: it is cut off several times. */
const options = { callTimeout: 1_000, concurrency: 100 };

scene('claims are made smaller until they pass', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueueMany(few(40, 300_000));
  await stage.redis.client.config('SET', 'client-output-buffer-limit', 'normal 600000 0 0');
  stage.worker({ f }, options);
  await until(async () => (await queue.stats()).completed === 40, { timeoutMs: 60_000 });
  t.match(await queue.stats(), { failed: 0, refused: 0, recovered: 0 });
}, { redis: startRedis, beside: true }); // prettier-ignore

scene('a job that never passes fails by name, and the others run', async (t, stage) => {
  const queue = stage.queue();
  const big = await queue.enqueue('f', [0, 'x'.repeat(1_000_000)]);
  await queue.enqueueMany(few(20, 1_000));
  await stage.redis.client.config('SET', 'client-output-buffer-limit', 'normal 600000 0 0');
  stage.worker({ f }, options);
  await until(async () => (await queue.stats()).completed === 20, { timeoutMs: 60_000 });
  await stage.redis.client.config('SET', 'client-output-buffer-limit', 'normal 0 0 0');
  t.match((await queue.jobs('failed'))[0], { id: big.id, error: { name: 'BadRecordError', message: /can't be received: it is 10000\d\d bytes .* client-output-buffer-limit/ } });
  t.equal((await queue.stats()).failed, 1);
}, { redis: startRedis, beside: true }); // prettier-ignore

scene('a result that can not be stored fails its job by name, and the others are settled', async (t, stage) => {
  const queue = stage.queue();
  const big = await queue.enqueue('big', []);
  await queue.enqueueMany(few(50, 10));
  await stage.redis.client.config('SET', 'proto-max-bulk-len', '1048576');
  stage.worker({ f, big: () => 'x'.repeat(1_048_570) }, options);
  await until(async () => (await queue.stats()).completed === 50, { timeoutMs: 60_000 });
  await until(async () => (await big.state()) === 'failed', { timeoutMs: 60_000 });
  t.match(await big.info(), { error: { name: 'BadResultError', message: /can't be stored: .* proto-max-bulk-len/ }, attempt: 1 });
  t.match(await queue.stats(), { failed: 1, recovered: 0 });
}, { redis: startRedis, beside: true }); // prettier-ignore

scene('a proxy that closes idle connections: they are kept open, for no more commands than without it', async (t, stage) => {
  const proxy = await startProxy(stage.redis.port);
  stage.onEnd(() => proxy.close());
  proxy.idleMs = 1_500;
  const queue = stage.queue();
  stage.worker({ f }, { redis: proxy.url });
  const { client } = stage.redis;
  const made = async () => /total_connections_received:(\d+)/.exec(await client.info('stats'))![1]!;
  const sent = async () => [...(await client.info('commandstats')).matchAll(/cmdstat_(?:evalsha|blpop):calls=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0); // prettier-ignore
  let before = await sent();
  await until(async () => {
    const connections = await made();
    before = await sent();
    await new Promise((resolve) => setTimeout(resolve, 4_000)); // longer than any of them is left alone
    return connections === (await made());
  }, { timeoutMs: 60_000 });
  const commands = (await sent()) - before;
  t.ok(commands <= 4, `${commands} commands in 4 s`);
  t.equal(await (await queue.enqueue('f', [5])).result({ timeout: '2s' }), 5);
  t.equal(stage.log.filter((line) => line.startsWith('error')).length, 0, stage.log.join());
}, { redis: startRedis, beside: true }); // prettier-ignore
