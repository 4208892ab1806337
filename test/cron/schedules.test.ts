/** Cron entries: made at run time, defined beside functions, shown, changed by a deploy. */
import { job, Worker } from '../../src/index.ts';
import { checkJobOptions, checkSchedule } from '../../src/job/checks.ts';
import { syncEntries } from '../../src/cron/schedules.ts';
import { definitionText } from '../../src/cron/entry.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const HOUR = 3_600_000;
const add = (a: number, b: number) => a + b;

/** As a worker of this app does when it starts with these functions. */
const deploy = async (
  stage: Stage,
  app: string,
  crons: Record<
    string,
    Parameters<typeof definitionText>[0] extends infer G ? Omit<G & object, 'fn'> : never
  >,
) => {
  const said: string[] = [];
  const texts = Object.entries(crons).map(
    ([fn, options]) => [fn, definitionText({ ...options, fn }, app)] as const,
  );
  await syncEntries(stage.store(), app, new Map(texts), (message) => said.push(message));
  return said;
};

scene('schedule, schedules, unschedule', async (t, stage) => {
  const queue = stage.queue<{ add: typeof add }>();
  t.same(await queue.schedules(), []);
  await queue.schedule('weekdays', {
    cron: ' 0 7 * * MON-FRI ',
    timezone: 'Europe/Berlin',
    fn: 'add',
    args: [1, 2],
    options: { retries: 7, priority: 'high', timeout: '10s', meta: { from: 'cron' } },
  });
  await queue.schedule('quarter', { every: '15m', fn: 'add', args: [3, 4], catchUp: 'none', overlap: false }); // prettier-ignore
  const [quarter, weekdays] = await queue.schedules();
  t.match(quarter, { name: 'quarter', every: 900_000, fn: 'add', args: [3, 4], catchUp: 'none', overlap: false }); // prettier-ignore
  t.equal(quarter!.nextAt! % 900_000, 0, 'on the grid of the epoch');
  t.match(weekdays, { name: 'weekdays', cron: '0 7 * * MON-FRI', timezone: 'Europe/Berlin', catchUp: 'last', overlap: true }); // prettier-ignore
  for (const name of ['app', 'lastAt', 'last', 'lastJob']) t.notOk(name in weekdays!, name);
  const local = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }); // prettier-ignore
  t.equal(local.format(weekdays!.nextAt), '07:00');

  await queue.schedule('quarter', { every: '1h', fn: 'add', args: [3, 4] });
  t.match(
    (await queue.schedules())[0],
    { name: 'quarter', every: HOUR, overlap: true },
    'replaced',
  );
  t.equal(await queue.unschedule('quarter'), true);
  t.equal(await queue.unschedule('quarter'), false);
  t.equal(await queue.unschedule('never-was'), false);
  t.same((await queue.schedules()).map(({ name }) => name), ['weekdays']); // prettier-ignore
});

scene('runSchedule fires an entry now, beside its ticks', async (t, stage) => {
  const queue = stage.queue();
  const low = { priority: 'low', retries: 9, meta: { a: 'b' } } as const;
  await queue.schedule('yearly', { cron: '@yearly', fn: 'add', args: [1, 2], options: low });
  const [before] = await queue.schedules();
  stage.worker({ add });
  const job = await queue.runSchedule('yearly');
  t.match(job.id, /^cron:yearly:\d{13}$/);
  t.equal(job.duplicate, false);
  t.equal(await job.result({ timeout: '10s' }), 3);
  const info = await job.info();
  t.match(info, { fn: 'add', args: [1, 2], priority: 'low', meta: { a: 'b' }, state: 'completed' });
  t.equal(info.tick, Number(job.id.split(':')[2]));
  t.ok(Math.abs(info.enqueuedAt! - info.tick!) < 1_000);
  t.match((await queue.schedules())[0], { nextAt: before!.nextAt }, 'its next tick stays');
  await t.rejects(queue.runSchedule('nobody'), { code: 'NO_SCHEDULE', message: /no cron entry "nobody"/ }); // prettier-ignore
});

scene('what is wrong with a schedule is said before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  await queue.counts(); // connected
  const wrong: [schedule: unknown, message: RegExp][] = [
    [{ fn: 'f' }, /^cron: .*give 'cron' or 'every'/],
    [{ cron: '61 * * * *', fn: 'f' }, /^cron: "61 \* \* \* \*" is not usable; its minute "61" is out of range/],
    [{ cron: '0 0 31 2 *', fn: 'f' }, /^cron: .*never falls due/],
    [{ cron: '* * *', fn: 'f' }, /^cron: .*five or six fields/],
    [{ cron: '@daily', timezone: 'Mars/Base', fn: 'f' }, /^timezone: "Mars\/Base" is not usable/],
    [{ cron: '@daily', every: '1m', fn: 'f' }, /^every: .*either 'cron' or 'every'/],
    [{ every: '1m', timezone: 'Europe/Berlin', fn: 'f' }, /^timezone: .*goes with 'cron'/],
    [{ every: 999, fn: 'f' }, /^every: 999 is out of range/],
    [{ every: '0s', fn: 'f' }, /^every: "0s" is out of range/],
    [{ every: 'often', fn: 'f' }, /^every: "often" is no duration/],
    [{ every: '1m', fn: 'f', catchUp: 'some' }, /^catchUp: "some" is not usable; give one of 'last', 'none', 'all'/],
    [{ every: '1m', fn: 'f', overlap: 'no' }, /^overlap: "no" is not usable; give true or false/],
    [{ every: '1m' }, /^fn: .*name of a function/],
    [{ every: '1m', fn: '' }, /^fn: "" is not usable/],
    [{ every: '1m', fn: 'f', args: 1 }, /^args: 1 is not usable; give an array/],
    [{ every: '1m', fn: 'f', args: [1n] }, /^args\[0\]: BigInt/],
    [{ every: '1m', fn: 'f', options: { id: 'x' } }, /^id: "x" is not usable; each tick/],
    [{ every: '1m', fn: 'f', options: { delay: 5 } }, /^delay: 5 is not usable; each tick/],
    [{ every: '1m', fn: 'f', options: { queue: 'q' } }, /^queue: "q" is not usable; each tick/],
    [{ every: '1m', fn: 'f', options: { retries: -1 } }, /^retries: -1/],
    [{ every: '1m', fn: 'f', evry: 1 }, /^evry: unknown option; did you mean 'every'/],
    ['0 2 * * *', /^options: "0 2 \* \* \*" is not usable; give an object/],
  ]; // prettier-ignore
  const sent = await commandsDuring(stage.redis, async () => {
    for (const [schedule, message] of wrong) {
      await t.rejects(queue.schedule('name', schedule as never), { code: 'INVALID_ARGUMENT', message }); // prettier-ignore
    }
    for (const name of ['', 'a b', 'x'.repeat(129), 5]) {
      await t.rejects(queue.schedule(name as string, { every: '1m', fn: 'f' }), { message: /^name: / }); // prettier-ignore
      await t.rejects(queue.unschedule(name as string), { message: /^name: / });
    }
  });
  t.same(sent, []);
  t.same(await queue.schedules(), []);
});

scene('what is wrong with the times of a function is said where it is defined', async (t) => {
  const wrong: [options: object, message: RegExp][] = [
    [{ cron: '0 25 * * *' }, /^cron: "0 25 \* \* \*" is not usable; its hour "25" is out of range/],
    [{ cron: '0 0 30 FEB *' }, /^cron: .*never falls due/],
    [{ cron: '@daily', every: '1d' }, /^every: .*either/],
    [{ cron: '@daily', timezone: 'Berlin' }, /^timezone: "Berlin"/],
    [{ timezone: 'Europe/Berlin' }, /^timezone: .*goes with 'cron' or 'every'/],
    [{ catchUp: 'all' }, /^catchUp: .*goes with 'cron' or 'every'/],
    [{ overlap: false }, /^overlap: .*goes with 'cron' or 'every'/],
    [{ every: 10 }, /^every: 10 is out of range; it must be from 1000 ms/],
  ];
  for (const [options, message] of wrong) {
    t.throws(() => job(options as { every: 1 }, () => 1), { code: 'INVALID_ARGUMENT', message });
    if ('every' in options || 'cron' in options) {
      t.throws(() => checkSchedule({ ...options, fn: 'f' }), { message });
    }
  }
  t.throws(() => job({ every: '1m' }, ((a: number) => a) as () => number), /^every: function "" takes 1 argument, but a tick has none/); // prettier-ignore
  t.match(checkJobOptions({ every: '15m' }), { every: 900_000 });
});

scene('definitions follow the deploy', async (t, stage) => {
  const queue = stage.queue();
  const state = async () => (await queue.schedules()).map(({ name, cron, every, app }) => [name, cron ?? every, app]); // prettier-ignore
  await queue.schedule('mine', { every: '1h', fn: 'f' });
  t.same(await deploy(stage, 'shop', { nightly: { cron: '0 2 * * *' }, poll: { every: HOUR } }), []); // prettier-ignore
  await deploy(stage, 'mail', { digest: { every: HOUR } });
  const all = [['digest', HOUR, 'mail'], ['mine', HOUR, undefined], ['nightly', '0 2 * * *', 'shop'], ['poll', HOUR, 'shop']]; // prettier-ignore
  t.same(await state(), all);
  await deploy(stage, 'shop', { nightly: { cron: '0 2 * * *' }, poll: { every: HOUR } });
  t.same(await state(), all, 'the same again');
  await deploy(stage, 'shop', { nightly: { cron: '0 3 * * *' } });
  t.same(await state(), [all[0], all[1], ['nightly', '0 3 * * *', 'shop']], 'changed; poll is gone, and only that'); // prettier-ignore
  await deploy(stage, 'mail', {});
  t.same(await state(), [all[1], ['nightly', '0 3 * * *', 'shop']], 'no functions with times left');
  t.notOk('digest' in ((await stage.redis.client.hgetall(stage.store().keys.lastTicks)) as object));
});

scene(
  'a change of the times begins anew, any other change keeps the next tick',
  async (t, stage) => {
    const { client } = stage.redis;
    const { cron } = stage.store().keys;
    await deploy(stage, 'shop', { poll: { every: HOUR } });
    await client.zadd(cron, 12_345, 'poll'); // as if nobody had been there for long
    const next = async () => (await stage.queue().schedules())[0]?.nextAt;
    await deploy(stage, 'shop', { poll: { every: HOUR } });
    t.equal(await next(), 12_345, 'what was missed is still known');
    await deploy(stage, 'shop', { poll: { every: HOUR, catchUp: 'all', overlap: false } });
    t.equal(await next(), 12_345);
    await stage.queue().schedule('mine', { every: '1h', fn: 'f', args: [1] });
    await client.zadd(cron, 12_345, 'mine');
    await stage.queue().schedule('mine', { every: '1h', fn: 'f', args: [2] });
    t.equal(Number(await client.zscore(cron, 'mine')), 12_345);
    await deploy(stage, 'shop', { poll: { every: 2 * HOUR } });
    t.ok(
      (await stage.queue().schedules()).find(({ name }) => name === 'poll')!.nextAt! > Date.now(),
    );
  },
);

scene('names that collide: who was there with schedule stays, an app takes over with a warning', async (t, stage) => {
  const queue = stage.queue();
  await queue.schedule('digest', { every: '1h', fn: 'f' });
  t.match(await deploy(stage, 'shop', { digest: { cron: '@daily' }, poll: { every: HOUR } }), [/"digest" was made with queue.schedule/]); // prettier-ignore
  t.match(await queue.schedules(), [{ name: 'digest', every: HOUR, app: undefined }, { name: 'poll', app: 'shop' }]); // prettier-ignore
  await t.rejects(queue.schedule('poll', { every: '1h', fn: 'f' }), { code: 'SCHEDULE_TAKEN', message: /"poll".*of app shop/ }); // prettier-ignore
  t.match(await deploy(stage, 'shop2', { poll: { every: HOUR } }), [/"poll" was defined by app shop/]); // prettier-ignore
  await deploy(stage, 'shop', {});
  t.match(await queue.schedules(), [{ name: 'digest' }, { name: 'poll', app: 'shop2' }]);
  t.equal(await queue.unschedule('poll'), true, 'by hand: until a worker starts again');
}); // prettier-ignore

scene('two versions live in a rolling deploy: the newer one is right, and nothing flaps', async (t, stage) => {
  const queue = stage.queue();
  const version = (options: Parameters<typeof job>[0]) => ({ nightly: job(options as { every: 1 }, () => 1) }); // prettier-ignore
  const old = stage.worker(version({ cron: '0 2 * * *' } as object), { app: 'shop', lease: 300 });
  await until(async () => (await queue.schedules()).length === 1);
  stage.worker(version({ cron: '0 3 * * *' } as object), { app: 'shop', lease: 300 });
  const nightly = async () => (await queue.schedules())[0]?.cron;
  await until(async () => (await nightly()) === '0 3 * * *');
  // Many heartbeats of both, and reconnects of all: at each of them the old one could speak up.
  const { entries } = stage.store().keys;
  const writes = await commandsDuring(stage.redis, async () => {
    for (let i = 0; i < 5; i++) {
      await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await new Promise((resolve) => setTimeout(resolve, 400)); // four heartbeats each
      t.equal(await nightly(), '0 3 * * *');
    }
    await old.stop();
  });
  t.equal(await nightly(), '0 3 * * *', 'the old one has gone');
  t.same(writes.filter((args) => args.includes(entries) && args.some((arg) => arg.includes('"fn"'))), []); // prettier-ignore
}); // prettier-ignore

scene('a worker says which app it is by the package it stands in', async (t, stage) => {
  const worker = new Worker({ nightly: job({ every: '1h' }, () => 1) }, { redis: stage.redis.url, queue: stage.name }); // prettier-ignore
  const running = worker.run();
  await until(async () => (await stage.queue().schedules()).length === 1);
  t.match((await stage.queue().schedules())[0], { app: 'minq:test/cron/schedules.test.ts' });
  await worker.stop();
  await running;
});
