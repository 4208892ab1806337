/** The core paths on a server without script flags (Redis 6.2 and js-redis-server refuse `#!lua`). */
import { currentJob, Retry } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { startPlainServer } from '../helpers/plain-server.ts';
import { scene } from '../helpers/setup.ts';
import { claim, jobs, OUTCOMES, settlement, ticketsOf } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

const redis = startPlainServer;

scene('a server without script flags: it does refuse them', async (t, stage) => {
  await t.rejects(stage.redis.client.eval('#!lua\nreturn 1', 0));
  t.equal(await stage.redis.client.eval('return 1', 0), 1);
}, { redis }); // prettier-ignore

scene('a server without script flags: work, results, retry, delay, cancel', async (t, stage) => {
  const held = gate();
  const queue = stage.queue();
  stage.worker({
    add: (a: number, b: number) => a + b,
    again: () => {
      if (currentJob().attempt < 3) throw new Retry({ delay: 1 });
      return currentJob().attempt;
    },
    fail: () => Promise.reject(new TypeError('no luck')),
    hold: held.pass,
  }, { lease: 1_000 }); // that server sees a blocked client go only when its block ends
  const enqueued = Array.from({ length: 100 }, (_, i) => queue.enqueue('add', [i, 1]));
  const results = enqueued.map(async (job) => (await job).result({ timeout: '20s' }));
  t.same(await Promise.all(results), enqueued.map((_, i) => i + 1)); // prettier-ignore

  t.equal(await (await queue.enqueue('again')).result({ timeout: '10s' }), 3);
  const failing = await queue.enqueue('fail', [], { retries: 0, id: 'mine' });
  await t.rejects(failing.result({ timeout: '10s' }), { cause: { name: 'TypeError' } });
  const late = await queue.enqueue('add', [1, 1], { delay: 50, priority: 'high' });
  t.equal(await late.result({ timeout: '10s' }), 2);

  const running = await queue.enqueue('hold');
  await until(() => held.running === 1);
  t.equal((await queue.workers())[0]?.running.length, 0, 'the heartbeat tells of the worker');
  t.equal(await running.cancel(), true);
  await t.rejects(running.result({ timeout: '10s' }), { name: 'JobCancelledError' });
  held.open();
  await queue.pause();
  const waiting = await queue.enqueue('add', [1, 1], { priority: 'low' });
  t.equal(await waiting.cancel(), true);
  await queue.resume();
  t.ok(await queue.retry(waiting.id));
  t.equal(await waiting.result({ timeout: '10s' }), 2);
  t.match(await queue.counts(), { completed: 103, failed: 1, cancelled: 1, active: 0, queued: 0 });
  t.match(await queue.jobs('failed'), [{ id: 'mine', error: { message: 'no luck' } }]);
}, { redis }); // prettier-ignore

scene('a server without script flags: every outcome, and a lease that ends', async (t, stage) => {
  const store = stage.store('worker-a');
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await store.enqueue(jobs('', ...ids));
  t.equal((await claim(store, 1, 7)).claimed.length, 7);
  await stage.redis.client.zadd(store.keys.active, 1, 'g:1:1');
  const all = OUTCOMES.map((outcome, i) => settlement(`${ids[i]}:1:1`, outcome));
  const turn = await claim(store, 2, 1, ...all);
  t.same([turn.refused, ticketsOf(turn)], [[], ['f:2:1']], 'the released one is first');
  t.same(ticketsOf(await claim(store, 3, 1)), ['g:2:2'], 'the recovered one is last');
  t.same(await store.counts(), [2, 0, 2, 1, 1, 1, 0, 0]);
  t.equal(await store.prune(), false);
  t.equal(await store.remove('a'), 'removed');
  t.same(await store.purge('scheduled'), { taken: 2, jobs: 2 });
  await store.leave();
}, { redis }); // prettier-ignore
