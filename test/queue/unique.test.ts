import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Where a scene decides how long its job runs. */
function gate(stage: Stage) {
  let open: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  stage.worker({ f: async (n: number) => (await opened, n) });
  return () => open!();
}

for (const unique of [undefined, 'pending', 'kept'] as const) {
  const given = unique ? { id: 'x', unique } : { id: 'x' };
  const words = unique ? `unique: '${unique}'` : 'an id alone';
  scene(`${words}: one job while the first waits or runs`, async (t, stage) => {
    const queue = stage.queue();
    const first = await queue.enqueue('f', [1], given);
    t.equal(first.duplicate, false);
    const second = await queue.enqueue('f', [2], given);
    t.match(second, { id: 'x', duplicate: true }, 'refused while it is queued, without an error');

    const open = gate(stage);
    await until(async () => (await first.state()) === 'active');
    t.equal((await queue.enqueue('f', [3], given)).duplicate, true, 'refused while it runs');
    open();
    t.equal(await second.result({ timeout: '10s' }), 1, 'the handle is that of the existing job');

    const third = await queue.enqueue('f', [4], given);
    t.equal(third.duplicate, unique === 'kept', 'once it has ended');
    t.equal(await third.result({ timeout: '10s' }), unique === 'kept' ? 1 : 4);
    t.equal((await queue.counts()).completed, 1, 'the new job takes the place of the old one');
  });
}

scene('a scheduled job is pending too', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('f', [1], { id: 'x', delay: '1h' });
  t.equal((await queue.enqueue('f', [2], { id: 'x' })).duplicate, true);
  t.match(await queue.counts(), { scheduled: 1, queued: 0 });
});

scene('a job that waits for its retry is pending too', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ f: () => { throw new Error('no luck'); } }); // prettier-ignore
  for (const unique of ['pending', 'kept'] as const) {
    const given = { id: unique, unique };
    const first = await queue.enqueue('f', [1], { ...given, backoff: { delay: '1h', jitter: 0 } });
    await until(async () => (await first.state()) === 'scheduled');
    t.equal((await queue.enqueue('f', [2], given)).duplicate, true);
  }
  t.match(await queue.counts(), { scheduled: 2, queued: 0 });
});

scene('kept: an id is free again when its result is no longer kept', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store();
  const runs: number[] = [];
  stage.worker({ f: (n: number) => void runs.push(n) });
  const options = { id: 'x', unique: 'kept', resultTtl: 50 } as const;
  await queue.enqueue('f', [1], options);
  // Its result isn't waited for: 50 ms after the job it is unknown to whoever asks too late.
  await until(() => runs.length === 1);
  await until(async () => {
    await store.prune();
    const { active, completed } = await queue.counts();
    return active === 0 && completed === 0;
  });
  const again = await queue.enqueue('f', [2], options);
  t.equal(again.duplicate, false);
  await until(() => runs.length === 2);
  t.same(runs, [1, 2]);
});

scene('kept: a failed and a cancelled job keep their id as well', async (t, stage) => {
  const queue = stage.queue();
  await (await queue.enqueue('f', [], { id: 'c', unique: 'kept' })).cancel();
  t.equal((await queue.enqueue('f', [], { id: 'c', unique: 'kept' })).duplicate, true);
  stage.worker({
    f: () => {
      throw new Error('no');
    },
  });
  const failed = await queue.enqueue('f', [], { id: 'x', unique: 'kept', retries: 0 });
  await t.rejects(failed.result({ timeout: '10s' }), { name: 'JobFailedError' });
  t.equal((await queue.enqueue('f', [], { id: 'x', unique: 'kept' })).duplicate, true);
  const anew = await queue.enqueue('f', [], { id: 'x', unique: 'pending', delay: '1h' });
  t.equal(anew.duplicate, false);
  t.match(await queue.counts(), { failed: 0, cancelled: 1, scheduled: 1 });
});

scene('two calls with one id in the same tick: the first is accepted', async (t, stage) => {
  const queue = stage.queue();
  const jobs = await Promise.all([
    queue.enqueue('f', [1], { id: 'x' }),
    queue.enqueue('f', [2], { id: 'x' }),
    queue.enqueue('f', [3]),
    queue.enqueue('f', [4], { id: 'x' }),
  ]);
  t.same(
    jobs.map((job) => job.duplicate),
    [false, true, false, true],
  );
  t.same(
    (await queue.jobs('queued')).map((job) => job.args[0]),
    [1, 3],
  );
});

scene('of many producers with one id exactly one is accepted', async (t, stage) => {
  const queues = Array.from({ length: 8 }, () => stage.queue());
  const jobs = await Promise.all(queues.map((queue, i) => queue.enqueue('f', [i], { id: 'x' })));
  t.equal(jobs.filter((job) => !job.duplicate).length, 1);
  t.equal((await queues[0]!.counts()).queued, 1);
});

scene('an id that comes again after it was removed gets tickets of its own', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [1], { id: 'x' });
  // Each cancelling leaves a void ticket in the list, each of which the next run could be taken for.
  for (let i = 0; i < 3; i++) {
    await job.cancel();
    t.ok(await queue.retry('x'));
  }
  await job.cancel();
  await queue.remove('x');
  const again = await queue.enqueue('f', [2], { id: 'x' });
  t.equal(again.duplicate, false);
  const plain = await queue.enqueue('f', [3]);
  t.equal((await queue.counts()).queued, 2);
  stage.worker({ f: (n: number) => n });
  t.same([await again.result({ timeout: '10s' }), await plain.result({ timeout: '10s' })], [2, 3]);
});
