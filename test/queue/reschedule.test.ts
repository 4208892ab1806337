/** Scheduled jobs at another time; and jobs that put themselves off. */
import { Retry } from '../../src/index.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const HOUR = 3_600_000;

scene('runNow: a scheduled job, and one that waits for its next attempt', async (t, stage) => {
  const queue = stage.queue();
  let fails = 1;
  stage.worker({
    f: (n: number) => n,
    shaky: () => {
      if (fails-- > 0) throw new Error('not yet');
      return 'done';
    },
  });
  const later = await queue.enqueue('f', [7], { delay: '1h', priority: 'high' });
  t.equal(await queue.runNow(later.id), true);
  t.equal(await later.result({ timeout: '10s' }), 7);
  const again = await queue.enqueue('shaky', [], { backoff: '1h' });
  await until(async () => (await again.state()) === 'scheduled');
  t.equal(await queue.runNow(again.id), true);
  t.equal(await again.result({ timeout: '10s' }), 'done');
  t.equal((await again.info()).attempt, 2, 'it counts as before');
  t.equal(await queue.runNow(again.id), false, 'it has ended');
  t.equal(await queue.runNow('nobody'), false);
});

scene('runNow: at the back of its own lane, and not twice', async (t, stage) => {
  const queue = stage.queue();
  const ids = ['a', 'b'];
  for (const id of ids) await queue.enqueue('f', [id], { id });
  await queue.enqueue('f', ['c'], { id: 'c', delay: '1h' });
  t.equal(await queue.runNow('c'), true);
  t.equal(await queue.runNow('c'), false, 'it waits already');
  t.match(await queue.counts(), { queued: 3, scheduled: 0 });
  const order: string[] = [];
  stage.worker({ f: (id: string) => void order.push(id) }, { concurrency: 1 });
  await until(() => order.length === 3);
  t.same(order, ['a', 'b', 'c']);
});

scene('reschedule: to a later time, and to an earlier one, which a sleeping worker hears of', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ f: () => Date.now() });
  const job = await queue.enqueue('f', [], { delay: '1h' });
  await queue.enqueue('f', [], { delay: '30m', id: 'first' });
  const at = new Date(Date.now() + 2 * HOUR);
  t.equal(await queue.reschedule(job.id, { runAt: at }), true);
  t.match(await job.info(), { state: 'scheduled', dueAt: at.getTime() });
  t.equal(await queue.reschedule(job.id, { delay: 300 }), true);
  const asked = Date.now();
  t.ok(Number(await job.result({ timeout: '10s' })) >= asked + 200);
  t.equal(await queue.reschedule(job.id, { delay: 1 }), false, 'it has ended');
  t.equal(await queue.reschedule('nobody', { delay: 1 }), false);
  t.equal(await queue.reschedule('first', { runAt: new Date(0) }), true, 'past means now');
  t.ok(await queue.job('first').result({ timeout: '10s' }));
}); // prettier-ignore

scene('reschedule: what is put at a time by hand starts then, though it has expired', async (t, stage) => {
  const queue = stage.queue();
  const job = await queue.enqueue('f', [], { delay: 50, expires: 100 });
  t.equal(await queue.reschedule(job.id, { delay: 200 }), true);
  await until(async () => (await queue.now()) > (await job.info()).enqueuedAt! + 150);
  stage.worker({ f: () => 'ran' });
  t.equal(await job.result({ timeout: '10s' }), 'ran');
}); // prettier-ignore

scene('reschedule: what can’t be is said before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  const wrong: [when: unknown, message: RegExp][] = [
    [{}, /^when: .*give either 'delay' or 'runAt'/],
    [{ delay: 1, runAt: new Date() }, /^when: .*give either/],
    [{ delay: 'soon' }, /^when.delay: "soon" is no duration/],
    [{ runAt: 5 }, /^when.runAt: 5 is not usable; give a valid Date/],
    ['1h', /^when: "1h" is not usable; give an object/],
  ];
  for (const [when, message] of wrong) {
    await t.rejects(queue.reschedule('x', when as never), { code: 'INVALID_ARGUMENT', message });
  }
});

scene('Retry free: again later, no attempt used, backoff not grown, past the limit too', async (t, stage) => {
  const queue = stage.queue();
  const attempts: number[] = [];
  stage.worker(
    {
      f: () => {
        const { attempt } = currentAttempt();
        attempts.push(attempt);
        if (attempts.length < 6) throw new Retry({ free: true, delay: 1 });
        if (attempts.length === 6) throw new Error('a real failure');
        throw new Retry({ free: true, message: 'for the operator' });
      },
    },
    { middleware: async (job, next) => ((currentAttempt = () => job), next()) },
  );
  const job = await queue.enqueue('f', [], { retries: 1, backoff: { type: 'exponential', delay: 1, max: HOUR, jitter: 0 } }); // prettier-ignore
  await until(() => attempts.length >= 9);
  t.same(attempts.slice(0, 9), [1, 1, 1, 1, 1, 1, 2, 2, 2]);
  await until(async () => (await job.state()) === 'scheduled');
  t.match(await job.info(), { attempt: 2, error: { message: 'for the operator' } });
  t.match(await queue.counts(), { failed: 0 });
  await job.cancel();
}); // prettier-ignore

let currentAttempt: () => { attempt: number };

scene('Retry free: a job that has been started doesn’t expire', async (t, stage) => {
  const queue = stage.queue();
  let runs = 0;
  stage.worker({
    f: () => {
      if (++runs < 3) throw new Retry({ free: true, delay: 300 });
      return runs;
    },
  });
  const job = await queue.enqueue('f', [], { expires: 500 });
  t.equal(await job.result({ timeout: '10s' }), 3);
  t.throws(() => new Retry({ free: 1 as never }), { message: /^Retry free: 1 is not usable; give true or false/ }); // prettier-ignore
});

scene('ids of any printable characters without blanks', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    f: (id: string) => id,
    bad: () => {
      throw new Error('no');
    },
  });
  const ids = ['größe-Ä', '订单#42', '"quoted\\"', "it's", '{a}[b]', '100%', '[1,2]', '🚀', '-x', '<b>', 'a,b;c', '*?', ':1:1', 'x:2:1h'];
  for (const id of ids) {
    const job = await queue.enqueue('f', [id], { id });
    t.equal(await job.result({ timeout: '10s' }), id, id);
    t.match(await queue.job(id).info(), { id, state: 'completed', result: id });
    const failed = await queue.enqueue('bad', [], { id: `${id}!`, retries: 0 });
    await t.rejects(failed.result({ timeout: '10s' }), { name: 'JobFailedError', id: `${id}!` });
    const waits = await queue.enqueue('f', [], { id: `${id}?`, delay: '1h' });
    t.equal(await waits.cancel(), true);
    t.equal(await waits.state(), 'cancelled');
    t.ok(await queue.retry(waits.id));
    t.equal(await queue.remove(failed.id), true);
    await waits.result({ timeout: '10s' });
  }
  for (const id of ['', 'a b', 'a\tb', 'a\nb', '\u00a0', 'a\u2028', '\ud800', '\u0000', 'x'.repeat(129)]) {
    await t.rejects(queue.enqueue('f', [], { id }), { message: /^id: [^]*printable characters without blanks/ }); // prettier-ignore
  }
}); // prettier-ignore
