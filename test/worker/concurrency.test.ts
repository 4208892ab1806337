/** The number of slots of a worker that runs: raised, lowered, refused. */
import { InvalidArgumentError } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('more slots are filled at once, without a new job to wake for', async (t, stage) => {
  const queue = stage.queue();
  const held = gate();
  const worker = stage.worker({ hold: () => held.pass() }, { concurrency: 2 });
  await queue.enqueueMany(Array.from({ length: 6 }, () => ({ fn: 'hold' })));
  await until(() => held.running === 2);
  worker.concurrency = 5;
  await until(() => held.running === 5);
  t.equal(worker.concurrency, 5);
  t.equal(worker.facts().slots, 5);
  t.equal((await queue.counts()).queued, 1);
  held.open();
  await until(async () => (await queue.counts()).completed === 6);
});

scene(
  'of fewer slots, what runs goes on, and nothing new begins before there is room',
  async (t, stage) => {
    const queue = stage.queue();
    const first = gate();
    const worker = stage.worker(
      { hold: () => first.pass(), late: () => worker.facts().busy },
      { concurrency: 4 },
    );
    await queue.enqueueMany(Array.from({ length: 4 }, () => ({ fn: 'hold' })));
    await until(() => first.running === 4);
    worker.concurrency = 1;
    t.equal(worker.facts().busy, 4);
    const late = await queue.enqueueMany(Array.from({ length: 20 }, () => ({ fn: 'late' })));
    t.equal(
      (await queue.counts()).queued,
      20,
      'none is claimed while more run than there are slots',
    );
    first.open();
    for (const job of late) {
      if (job.status === 'rejected') throw job.reason;
      t.equal(await job.value.result(), 1, 'one at a time');
    }
  },
);

scene('a number that is none is refused, and changes nothing', async (t, stage) => {
  const worker = stage.worker({ noop() {} }, { concurrency: 3 });
  for (const wrong of [0, -1, 1.5, 1_001, NaN, '4' as unknown as number]) {
    t.throws(() => (worker.concurrency = wrong), InvalidArgumentError);
  }
  t.equal(worker.concurrency, 3);
});

scene('large arguments come in several claims, and all free slots are taken', async (t, stage) => {
  const queue = stage.queue();
  const { pass, open } = gate();
  await queue.enqueueMany(Array.from({ length: 12 }, () => ({ fn: 'hold', args: ['x'.repeat(1_000_000)] })));
  stage.worker({ hold: () => pass() }, { concurrency: 20 });
  await until(async () => (await queue.counts()).active === 12, { timeoutMs: 5_000, what: 'though no more than four have room in a reply' });
  open();
  await until(async () => (await queue.counts()).completed === 12);
  t.match(await queue.stats(), { failed: 0, recovered: 0 });
}); // prettier-ignore
