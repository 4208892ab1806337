/** `unique: 'waiting'`: of the jobs under one id one waits at most, and those that run are left out of it. */
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('one waits at most; while one runs, one more may wait', async (t, stage) => {
  const queue = stage.queue();
  const held = gate();
  const order: number[] = [];
  const enqueue = (n: number) => queue.enqueue('f', [n], { id: 'x', unique: 'waiting' });
  const first = await enqueue(1);
  const same = await enqueue(2);
  t.match(
    [first, same],
    [
      { id: 'x', duplicate: false },
      { id: 'x', duplicate: true },
    ],
  );
  stage.worker({ f: async (n: number) => (order.push(n), await held.pass(), n) }, { concurrency: 5 }); // prettier-ignore
  await until(() => held.running === 1);

  await queue.pause();
  const next = await enqueue(3);
  t.match(next, { id: 'x:again:1', duplicate: false });
  t.match(await enqueue(4), { id: 'x:again:1', duplicate: true });
  t.match(await queue.enqueueMany([{ fn: 'f', args: [5], id: 'x', unique: 'waiting' }]), [{ value: { id: 'x:again:1', duplicate: true } }]); // prettier-ignore
  t.match(await queue.counts(), { active: 1, queued: 1 });
  await queue.resume();
  await until(() => held.running === 2); // beside the first
  const third = await enqueue(6);
  t.match(third, { id: 'x:again:2', duplicate: false });
  held.open();
  t.same(await Promise.all([first, next, third].map((job) => job.result({ timeout: '10s' }))), [1, 3, 6]); // prettier-ignore
  t.same(order, [1, 3, 6]);
  const anew = await enqueue(7);
  t.match(anew, { id: 'x', duplicate: false }, 'the id is free again');
  t.equal(await anew.result({ timeout: '10s' }), 7);
});

scene('a retry and a delay wait too; a cancelled one does not', async (t, stage) => {
  const queue = stage.queue();
  const options = { id: 'x', unique: 'waiting' } as const;
  const later = await queue.enqueue('f', [], { ...options, delay: '1h' });
  t.equal((await queue.enqueue('f', [], options)).duplicate, true);
  await later.cancel();
  stage.worker({
    f: () => {
      throw new Error('not yet');
    },
  });
  const again = await queue.enqueue('f', [], { ...options, backoff: '1h' });
  t.match(again, { id: 'x', duplicate: false });
  await until(async () => (await again.state()) === 'scheduled');
  t.equal((await queue.enqueue('f', [], options)).duplicate, true);
  await again.cancel();
});

scene('nothing is left of it when its jobs are forgotten', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store();
  const held = gate();
  stage.worker({ f: () => held.pass() });
  const options = { id: 'x', unique: 'waiting', resultTtl: 1 } as const;
  await queue.enqueue('f', [], options);
  await until(() => held.running === 1);
  t.equal((await queue.enqueue('f', [], options)).id, 'x:again:1');
  const key = `minq:{${stage.name}}:again`;
  t.same(await stage.redis.client.hgetall(key), { x: 'x:again:1' });
  held.open();
  await until(async () => {
    await store.prune();
    return (await stage.redis.client.exists(key)) === 0;
  });
});

scene('what it can’t be used for is said', async (t, stage) => {
  const queue = stage.queue();
  await t.rejects(queue.call('f', [], { id: 'x', unique: 'waiting' }), { message: /^unique: "waiting" is not usable; .*use enqueue\(\)/ }); // prettier-ignore
  await t.rejects(queue.enqueue('f', [], { unique: 'waiting' }), { message: /^unique: "waiting" .*it needs an 'id'/ }); // prettier-ignore
  await t.rejects(queue.enqueue('f', [], { id: 'x:again:1' }), { message: /^id: "x:again:1".*minq itself makes ids/ }); // prettier-ignore
});
