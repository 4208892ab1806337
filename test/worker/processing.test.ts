/** Slots: never more than there are, all of them used; order; more than one worker; pause. */
import { currentJob } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

scene(
  '200 jobs of 10 ms at concurrency 10: ten at once, never more, and without gaps',
  async (t, stage) => {
    const queue = stage.queue();
    let running = 0;
    let peak = 0;
    let first = 0;
    let last = 0;
    const nap = async () => {
      first ||= performance.now();
      peak = Math.max(peak, ++running);
      await sleep(10);
      running--;
      last = performance.now();
    };
    stage.worker({ nap }, { concurrency: 10 });
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      first = 0;
      await queue.pause();
      await queue.enqueueMany(Array.from({ length: 200 }, () => ({ fn: 'nap' })));
      await queue.resume();
      await until(async () => (await queue.counts()).completed === 200 * (round + 1));
      times.push(Math.round(last - first));
    }
    t.comment(`200 jobs of 10 ms at concurrency 10: ${times.join(', ')} ms (ideal 200)`);
    t.equal(peak, 10);
    t.ok(Math.min(...times) < 1_000, `${times.join(', ')} ms`);
  },
);

scene(
  'at concurrency 1 jobs run strictly in the order in which they were enqueued',
  async (t, stage) => {
    const ran: number[] = [];
    const queue = stage.queue();
    stage.worker({ note: async (i: number) => { await sleep(0); ran.push(i); } }, { concurrency: 1 }); // prettier-ignore
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    await Promise.all(numbers.slice(0, 100).map((i) => queue.enqueue('note', [i])));
    await queue.enqueueMany(numbers.slice(100, 200).map((i) => ({ fn: 'note', args: [i] })));
    for (const i of numbers.slice(200)) await queue.enqueue('note', [i]);
    await until(() => ran.length === 300);
    t.same(ran, numbers);
  },
);

scene('a free slot is filled while the others are busy', async (t, stage) => {
  const long = gate();
  const queue = stage.queue();
  stage.worker({ long: long.pass, short: (i: number) => i }, { concurrency: 3 });
  await Promise.all([queue.enqueue('long'), queue.enqueue('long')]);
  await until(() => long.running === 2);
  const results = Array.from({ length: 20 }, async (_, i) =>
    (await queue.enqueue('short', [i])).result({ timeout: '10s' }),
  );
  t.same(await Promise.all(results), results.map((_, i) => i)); // prettier-ignore
  t.equal(long.running, 2);
  long.open();
});

scene('nothing is hoarded: a worker holds no more jobs than it has slots', async (t, stage) => {
  const held = gate();
  const queue = stage.queue();
  stage.worker({ hold: held.pass }, { concurrency: 2, lease: 500 });
  await Promise.all(Array.from({ length: 6 }, () => queue.enqueue('hold')));
  await until(() => held.running === 2);
  const seen = new Set<number>();
  const end = performance.now() + 1_000; // two leases, with their heartbeats and wake-ups
  await until(async () => {
    seen.add((await queue.counts()).active);
    return performance.now() > end;
  });
  t.same([...seen], [2]);
  held.open();
  await until(async () => (await queue.counts()).completed === 6);
  t.equal(held.peak, 2);
});

scene('two workers share the load, and each job runs once', async (t, stage) => {
  const queue = stage.queue();
  const ran = new Map<string, string[]>();
  const by = (worker: string) => async () => {
    const { id } = currentJob();
    ran.set(id, [...(ran.get(id) ?? []), worker]);
    await sleep(5);
  };
  await queue.pause();
  stage.worker({ nap: by('a') }, { concurrency: 5 });
  stage.worker({ nap: by('b') }, { concurrency: 5 });
  await until(async () => (await queue.workers()).length === 2);
  await queue.enqueueMany(Array.from({ length: 200 }, () => ({ fn: 'nap' })));
  await queue.resume();
  await until(async () => (await queue.counts()).completed === 200);
  t.ok([...ran.values()].every((workers) => workers.length === 1));
  const share = [...ran.values()].filter(([worker]) => worker === 'a').length;
  t.ok(share > 40 && share < 160, `one did ${share} of 200`);
});

scene(
  'a paused queue starts nothing; what runs goes on; resume starts the rest',
  async (t, stage) => {
    const held = gate();
    const queue = stage.queue();
    stage.worker({ hold: held.pass, add: (a: number, b: number) => a + b }, { concurrency: 2 });
    const running = await queue.enqueue('hold', ['x']);
    await until(() => held.running === 1);
    await queue.pause();
    const waiting = await Promise.all([queue.enqueue('add', [1, 2]), queue.enqueue('add', [3, 4])]);
    held.open();
    t.equal(await running.result({ timeout: '10s' }), 'x');
    t.match(await queue.counts(), { paused: true, queued: 2, active: 0, completed: 1 });
    await queue.resume();
    t.same(await Promise.all(waiting.map((job) => job.result({ timeout: '10s' }))), [3, 7]);
  },
);

scene('high before normal before low, whatever came first', async (t, stage) => {
  const ran: string[] = [];
  const queue = stage.queue();
  for (const priority of ['low', 'normal', 'high'] as const) {
    for (const n of [1, 2]) await queue.enqueue('note', [`${priority} ${n}`], { priority });
  }
  stage.worker({ note: (name: string) => void ran.push(name) }, { concurrency: 1 });
  await until(() => ran.length === 6);
  t.same(ran, ['high 1', 'high 2', 'normal 1', 'normal 2', 'low 1', 'low 2']);
});

scene(
  'a job that was not started in time is cancelled, its function not called',
  async (t, stage) => {
    let runs = 0;
    const queue = stage.queue();
    const handle = await queue.enqueue('f', [], { expires: 1 });
    await sleep(10); // its time is up
    stage.worker({ f: () => ++runs });
    await t.rejects(handle.result({ timeout: '10s' }), {
      name: 'JobCancelledError',
      reason: 'expired',
    });
    t.equal(runs, 0);
  },
);

scene('burst: the worker stops by itself when nothing is left to run now', async (t, stage) => {
  const queue = stage.queue();
  let runs = 0;
  const jobs = {
    count: async () => void runs++,
    more: async (n: number) => void (n > 0 && (await queue.enqueue('more', [n - 1]))),
  };
  await queue.enqueueMany(Array.from({ length: 50 }, () => ({ fn: 'count' })));
  await queue.enqueue('more', [5]);
  await queue.enqueue('count', [], { delay: '1h' });
  const worker = stage.worker(jobs, { burst: true, concurrency: 3 });
  await until(() => stage.log.some((line) => line.startsWith('info worker stopped')));
  await worker.stop();
  t.equal(runs, 50);
  t.match(await queue.counts(), { completed: 56, scheduled: 1, queued: 0 });

  stage.log.length = 0;
  stage.worker(jobs, { burst: true });
  await until(() => stage.log.some((line) => line.startsWith('info worker stopped')));
  t.equal(runs, 50, 'with nothing to do it stops at once');
});
