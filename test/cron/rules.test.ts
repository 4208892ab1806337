/** Cron entries that end by themselves, that wait, and whose jobs may come too late. */
import { job, type Schedule } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

type Jobs = { f: (n?: number) => void };

scene('times: it fires so often, and is over', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  let runs = 0;
  stage.worker({ f: () => void runs++ });
  await queue.schedule('twice', { every: '1s', fn: 'f', times: 2 });
  await until(async () => (await queue.schedules())[0]!.nextAt === undefined);
  await until(() => runs === 2);
  const [over] = await queue.schedules();
  t.match(over, { times: 2, fired: 2, last: 'fired', paused: false });
  t.equal(over!.lastJob, `cron:twice:${over!.lastAt}`);

  await queue.schedule('twice', { every: '1s', fn: 'f', times: 2 });
  t.equal((await queue.schedules())[0]!.nextAt, undefined, 'the same again changes nothing');
  await queue.schedule('twice', { every: '1s', fn: 'f', times: 1 });
  t.match((await queue.schedules())[0], { times: 1, fired: 0, nextAt: Number }, 'changed: anew');
  await until(() => runs === 3);
  await until(async () => (await queue.schedules())[0]!.nextAt === undefined);
  t.match((await queue.schedules())[0], { fired: 1 });
});

scene('times: what is skipped or was missed doesn’t count', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  let end = () => {};
  const held = new Promise<void>((resolve) => (end = resolve));
  let runs = 0;
  stage.worker({ f: () => (++runs === 1 ? held : undefined) });
  await queue.schedule('slow', { every: '1s', fn: 'f', times: 2, overlap: false });
  await until(async () => (await queue.schedules())[0]!.last === 'skipped', { timeoutMs: 20_000 });
  t.match((await queue.schedules())[0], { fired: 1, nextAt: Number });
  end();
  await until(() => runs === 2);
  await until(async () => (await queue.schedules())[0]!.fired === 2);
});

scene('until: no tick comes after it', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  let runs = 0;
  stage.worker({ f: () => void runs++ });
  const now = await queue.now();
  const last = Math.ceil(now / 1_000) * 1_000 + 1_000;
  await queue.schedule('soon', { every: '1s', fn: 'f', until: new Date(last) });
  await until(async () => (await queue.schedules())[0]!.nextAt === undefined);
  t.match((await queue.schedules())[0], { untilAt: last, lastAt: last, last: 'fired' });
  await until(() => runs >= 1);

  const never: Schedule<Jobs, 'f'>[] = [
    { every: '1h', fn: 'f', until: new Date(now) },
    { cron: '0 0 1 1 *', fn: 'f', until: new Date(now - 5_000) },
  ];
  for (const rules of never) {
    await t.rejects(queue.schedule('never', rules), { code: 'INVALID_ARGUMENT', message: /^until: no tick comes before it/ }); // prettier-ignore
  }
  t.equal((await queue.schedules()).length, 1);
});

scene('what makes no sense of them is refused before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  await queue.counts();
  const wrong: [rules: object, message: RegExp][] = [
    [{ until: '2030' }, /^until: "2030" is not usable; give a valid Date/],
    [{ until: new Date(NaN) }, /^until: .*valid Date/],
    [{ times: 0 }, /^times: 0 is not usable; give a whole number from 1/],
    [{ times: 1.5 }, /^times: 1.5/],
    [{ paused: 1 }, /^paused: 1 is not usable; give true or false/],
  ];
  const sent = await commandsDuring(stage.redis, async () => {
    for (const [rules, message] of wrong) {
      await t.rejects(queue.schedule('x', { every: '1m', fn: 'f', ...rules } as never), {
        message,
      });
    }
  });
  t.same(sent, []);
  for (const options of [{ until: new Date() }, { times: 1 }, { expires: '1s' }]) {
    const [name] = Object.keys(options);
    t.throws(() => job(options as never, () => {}), { message: new RegExp(`^${name}: .*it goes with 'cron' or 'every'`) }); // prettier-ignore
  }
});

scene('paused: an entry fires no more until it is resumed, whatever is deployed meanwhile', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  let runs = 0;
  const jobs = { f: job({ every: '1s' }, () => void runs++) };
  const worker = stage.worker(jobs);
  await until(() => runs > 0);
  t.equal(await queue.pauseSchedule('f'), true);
  t.equal(await queue.pauseSchedule('f'), true, 'it is so already');
  t.match((await queue.schedules())[0], { paused: true, last: 'fired' });
  t.equal((await queue.schedules())[0]!.nextAt, undefined);
  // Another entry fires meanwhile: the beat goes on beside it.
  await queue.schedule('other', { every: '1s', fn: 'f', args: [], times: 2 });
  await until(async () => (await queue.schedules())[1]!.fired === 2);
  const { fired } = (await queue.schedules())[0]!;

  await worker.stop();
  const other = { f: job({ every: '2s' }, () => void runs++) };
  stage.worker(other);
  await until(async () => (await queue.schedules())[0]!.every === 2_000);
  t.match((await queue.schedules())[0], { paused: true }, 'a deploy with other times');
  const before = runs;
  t.equal(await queue.resumeSchedule('f'), true);
  await until(() => runs > before);
  t.match((await queue.schedules())[0], { paused: false, nextAt: Number });
  t.ok(fired >= 1);

  t.equal(await queue.pauseSchedule('nobody'), false);
  t.equal(await queue.resumeSchedule('nobody'), false);
}); // prettier-ignore

scene('schedule: made paused, and left as it is where nothing is said', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  await queue.schedule('x', { every: '1s', fn: 'f', paused: true });
  t.match(await queue.schedules(), [{ paused: true, fired: 0 }]);
  await queue.schedule('x', { every: '1h', fn: 'f' });
  t.match(await queue.schedules(), [{ paused: true, every: 3_600_000 }]);
  await queue.schedule('x', { every: '1h', fn: 'f', paused: false });
  t.match(await queue.schedules(), [{ paused: false, nextAt: Number }]);
  await queue.schedule('x', { every: '1h', fn: 'f', paused: true });
  t.match(await queue.schedules(), [{ paused: true }]);
  await (await queue.runSchedule('x')).cancel(); // by hand it may be fired all the same
});

scene('expires: a tick whose job comes too late is not run', async (t, stage) => {
  const queue = stage.queue<Jobs>();
  let runs = 0;
  const jobs = { f: job({ every: '1s', expires: '300ms' }, () => void runs++) };
  await queue.pause();
  stage.worker(jobs);
  await until(async () => (await queue.counts()).queued >= 1);
  const [first] = await queue.jobs('queued');
  await until(async () => (await queue.now()) > first!.enqueuedAt! + 350);
  await queue.resume();
  await until(async () => (await queue.counts()).cancelled >= 1);
  t.match(await queue.job(first!.id).info(), { state: 'cancelled', reason: 'expired' });
  await until(() => runs > 0, { timeoutMs: 20_000 });
});
