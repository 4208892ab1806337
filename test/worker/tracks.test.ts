/** Two turns under way: each settles and claims for itself, and all that is promised of one holds for both. */
import t from 'tap';
import { faultyScene } from '../helpers/faulty.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);

const several = (n: number, fn: string) => Array.from({ length: n }, (_, i) => ({ fn, args: [i] }));

/** What ran, in order. */
function noting() {
  const ran: number[] = [];
  return { ran, note: (i: number) => void ran.push(i) };
}

const inOrder = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const firstOnes = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Whether the worker has ever claimed on its second track. */
const usedBoth = (stage: Stage, id: string) =>
  stage.redis.client.exists(stage.store().keys.claim(`${id}:2`));

faultyScene('with more jobs than slots both are used, and each job runs once', async (t, stage) => {
  const queue = stage.queue({ redis: stage.redis.url });
  const { ran, note } = noting();
  await queue.enqueueMany(several(2_000, 'note'));
  stage.proxy.latencyMs = 3;
  const { id } = stage.worker({ note }, { concurrency: 20 });
  await until(async () => (await queue.counts()).completed === 2_000);
  t.same(inOrder(ran), firstOnes(2_000));
  t.equal(await usedBoth(stage, id), 1);
  t.match(await queue.stats(), { refused: 0, recovered: 0 });
});

/** What ran, and the most that did at once. */
function counting(work: (i: number) => Promise<unknown>) {
  const ran: number[] = [];
  const seen = { ran, running: 0, most: 0 };
  const job = async (i: number) => {
    seen.most = Math.max(seen.most, ++seen.running);
    await work(i);
    ran.push(i);
    seen.running--;
  };
  return { seen, job };
}

for (const concurrency of [1, 2, 3, 10]) {
  scene(`never more than ${concurrency} at once, whatever they take`, async (t, stage) => {
    const queue = stage.queue();
    const { seen, job } = counting(async (i) => {
      if (i % 7 === 3) await new Promise((resolve) => setImmediate(resolve));
      if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    });
    await queue.enqueueMany(several(1_500, 'mixed'));
    stage.worker({ mixed: job }, { concurrency });
    await until(async () => (await queue.counts()).completed === 1_500);
    t.ok(seen.most <= concurrency, `${seen.most}`);
    t.same(inOrder(seen.ran), firstOnes(1_500));
  });
}

scene('a hundred at once, claimed by two turns: never more', async (t, stage) => {
  const queue = stage.queue();
  const { seen, job } = counting(() => new Promise((resolve) => setTimeout(resolve, 5)));
  await queue.enqueueMany(several(2_000, 'slow'));
  const { id } = stage.worker({ slow: job }, { concurrency: 100 });
  await until(async () => (await queue.counts()).completed === 2_000);
  t.equal(seen.most, 100);
  t.same(inOrder(seen.ran), firstOnes(2_000));
  t.equal(await usedBoth(stage, id), 1);
});

faultyScene(
  'neither is answered: both are sent again as what they were, and no job waits for its lease',
  async (t, stage) => {
    const queue = stage.queue({ redis: stage.redis.url });
    const { ran, note } = noting();
    await queue.enqueueMany(several(6_000, 'note'));
    const failed = () => stage.log.filter((line) => line.includes('turn failed')).length;
    stage.proxy.latencyMs = 5;
    const { id } = stage.worker({ note }, { concurrency: 100, lease: '1h', callTimeout: 500 });
    await until(() => ran.length > 500);
    stage.proxy.swallow = ['replies'];
    await until(() => failed() > 0);
    stage.proxy.swallow = [];
    stage.proxy.latencyMs = 0;
    await until(async () => (await queue.counts()).completed === 6_000);
    t.same(inOrder(ran), firstOnes(6_000), 'each ran once');
    t.equal(await usedBoth(stage, id), 1);
    t.match(await queue.stats(), { refused: 0, recovered: 0 });
  },
);

faultyScene('the connection breaks again and again: each job runs once', async (t, stage) => {
  const queue = stage.queue({ redis: stage.redis.url });
  const { ran, note } = noting();
  await queue.enqueueMany(several(6_000, 'note'));
  stage.proxy.latencyMs = 2;
  stage.worker({ note }, { concurrency: 100, lease: '1h' });
  for (let after = 500; after < 6_000; after += 500) {
    await until(() => ran.length > after);
    stage.proxy.reset();
  }
  await until(async () => (await queue.counts()).completed === 6_000);
  t.same(inOrder(ran), firstOnes(6_000));
  t.match(await queue.stats(), { refused: 0, recovered: 0 });
});

faultyScene(
  'stopped with both under way: what they claim goes back, in order',
  async (t, stage) => {
    const queue = stage.queue({ redis: stage.redis.url });
    const { ran, note } = noting();
    await queue.enqueueMany(several(6_000, 'note'));
    stage.proxy.latencyMs = 20;
    const worker = stage.worker({ note }, { concurrency: 100, lease: '1h' });
    await until(() => ran.length > 300);
    await worker.stop();
    const { active, queued, completed } = await queue.counts();
    t.same({ active, completed }, { active: 0, completed: ran.length });
    t.equal(queued, 6_000 - ran.length);
    const next = noting();
    stage.worker({ note: next.note }, { concurrency: 1, redis: stage.redis.url });
    await until(() => next.ran.length === queued);
    t.same(
      [...inOrder(ran), ...inOrder(next.ran)].sort((a, b) => a - b),
      firstOnes(6_000),
    );
  },
);
