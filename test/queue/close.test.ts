import { Queue, QueueClosedError } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('close() sends what was accepted before it', async (t, stage) => {
  const queue = stage.queue();
  const accepted = Array.from({ length: 2_500 }, (_, i) => queue.enqueue('f', [i]));
  await queue.close();
  t.equal((await Promise.all(accepted)).length, 2_500);
  t.equal((await stage.queue().counts()).queued, 2_500);
});

scene('after close() every call rejects with QueueClosedError', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f');
  const closing = queue.close();
  for (const call of [
    () => queue.enqueue('f'),
    () => queue.enqueueMany([{ fn: 'f' }]),
    () => queue.counts(),
    () => queue.jobs('queued'),
    () => queue.workers(),
    () => queue.stats(),
    () => queue.pause(),
    () => queue.resume(),
    () => queue.retry(job.id),
    () => queue.remove(job.id),
    () => queue.purge('queued'),
    () => job.result(),
    () => job.info(),
    () => job.state(),
    () => job.cancel(),
    () => queue.job('x').info(),
  ]) {
    await t.rejects(call(), QueueClosedError, String(call));
  }
  t.equal(queue.close(), closing, 'closing twice is closing once');
  await closing;
  t.equal((await stage.queue().counts()).queued, 1);
});

scene('close() ends the waiting for results', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f');
  const waiting = [job.result(), job.result({ timeout: '1h' }), queue.job(job.id).result()];
  const ends = Promise.allSettled(waiting);
  await until(async () => (await stage.redis.client.hlen(`minq:{${stage.name}}:waiters`)) === 1);
  await queue.close();
  for (const end of await ends) t.match(end, { status: 'rejected', reason: QueueClosedError });
});

scene('close() right after a call to result() leaves nothing open', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f');
  const end = job.result().catch((error: unknown) => error);
  await queue.close();
  t.type(await end, QueueClosedError);
});

scene('a queue that was never used closes without connecting', async (t, stage) => {
  const queue = new Queue(stage.name, { redis: 'redis://127.0.0.1:1' });
  await queue.close();
  await t.rejects(queue.enqueue('f'), QueueClosedError);
});

scene('await using closes at the end of the block', async (t, stage) => {
  let outside: Queue;
  {
    await using queue = new Queue(stage.name, { redis: stage.redis.url });
    outside = queue;
    void queue.enqueue('f');
  }
  await t.rejects(outside.enqueue('f'), QueueClosedError);
  t.equal((await stage.queue().counts()).queued, 1);
});
