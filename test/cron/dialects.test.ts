/** What is said of other readers of cron is true of them, and of minq: held against cron-parser, which BullMQ has. */
import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import t from 'tap';
import { differences } from '../../src/cron/dialects.ts';
import { nextTick } from '../../src/cron/times.ts';
import { checkCron } from '../../src/job/pattern.ts';
import { app, minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);

const TICKS = 60;
const instants = (times: readonly number[]) =>
  times.map((at) => new Date(at).toISOString().slice(0, 16));

function ours(cron: string, timezone: string, from: number, most = TICKS): number[] {
  const ticks: number[] = [];
  for (
    let at = nextTick({ cron, timezone }, from);
    at !== undefined && ticks.length < most;
    at = nextTick({ cron, timezone }, at)
  )
    ticks.push(at);
  return ticks;
}

function theirs(cron: string, tz: string, from: number, most = TICKS): number[] {
  const read = CronExpressionParser.parse(cron, { tz, currentDate: new Date(from) });
  return Array.from({ length: most }, () => read.next().getTime());
}

const GOLDEN: [
  pattern: string,
  timezone: string,
  from: string,
  minq: string[],
  cronParser: string[],
][] = [
  [
    '0 0 */2 * 1',
    'UTC',
    '2026-05-01T00:00',
    ['2026-05-11T00:00', '2026-05-25T00:00', '2026-06-01T00:00'],
    ['2026-05-03T00:00', '2026-05-04T00:00', '2026-05-05T00:00'],
  ],
  [
    '0 0 1-31 * 1',
    'UTC',
    '2026-05-01T00:00',
    ['2026-05-02T00:00', '2026-05-03T00:00'],
    ['2026-05-02T00:00', '2026-05-03T00:00'],
  ],
  [
    '0 */2 * * *',
    'Europe/Berlin',
    '2026-03-28T22:30',
    ['2026-03-28T23:00', '2026-03-29T02:00', '2026-03-29T04:00'],
    ['2026-03-28T23:00', '2026-03-29T01:00', '2026-03-29T02:00'],
  ],
  [
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T10:00',
    ['2026-03-29T01:00', '2026-03-30T00:30'],
    ['2026-03-29T01:30', '2026-03-30T00:30'],
  ],
  [
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T10:00',
    ['2026-10-25T00:30', '2026-10-26T01:30'],
    ['2026-10-25T00:30', '2026-10-26T01:30'],
  ],
];

void t.test('patterns that good readers take for different times', async (t) => {
  for (const [pattern, timezone, from, mine, other] of GOLDEN) {
    const at = Date.parse(`${from}Z`);
    t.same(instants(ours(pattern, timezone, at, mine.length)), mine, `minq: ${pattern}`);
    t.same(instants(theirs(pattern, timezone, at, other.length)), other, `cron-parser: ${pattern}`);
  }
  t.throws(
    () => checkCron('5/15 * * * *', 'cron'),
    /minute "5\/15" has a step and no range, which readers of cron take for different times; give from-to\/n, or the number alone/,
  );
});

const number = (from: number, to: number) => fc.integer({ min: from, max: to });
const range = (from: number, to: number) =>
  fc
    .tuple(number(from, to), number(from, to))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
const field = (from: number, to: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: number(2, 7).map((step) => `*/${step}`) },
    { weight: 3, arbitrary: number(from, to).map(String) },
    range(from, to),
    fc
      .uniqueArray(number(from, to), { minLength: 2, maxLength: 3 })
      .map((all) => all.toSorted((a, b) => a - b).join(',')),
    fc.tuple(range(from, to), number(1, 4)).map(([all, step]) => `${all}/${step}`),
  );

void t.test(
  'of a pattern of which nothing is said cron-parser makes the same, in summer and winter',
  async (t) => {
    const seen = { same: 0, told: 0, differ: 0 };
    const pattern = fc
      .tuple(
        field(0, 59),
        field(0, 23),
        field(1, 31),
        fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, field(1, 12)),
        field(0, 7),
      )
      .map((all) => all.join(' '));
    const zone = fc.constantFrom('UTC', 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo');
    fc.assert(
      fc.property(pattern, zone, number(0, 364), (cron, timezone, day) => {
        try {
          checkCron(cron, 'cron');
        } catch {
          return true;
        } // it never falls due
        if (/\b0,(?:.*,)?7$/.test(cron)) return true; // Sunday twice: cron-parser refuses it
        const from = Date.UTC(2026, 0, 1 + day);
        const mine = ours(cron, timezone, from);
        const isSame = String(mine) === String(theirs(cron, timezone, from, mine.length));
        const told = differences(cron, timezone, from).some(({ says }) =>
          /in BullMQ|BullMQ and/.test(says),
        );
        if (isSame) seen.same++;
        if (told) seen.told++;
        if (!isSame) seen.differ++;
        return isSame || told;
      }),
      { numRuns: 1_500 },
    );
    t.comment(JSON.stringify(seen));
    t.ok(seen.same > 700 && seen.differ > 50, 'both were tried');
  },
);

void t.test('who is warned fires at other times in BullMQ, nearly always', async (t) => {
  const seen = { differ: 0, same: 0 };
  fc.assert(
    fc.property(field(1, 31), field(0, 6), (day, weekday) => {
      const cron = `0 0 ${day} * ${weekday}`;
      try {
        checkCron(cron, 'cron');
      } catch {
        return;
      }
      if (!differences(cron, 'UTC', 0).some(({ bullmq }) => bullmq)) return;
      const from = Date.UTC(2026, 0, 1);
      const mine = ours(cron, 'UTC', from);
      if (String(mine) === String(theirs(cron, 'UTC', from, mine.length))) seen.same++;
      else seen.differ++;
    }),
    { numRuns: 500 },
  );
  t.ok(seen.differ > 9 * seen.same && seen.differ > 20, JSON.stringify(seen));
});

scene('it is said once: by a worker, by schedule, and by minq cron next', async (t, stage) => {
  const heard: string[] = [];
  const hear = (warning: Error & { code?: string }) => void (warning.code === 'MINQ_CRON' && heard.push(warning.message));
  process.on('warning', hear);
  t.teardown(() => process.off('warning', hear));
  const queue = stage.queue();
  for (let n = 0; n < 3; n++) await queue.schedule('fortnight', { cron: '0 3 */2 * 1', fn: 'f' });
  await queue.schedule('plain', { cron: '0 3 * * 1', fn: 'f' });
  await until(() => heard.length > 0);
  t.match(heard, [/^cron entry "fortnight", "0 3 \*\/2 \* 1": .* in BullMQ, .* one that fits is enough$/]);
  t.equal(heard.length, 1);

  const cwd = app(t, { 'jobs.mjs': `import { job } from 'minq'; export const odd = job({ cron: '0 4 */2 * 1' }, () => 1);` });
  const worker = minq(t, ['worker', 'jobs.mjs', '--queue', stage.name], { redis: stage.redis.url, cwd });
  await worker.says(/cron entry "odd", "0 4 \*\/2 \* 1": .* in BullMQ/);
  await worker.end();

  const next = async (...args: string[]) => (JSON.parse((await command(['cron', 'next', ...args, '--json'])).stdout) as { notes: string[] }).notes;
  t.match(await next('0 0 */2 * MON'), [/both must fit/]);
  t.match(await next('0 0 1-31 * MON'), [/one that fits is enough/, /it fires daily, as in BullMQ/]);
  t.match(await next('30 2 * * *', '--timezone', 'Europe/Berlin'), [/02:30 runs at 03:30/]);
  t.match(await next('0 */2 * * *', '--timezone', 'Europe/Berlin'), [/once more in spring/]);
  t.same(await next('30 2 * * *', '--timezone', 'Asia/Tokyo'), [], 'whose clocks never change');
}); // prettier-ignore
