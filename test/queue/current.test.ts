/** Jobs that enqueue jobs: where they come from, by the worker's connection, and never for ever in wait of each other. */
import t from 'tap';
import { currentQueue, Queue, QueueClosedError, type Job } from '../../src/index.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

void t.test('outside of a job there is none', async (t) => {
  t.throws(() => currentQueue(), { code: 'NO_JOB', message: /^currentQueue\(\) was called outside of a job: / });
}); // prettier-ignore

scene('a job enqueues where it came from: same Redis, prefix, queue, and the routes of functions and worker', async (t, stage) => {
  const prefix = 'other';
  const names = () => ({ mine: currentQueue().name, same: currentQueue() === currentQueue() });
  const { job } = await import('../../src/index.ts');
  const jobs = {
    names,
    parent: async () => {
      const queue = currentQueue();
      const enqueued = [await queue.enqueue('child', [1]), await queue.enqueue('mail', [2]), await queue.enqueue('report', [3])];
      return enqueued.map(({ queue: at }) => at);
    },
    child: (n: number) => n,
    mail: job({ queue: `${stage.name}-mail` }, (n: number) => n),
    report: (n: number) => n,
  };
  const worker = stage.worker(jobs, { prefix, routes: { report: `${stage.name}-reports` } });
  const queue = stage.queue<typeof jobs>({ prefix });
  t.same(await queue.call('names'), { mine: stage.name, same: true });
  t.same(await queue.call('parent'), [stage.name, `${stage.name}-mail`, `${stage.name}-reports`]);
  await worker.stop();
  const keys = await stage.redis.client.keys('minq:*');
  t.same(keys.filter((key) => key.includes(stage.name)), [], 'nothing went to the default prefix');
}); // prettier-ignore

scene('all jobs of a process share the connection of all its queues', async (t, stage) => {
  const jobs = { parent: async () => (await currentQueue().enqueue('child')).id, child: () => 1 };
  stage.worker(jobs);
  const queue = stage.queue<typeof jobs>();
  await Promise.all(Array.from({ length: 30 }, () => queue.call('parent')));
  t.equal(String(await stage.redis.client.client('LIST')).split(' name=minq:queue ').length - 1, 1);
}, { redis: startRedis }); // prettier-ignore

scene('what jobs enqueued last is sent before the worker goes; later they are told', async (t, stage) => {
  let late: Promise<unknown> | undefined;
  let leave = () => {};
  const gone = new Promise<void>((resolve) => (leave = resolve));
  const jobs = {
    parent: () => void currentQueue().enqueue('child', [], { id: 'last' }).catch(() => {}),
    child: () => 1,
    leaves: async () => {
      const queue = currentQueue();
      late = gone.then(() => queue.enqueue('child'));
      late.catch(() => {});
    },
  };
  const worker = stage.worker(jobs);
  const queue = stage.queue<typeof jobs>();
  await queue.call('leaves');
  await queue.enqueue('parent');
  await until(async () => (await queue.stats()).completed >= 2);
  await worker.stop();
  leave();
  t.match(await queue.job('last').state(), /queued|completed/);
  await t.rejects(late!, QueueClosedError);
}); // prettier-ignore

scene('a job that waits for another without a free slot is warned of, once a minute', async (t, stage) => {
  const jobs = {
    parent: async (n: number) => currentQueue<{ child(n: number): number }>().call('child', [n], { timeout: '3s' }).catch((error: Error) => error.message),
    child: (n: number) => n,
    two: async () => {
      const [a, b] = [await currentQueue().enqueue('child', [1]), await currentQueue().enqueue('child', [2])];
      return Promise.all([a.result(), (b as Job).result()]);
    },
  };
  const worker = stage.worker(jobs, { concurrency: 2 });
  const queue = stage.queue<typeof jobs>();
  t.same(await queue.call('two'), [1, 2]);
  t.same(stage.log.filter((line) => line.startsWith('warn')), [], 'one slot is free, though the job waits for two');
  const outcomes = await Promise.all([queue.call('parent', [1]), queue.call('parent', [2])]);
  t.match(outcomes, [/no result within 3000 ms/, /no result within 3000 ms/]);
  await Promise.all([queue.call('parent', [1]), queue.call('parent', [2])]);
  const warnings = stage.log.filter((line) => line.startsWith('warn') && line.includes('wait for other jobs'));
  t.equal(warnings.length, 1, stage.log.join('\n'));
  t.match(warnings[0], `all 2 slots of this worker wait for other jobs of queue ${stage.name}: `);
  worker.concurrency = 3;
  t.equal(await queue.call('parent', [5]), 5);

  const elsewhere = new Queue(`${stage.name}-b`, { redis: stage.redis.url });
  stage.onEnd(() => elsewhere.close());
  stage.worker({ child: (n: number) => n }, { queue: elsewhere.name });
  const other = { only: async () => elsewhere.call('child', [7]) };
  stage.worker(other, { queue: `${stage.name}-c`, concurrency: 1 });
  const third = new Queue<typeof other>(`${stage.name}-c`, { redis: stage.redis.url });
  stage.onEnd(() => third.close());
  t.equal(await third.call('only'), 7);
  t.equal(stage.log.filter((line) => line.includes('the only slot')).length, 0, 'another queue has its own workers');
}); // prettier-ignore
