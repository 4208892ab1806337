/** Very short jobs, claimed ahead of a free slot: what that spares, and what it must not cost. */
import t from 'tap';
import { currentJob } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { workerProcesses } from '../helpers/processes.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);

const several = (n: number, fn: string, options: object = {}) =>
  Array.from({ length: n }, (_, i) => ({ fn, args: [i], ...options }));

/** Calls of minq's scripts so far. */
const callsOf = async ({ redis: { client } }: Stage) =>
  Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);

scene('they need few calls, and still run in order, one at a time', async (t, stage) => {
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const queue = stage.queue();
  await queue.enqueueMany(several(1_000, 'short'));
  const before = await callsOf(stage);
  const short = async (i: number) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    order.push(i);
    running--;
  };
  stage.worker({ short }, { concurrency: 1 });
  await until(async () => (await queue.counts()).completed === 1_000, { everyMs: 50 });
  t.same(
    order,
    order.map((_, i) => i),
  );
  t.equal(most, 1);
  const calls = (await callsOf(stage)) - before;
  t.ok(calls < 500, `${calls} calls for 1,000 jobs`);
});

scene('those behind a longer one go back at once, into their old order', async (t, stage) => {
  const queue = stage.queue();
  const order: number[] = [];
  const short = (i: number) => void order.push(i);
  const open = [gate(), gate(), gate()];
  const long = (which: number) => open[which]!.pass();
  stage.worker({ short, long }, { concurrency: 1 });
  for (const [which, { open: go }] of open.entries()) {
    order.length = 0;
    const long = { fn: 'long', args: [which] };
    await queue.pause();
    await queue.enqueueMany([...several(300, 'short'), long, ...several(100, 'short')]);
    await queue.resume();
    await until(() => open[which]!.running === 1);
    await until(async () => (await queue.counts()).active === 1, { what: 'only one is claimed' });
    t.equal((await queue.counts()).queued, 100, 'the others are anybody’s');
    go();
    await until(() => order.length === 400);
    t.same(order.slice(300), order.slice(0, 100));
  }
});

scene('those behind a long one that has the slot go back at once', async (t, stage) => {
  const queue = stage.queue();
  const { pass, open } = gate();
  stage.worker({ short: () => {}, long: () => pass() }, { concurrency: 1 });
  await queue.enqueueMany(several(300, 'short'));
  await until(async () => (await queue.counts()).completed === 300);
  // One call: the worker wakes for all of them, still used to short ones.
  await queue.enqueueMany([{ fn: 'long', args: [] }, ...several(100, 'short')]);
  await until(async () => {
    const { active, queued } = await queue.counts();
    return active === 1 && queued === 100;
  });
  t.match(await queue.stats(), { recovered: 0 });
  open();
  await until(async () => (await queue.counts()).completed === 401);
});

scene('where jobs take their time none is claimed in vain', async (t, stage) => {
  const queue = stage.queue();
  const work = (ms: number) => new Promise((resolve) => setTimeout(resolve, 3 + (ms % 5)));
  stage.worker({ work }, { concurrency: 10 });
  await queue.enqueueMany(several(500, 'work'));
  await until(async () => (await queue.counts()).completed === 500);
  const { tickets } = stage.store().keys;
  t.equal(await stage.redis.client.hlen(tickets), 0, 'one given back would have another ticket');
});

scene('one that goes on is known to have begun; one that lost its worker is known before it begins', async (t, stage) => {
  const { client } = stage.redis;
  const { active, errors } = stage.store().keys;
  const queue = stage.queue();
  /** Whether Redis knows, at the start of the run, that it has begun; by kind of job. */
  const known: Record<string, boolean[]> = { first: [], lost: [] };
  const isKnown = async (id: string) => Number.isInteger(Number(await client.zscore(active, `${id}:1:1`)));
  const look = async (kind: string) => {
    const { id } = currentJob();
    known[kind]!.push(await isKnown(id));
    // Sooner than by the heartbeat that comes anyway, every 5 s.
    await until(() => isKnown(id), { timeoutMs: 3_000 });
  };
  stage.worker({ short: () => {}, look }, { concurrency: 1 });
  for (const kind of ['first', 'lost']) {
    for (let round = 0; round < 10; round++) {
      await queue.pause();
      await queue.enqueueMany(several(40, 'short'));
      const { id } = await queue.enqueue('look', [kind]);
      if (kind === 'lost') await client.hset(errors, id, '{"name":"WorkerLostError","message":"","inHand":true}');
      await queue.enqueueMany(several(100, 'short'));
      await queue.resume();
      await until(async () => {
        const { queued, active, scheduled } = await queue.counts();
        return queued + active + scheduled === 0;
      });
    }
  }
  // Redis hears of it within 10 ms of the first short one: mostly after this look, not always.
  t.ok(known['first']!.includes(false), 'the look tells the two apart');
  t.same(known['lost'], Array(10).fill(true));
}); // prettier-ignore

const OPTIONS = { lease: 1_000, concurrency: 1 };

scene('a crash charges none that had not begun', async (t, stage) => {
  const processes = workerProcesses(stage);
  const queue = stage.queue();
  const sent = await queue.enqueueMany([
    ...several(300, 'nothing'),
    { fn: 'poison', retries: 1 },
    ...several(60, 'nothing', { retries: 0 }), // charged, one of these would end failed
  ]);
  const ended = async () => {
    const { completed, failed } = await queue.counts();
    return completed + failed === sent.length;
  };
  while (!(await ended())) {
    const options = { redis: stage.redis.url, queue: stage.name, ...OPTIONS };
    const worker = await processes.start(options);
    await until(async () => worker.exitCode !== undefined || (await ended()));
  }
  t.match(await queue.counts(), { completed: 360, failed: 1 });
  const starts = processes.entries().filter(({ what }) => what === 'start').length;
  t.equal(starts, 3, 'the poison, with two attempts, is forgiven once');
});
