/** Cron under faults, with nothing to do: heartbeats are up to twenty seconds apart. */
import t from 'tap';
import { job } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);

scene('what was not heard, the heartbeat brings', async (t, stage) => {
  const queue = stage.queue();
  const { cron, entries, apps } = stage.store().keys;
  const { client } = stage.redis;
  const yearly = () => job({ cron: '@yearly' }, () => undefined);
  stage.worker({ first: yearly() }, { app: 'one' });
  await until(async () => (await queue.schedules()).length === 1);
  stage.worker({ second: yearly() }, { app: 'two' });
  await until(async () => (await queue.schedules()).length === 2);
  // One of two apps' entries is gone; the other's has the same next tick.
  await client.multi().zrem(cron, 'second').hdel(entries, 'second').hdel(apps, 'two').exec();
  await until(async () => (await queue.schedules()).length === 2, { timeoutMs: 40_000 });
  // An entry falls due earlier than the beat was told.
  await client.zadd(cron, 1_000, 'first');
  await until(async () => (await queue.counts()).completed === 1, { timeoutMs: 40_000 });
  t.match(await queue.jobs('completed'), [{ fn: 'first' }]);
}, { beside: true }); // prettier-ignore
