/** What `info()` tells of the attempts before the last one. */
import { job, currentJob } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { claim, LEASE_MS, settlement, ticketsOf } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

scene('each failed attempt is kept with its error and times', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    flaky: () => {
      const { attempt } = currentJob();
      if (attempt < 4) throw new RangeError(`attempt ${attempt}`);
      return 'at last';
    },
    bad: () => {
      throw new TypeError('always');
    },
  });
  const good = await queue.enqueue('flaky', [], { retries: 5, backoff: 1 });
  await good.result({ timeout: '20s' });
  const { attempts, ...info } = await good.info();
  t.match(info, { state: 'completed', attempt: 4, result: 'at last' });
  t.equal(attempts!.length, 3);
  for (const [i, attempt] of attempts!.entries()) {
    t.match(attempt, {
      attempt: i + 1,
      error: { name: 'RangeError', message: `attempt ${i + 1}` },
    });
    t.match(attempt.error.stack, /attempts\.test/);
    t.ok(attempt.startedAt! >= info.enqueuedAt! && attempt.endedAt >= attempt.startedAt!);
    t.ok(attempt.ranMs! >= 0);
    t.ok(i === 0 || attempt.startedAt! >= attempts![i - 1]!.endedAt, 'one after the other');
  }

  const bad = await queue.enqueue('bad', [], { retries: 1, backoff: 1 });
  await t.rejects(bad.result({ timeout: '20s' }));
  const failed = await bad.info();
  t.match(failed, { state: 'failed', attempt: 2, error: { message: 'always' } });
  t.match(failed.attempts, [{ attempt: 1 }], 'the last one is the job itself');
  const once = await queue.enqueue('bad', [], { retries: 0 });
  await t.rejects(once.result({ timeout: '20s' }));
  t.notOk('attempts' in (await once.info()));
  t.notOk('attempts' in (await queue.jobs('failed'))[0]!, 'lists go without');
});

scene('a worker that was lost is an attempt too', async (t, stage) => {
  const queue = stage.queue();
  const dead = stage.store('dead');
  const handle = await queue.enqueue('f');
  t.equal(ticketsOf(await claim(dead, 1, 1)).length, 1);
  for (const ticket of await stage.redis.client.zrange(dead.keys.active, '0', '-1')) {
    await stage.redis.client.zadd(dead.keys.active, 1, ticket); // its lease is over
  }
  const other = stage.store('other');
  const turn = await other.turn(1, LEASE_MS, 1, []);
  t.equal(turn.claimed.length, 1);
  const { attempts, attempt } = await handle.info();
  t.equal(attempt, 2);
  t.match(attempts, [{ attempt: 1, error: { name: 'WorkerLostError' } }]);
  t.ok(attempts![0]!.endedAt > 0);
});

scene('run again by hand, a job keeps what was before', async (t, stage) => {
  const queue = stage.queue();
  let said = 'first';
  stage.worker({
    bad: () => {
      throw new Error(`${said} ${currentJob().attempt}`);
    },
  });
  const handle = await queue.enqueue('bad', [], { retries: 1, backoff: 1 });
  const failed = () => until(async () => (await handle.state()) === 'failed');
  await failed();
  said = 'second';
  t.ok(await queue.retry(handle.id));
  await failed();
  const { attempts, error } = await handle.info();
  t.same(
    attempts!.map((each) => `${each.attempt} ${each.error.message}`),
    ['1 first 1', '2 first 2', '1 second 1'],
  );
  t.equal(error!.message, 'second 2');
  t.ok(attempts!.every((each) => each.endedAt > 0 && each.startedAt! > 0));

  const cancelled = await queue.enqueue('bad', [], { delay: '1h', retries: 0 });
  await cancelled.cancel();
  await queue.retry(cancelled.id);
  await until(async () => (await cancelled.state()) === 'failed');
  t.notOk((await cancelled.info()).attempts?.length, 'that was no attempt');
});

scene('the newest 8 KB of them are kept, and go with the job', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  const { keys } = stage.store();
  stage.worker({
    chatty: job({ retries: 40, backoff: 1 }, () => {
      const error = new Error(`${currentJob().attempt} ${'ä'.repeat(200)}`);
      error.stack = 'none';
      throw error;
    }),
    huge: job({ retries: 1, backoff: 1 }, () => {
      throw Object.assign(new Error('x'.repeat(20_000)), { stack: 'y'.repeat(20_000) });
    }),
  });
  const handle = await queue.enqueue('chatty');
  await until(async () => (await handle.state()) === 'failed');
  const { attempts } = await handle.info();
  const numbers = attempts!.map(({ attempt }) => attempt);
  t.ok(numbers.length > 5 && numbers.length < 40, `${numbers.length} of 40`);
  t.same(numbers, Array.from(numbers, (_, i) => 41 - numbers.length + i), 'the last ones'); // prettier-ignore
  t.ok(Buffer.byteLength((await client.hget(keys.attempts, handle.id))!) <= 8_192);

  const huge = await queue.enqueue('huge');
  await until(async () => (await huge.state()) === 'failed');
  const bytes = await client.hstrlen(keys.attempts, huge.id);
  t.ok(bytes <= 8_192, `${bytes}`);
  t.equal((await huge.info()).error!.name, 'Error');

  await queue.remove(handle.id);
  t.equal(await client.hexists(keys.attempts, handle.id), 0);
  await queue.purge('failed');
  t.equal(await client.exists(keys.attempts), 0);
});

scene('broken lines are left out', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('w');
  const handle = await queue.enqueue('f');
  const [ticket] = ticketsOf(await claim(store, 1, 1));
  const error = { name: 'Error', message: 'line\nbreak "quoted" \u2028 ü' };
  await claim(store, 2, 0, settlement(ticket!, { kind: 'retry', error, delayMs: 60_000 }));
  const key = store.keys.attempts;
  const line = (await stage.redis.client.hget(key, handle.id))!;
  const broken = `garbage\n\n1234567890123{}\n1234567890123null\n1234567890123[1]\n`;
  await stage.redis.client.hset(key, handle.id, broken + line + '1234567890123{"error":5}\n');
  t.match((await handle.info()).attempts, [{ attempt: 1, error }]);
  t.equal((await handle.info()).attempts!.length, 1);
});
