/** Leases: renewed while a job runs, lost when a worker stalls; and how a cancel reaches a running job. */
import { currentJob, job, LeaseLostError } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { app, minq } from '../helpers/cli.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const LEASE_MS = 500;

/** As if the worker had stalled: the lease of whatever runs has ended, and somebody has noticed. */
async function endLeases({ redis }: Stage, store: Store): Promise<void> {
  const recovered = async () => Number((await store.stats()).stored['recovered'] ?? 0);
  const before = await recovered();
  // A heartbeat may come in between, and rightly renew what nobody has taken back yet.
  for (let turn = 1; (await recovered()) === before; turn++) {
    for (const ticket of await redis.client.zrangebyscore(store.keys.active, '-inf', '+inf')) {
      await redis.client.zadd(store.keys.active, 'XX', '1', ticket);
    }
    await store.turn(turn, LEASE_MS, 0, []);
  }
}

scene(
  'jobs longer than several leases run once: the heartbeat renews them all',
  async (t, stage) => {
    let runs = 0;
    const queue = stage.queue();
    const long = async () => {
      runs++;
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS * 4));
    };
    const handle = await queue.enqueue('long');
    const beside = await queue.enqueue('long');
    stage.worker({ long }, { lease: LEASE_MS });
    await until(() => runs === 2);
    stage.worker({ long }, { lease: LEASE_MS }); // it would take over
    const ends = new Set<number | undefined>();
    await until(async () => {
      const info = await handle.info();
      if (info.state === 'active') ends.add(info.leaseEndsAt);
      return info.state === 'completed';
    });
    await beside.result({ timeout: '10s' });
    t.ok(ends.size >= 4, `${ends.size} different ends of the lease were seen`);
    t.equal(runs, 2);
    t.match(await queue.stats(), { recovered: 0, refused: 0, completed: 2 });
  },
);

scene(
  'lease lost: the signal aborts, the settlement is refused, the newer run counts',
  async (t, stage) => {
    const first = gate();
    const reasons: unknown[] = [];
    const queue = stage.queue();
    stage.worker(
      {
        job: async () => {
          const { signal } = currentJob();
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          await first.pass();
          return 'the first run';
        },
      },
      { lease: LEASE_MS, concurrency: 1 },
    );
    const handle = await queue.enqueue('job');
    await until(() => first.running === 1);
    stage.worker({ job: () => `attempt ${currentJob().attempt}` }, { lease: LEASE_MS });
    await endLeases(stage, stage.store('observer'));
    t.equal(await handle.result({ timeout: '10s' }), 'attempt 2');
    await until(() => reasons.length === 1);
    t.ok(reasons[0] instanceof LeaseLostError);
    t.ok(stage.log.some((line) => line.startsWith('warn lease lost')));
    first.open();
    await until(async () => (await queue.stats()).refused === 1);
    t.ok(stage.log.some((line) => line.startsWith('warn settlement refused')));
    t.match(await handle.info(), { state: 'completed', result: 'attempt 2', attempt: 2 });
    t.match(await queue.stats(), { recovered: 1, refused: 1, completed: 1, failed: 0 });
  },
);

scene('a worker that blocks its event loop loses its leases to another, and goes on afterwards', async (t, stage) => {
  const queue = stage.queue();
  const begun = gate();
  const block = async () => {
    await begun.pass();
    const end = performance.now() + LEASE_MS * 6;
    while (performance.now() < end); // deaf and blind
    return 'blocked';
  };
  stage.worker({ block, add: (a: number) => a + 1 }, { lease: LEASE_MS });
  const handle = await queue.enqueue('block');
  await until(() => begun.running === 1);
  const folder = app(t, { 'jobs.mjs': `export const block = () => 'elsewhere';` });
  const other = minq(t, ['worker', 'jobs.mjs', '--queue', stage.name], { cwd: folder, redis: stage.redis.url });
  await other.says(/worker started/);
  begun.open();
  t.equal(await handle.result({ timeout: '20s' }), 'elsewhere');
  await until(async () => (await queue.stats()).refused === 1, { what: 'what it says late is refused' });
  t.equal(await (await queue.enqueue('add', [1])).result({ timeout: '10s' }), 2);
  t.match(await queue.counts(), { completed: 2, active: 0 });
  t.match(await other.end(), { code: 0 });
}); // prettier-ignore

scene('jobs claimed with one that blocks the loop for longer than the lease go back unrun', async (t, stage) => {
  const queue = stage.queue();
  const runs: string[] = [];
  const block = () => {
    runs.push('block');
    const end = performance.now() + LEASE_MS * 2;
    while (performance.now() < end);
  };
  const quick = () => void runs.push('quick');
  await queue.enqueueMany([{ fn: 'block' }, ...Array.from({ length: 9 }, () => ({ fn: 'quick' }))]);
  const other = stage.store('other');
  stage.worker({ block, quick }, { lease: LEASE_MS });
  await until(() => runs.length > 0);
  t.same(runs, ['block'], 'none has begun behind it');
  // Another worker takes them meanwhile: they run once, there or here.
  const { claimed } = await other.turn(1, 15_000, 20, []);
  await until(async () => (await queue.counts()).completed + claimed.length === 10);
  t.equal(runs.filter((fn) => fn === 'quick').length, 9 - claimed.filter(({ record }) => String(record).includes('quick')).length);
  const ended = { kind: 'completed', result: undefined } as const;
  const settle = ({ ticket }: { ticket: string }) => ({ job: { ticket, attempt: 1, claimedAt: 1 }, outcome: ended, ranMs: 1, keptMs: 60_000 });
  await other.turn(2, 15_000, 0, claimed.map(settle));
  t.equal((await queue.counts()).completed, 10);
}); // prettier-ignore

scene('a job whose every run loses its lease ends failed, with the reason', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store('dead');
  const observer = stage.store('observer');
  const handle = await queue.enqueue('job', [], { retries: 2 });
  for (let run = 1; run <= 3; run++) {
    const { claimed, now } = await store.turn(run, 15_000, 1, []);
    t.equal(claimed[0]?.ticket, `${handle.id}:${run}:${run}`);
    await store.begun([{ ticket: claimed[0]!.ticket, claimedAt: now }], 15_000);
    await endLeases(stage, observer);
  }
  let runs = 0;
  stage.worker({ job: () => ++runs });
  await t.rejects(handle.result({ timeout: '10s' }), {
    cause: { name: 'WorkerLostError', message: /last of 3 runs/ },
  });
  t.equal(runs, 0);
  t.match(await handle.info(), { state: 'failed', attempt: 3 });
  t.match(await queue.stats(), { recovered: 3, failed: 1 });
});

scene('cancel reaches a running job within a second', async (t, stage) => {
  const listening = gate();
  const queue = stage.queue();
  const aborted = new Map<string, number>();
  const job = async () => {
    const { id, signal } = currentJob();
    signal.addEventListener('abort', () => aborted.set(id, performance.now()));
    await listening.pass();
  };
  stage.worker({ job });
  stage.worker({ job });
  const handles = await Promise.all(Array.from({ length: 12 }, () => queue.enqueue('job')));
  await until(() => listening.running === 12);
  const at = performance.now();
  t.ok((await Promise.all(handles.map((handle) => handle.cancel()))).every(Boolean));
  for (const handle of handles)
    await t.rejects(handle.result({ timeout: '10s' }), { name: 'JobCancelledError' });
  const took = Math.max(...aborted.values()) - at;
  t.comment(`12 running jobs heard of their cancel within ${took.toFixed(1)} ms`);
  t.ok(aborted.size === 12 && took < 1_000, `${took.toFixed(1)} ms`);
  listening.open();
  t.match(await queue.stats(), { cancelled: 12, refused: 0 });
});

scene('a cancel that nobody heard is brought by the heartbeat', async (t, stage) => {
  const listening = gate();
  const queue = stage.queue();
  let reason: unknown;
  stage.worker(
    {
      job: async () => {
        const { signal } = currentJob();
        signal.addEventListener('abort', () => (reason = signal.reason));
        await listening.pass();
      },
    },
    { lease: LEASE_MS },
  );
  const handle = await queue.enqueue('job');
  await until(() => listening.running === 1);
  // What `cancel` writes, without what it publishes: the message was lost.
  const { client } = stage.redis;
  const { keys } = stage.store();
  await client.sadd(keys.cancelling, `${handle.id}:1:1`);
  await t.rejects(handle.result({ timeout: '10s' }), { name: 'JobCancelledError' });
  t.match(reason, { name: 'JobCancelledError' });
  listening.open();
});

scene('a cancel is heard soon also when the control connection was just cut', async (t, stage) => {
  const listening = gate();
  const queue = stage.queue();
  stage.worker({ job: listening.pass }); // its heartbeats are 5 s apart: they alone would be late
  const { client } = stage.redis;
  const clients = async () => String(await client.client('LIST')).split('\n');
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const handle = await queue.enqueue('job');
    await until(() => listening.running === i + 1);
    let control: string | undefined;
    await until(async () => {
      control = (await clients()).find((line) => line.includes('name=minq:control '));
      return control;
    });
    await client.client('KILL', 'ID', /^id=(\d+)/.exec(control!)![1]!);
    const at = performance.now();
    await handle.cancel();
    await t.rejects(handle.result({ timeout: '10s' }), { name: 'JobCancelledError' });
    times.push(Math.round(performance.now() - at));
  }
  t.comment(`cancelled after ${times.join(', ')} ms`);
  t.ok(Math.min(...times) < 1_000 && Math.max(...times) < 3_000, times.join());
  listening.open();
  t.match(await queue.stats(), { cancelled: 3 });
});

scene('a cancel that comes too late changes nothing', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ add: (a: number, b: number) => a + b });
  const handle = await queue.enqueue('add', [1, 2]);
  await handle.result({ timeout: '10s' });
  t.equal(await handle.cancel(), false);
  t.equal(await handle.result({ timeout: '10s' }), 3);
});

scene('a worker gives signs of life while a function goes on that no longer counts', async (_t, stage) => {
  const queue = stage.queue();
  const first = gate();
  stage.worker({ stuck: job({ timeout: 50, retries: 0 }, () => first.pass()) }, { lease: LEASE_MS });
  const handle = await queue.enqueue('stuck');
  await until(async () => (await handle.state()) === 'failed');
  const seen = new Set<number>();
  // One that has nothing to do says so every 20 seconds; one that is busy is called silent after 15.
  await until(async () => {
    for (const { seenAt, busy } of await queue.workers()) if (busy === 1) seen.add(seenAt);
    return seen.size >= 8;
  });
  first.open();
  await until(async () => (await queue.workers())[0]?.busy === 0);
}); // prettier-ignore
