/** Bounds of what the dashboard answers, counted: the numbers are written down here, and read nowhere. */
import type {
  CronReply,
  FindingsReply,
  JobsReply,
  QueueReply,
  QueuesReply,
  WorkersReply,
} from '../../src/dashboard/api.ts';
import { scene } from '../helpers/setup.ts';
import { handlerOn, serve, site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const names = (count: number, name: string) =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);

scene('a hundred queues, a hundred findings', async (t, stage) => {
  const { client } = stage.redis;
  const known = stage.store().queuesKey;
  const handler = handlerOn(stage, { queues: undefined });
  const { get } = await serve(stage, (req, res) => void handler(req, res));
  await client.zadd(known, ...names(150, 'q').flatMap((name) => [String(Date.now()), name]));
  t.equal(((await get('api/queues')).json as QueuesReply).queues.length, 100);
  await client.zadd(known, ...names(150, '{q').flatMap((name) => [String(Date.now()), name]));
  t.equal(((await get('api/findings')).json as FindingsReply).findings.length <= 100, true);
  await client.del(known);
});

scene('a hundred workers, 500 running jobs of them together', async (t, stage) => {
  const { client } = stage.redis;
  const { workers } = stage.store().keys;
  const queue = stage.queue();
  const worker = stage.worker({ f: () => 1 });
  await until(async () => (await queue.workers()).length === 1);
  const [text] = Object.values(await client.hgetall(workers));
  await worker.stop();
  const running = names(100, 'j').map((id) => ({ id, fn: 'f', sinceMs: 5 }));
  const shown = JSON.stringify({ ...(JSON.parse(text!.slice(13)) as object), running });
  const put = (count: number) =>
    client.hset(workers, ...names(count, 'w').flatMap((name) => [name, `${Date.now()}${shown}`]));
  const { get } = await site(stage);
  const read = async () => ((await get('api/workers')).json as WorkersReply).workers;
  await put(20);
  t.equal((await read()).flatMap((one) => one.running).length, 500);
  await put(150);
  const all = await read();
  t.equal(all.length, 100);
  t.equal(all.flatMap((one) => one.running).length, 500, 'five of each');
  await client.del(workers);
});

scene('a hundred functions of a queue, 200 cron entries', async (t, stage) => {
  const { client } = stage.redis;
  const { timings, entries, cron } = stage.store().keys;
  const { get } = await site(stage);
  const of = `queue=${stage.name}`;
  await client.hset(
    timings,
    ...names(150, 'f').flatMap((name) => [`${name} ended completed`, '3']),
  );
  t.equal(((await get(`api/queue?${of}`)).json as QueueReply).functions.length, 100);
  const queue = stage.queue();
  await queue.schedule('e', { fn: 'f', every: '1h' });
  const definition = (await client.hget(entries, 'e'))!;
  await client.hset(entries, ...names(250, 'e').flatMap((name) => [name, definition]));
  await client.zadd(cron, ...names(250, 'e').flatMap((name) => ['9999999999999', name]));
  t.equal(((await get('api/cron')).json as CronReply).entries.length, 200);
});

scene('of large values in lists Redis sends no more than is shown', async (t, stage) => {
  const queue = stage.queue();
  for (const id of names(20, 'large'))
    await queue.enqueue('f', ['x'.repeat(100_000)], { id, delay: '1h' });
  const { get } = await site(stage);
  const read = async () =>
    ((await get(`api/jobs?queue=${stage.name}&state=scheduled`)).json as JobsReply).jobs;
  await read();
  const sent = async () =>
    Number(/total_net_output_bytes:(\d+)/.exec(await stage.redis.client.info('stats'))![1]);
  const before = await sent();
  t.equal((await read()).length, 20);
  const bytes = (await sent()) - before;
  t.ok(bytes < 60_000, `${bytes} bytes, and 2,000,000 lie there`);
});
