/**
 * What the rules of daylight saving mean, case by case. The instants were worked out by hand from the rules
 * (man 8 cron) and the changes that `zdump -v` prints; each zone's heading states its changes.
 */
import { Cron } from 'croner';
import t from 'tap';
import { lastTicks, nextTick } from '../../src/cron/times.ts';

interface Case {
  what: string;
  cron: string;
  /** UTC, exclusive; seconds may be left out. */
  after: string;
  /** The next ones, UTC. */
  ticks: string[];
  /** What croner's own zones give instead, if that differs. */
  croner?: string[];
}

const instant = (text: string) =>
  Date.parse(`${text.replace(' ', 'T')}${text.length === 16 ? ':00' : ''}Z`);
const written = (ms: number) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
const asWritten = (text: string) => written(instant(text));

// prettier-ignore
const ZONES: Record<string, Case[]> = {
  // 2026-03-08 07:00Z: 02:00 EST (-5) -> 03:00 EDT (-4). 2026-11-01 06:00Z: 02:00 EDT -> 01:00 EST.
  'America/New_York': [
    { what: 'fixed in the gap: once, right after it', cron: '30 2 * * *', after: '2026-03-07 00:00',
      ticks: ['2026-03-07 07:30', '2026-03-08 07:00', '2026-03-09 06:30'] },
    { what: 'fixed list in the gap: one tick', cron: '0,15,30,45 2 * * *', after: '2026-03-07 07:45',
      ticks: ['2026-03-08 07:00', '2026-03-09 06:00', '2026-03-09 06:15'],
      croner: ['2026-03-09 06:00', '2026-03-09 06:15', '2026-03-09 06:30'] },
    { what: 'fixed on both sides of the gap: as ever', cron: '0 1-3/2 * * *', after: '2026-03-07 08:00',
      ticks: ['2026-03-08 06:00', '2026-03-08 07:00', '2026-03-09 05:00'] },
    { what: 'fixed range with a step, in the gap', cron: '0 2-4/2 * * *', after: '2026-03-07 09:00',
      ticks: ['2026-03-08 07:00', '2026-03-08 08:00', '2026-03-09 06:00'],
      croner: ['2026-03-08 08:00', '2026-03-09 06:00', '2026-03-09 08:00'] },
    { what: 'a list that holds the gap and its end: one tick', cron: '30 2,3 * * *', after: '2026-03-08 00:00',
      ticks: ['2026-03-08 07:00', '2026-03-08 07:30', '2026-03-09 06:30'],
      croner: ['2026-03-08 07:30', '2026-03-09 06:30', '2026-03-09 07:30'] },
    { what: "fixed at the gap's first instant", cron: '0 2 * * *', after: '2026-03-08 06:59:59',
      ticks: ['2026-03-08 07:00', '2026-03-09 06:00'] },
    { what: "fixed at the gap's end", cron: '0 3 * * *', after: '2026-03-08 06:59:59',
      ticks: ['2026-03-08 07:00', '2026-03-09 07:00'] },
    { what: "fixed at the gap's both ends: one tick", cron: '0 2,3 * * *', after: '2026-03-07 08:00',
      ticks: ['2026-03-08 07:00', '2026-03-09 06:00', '2026-03-09 07:00'] },
    { what: 'wildcard minute in the gap: nothing', cron: '*/15 2 * * *', after: '2026-03-07 07:30',
      ticks: ['2026-03-07 07:45', '2026-03-09 06:00'] },
    { what: 'wildcard hour in the gap: hourly goes on', cron: '30 * * * *', after: '2026-03-08 05:30',
      ticks: ['2026-03-08 06:30', '2026-03-08 07:30', '2026-03-08 08:30'] },
    { what: 'every second hour: 02:00 is not there', cron: '0 */2 * * *', after: '2026-03-08 04:00',
      ticks: ['2026-03-08 05:00', '2026-03-08 08:00', '2026-03-08 10:00'] },
    { what: 'seconds in the gap: one tick', cron: '10,20 59 2 * * *', after: '2026-03-08 00:00',
      ticks: ['2026-03-08 07:00', '2026-03-09 06:59:10', '2026-03-09 06:59:20'],
      croner: ['2026-03-09 06:59:10', '2026-03-09 06:59:20', '2026-03-10 06:59:10'] },
    { what: 'wildcard seconds in the gap: nothing', cron: '*/20 30 2 * * *', after: '2026-03-08 00:00',
      ticks: ['2026-03-09 06:30:00', '2026-03-09 06:30:20', '2026-03-09 06:30:40'] },
    { what: 'wildcard seconds run over the gap', cron: '*/30 * * * * *', after: '2026-03-08 06:59:00',
      ticks: ['2026-03-08 06:59:30', '2026-03-08 07:00:00', '2026-03-08 07:00:30'] },
    { what: 'fixed in the overlap: the first pass', cron: '30 1 * * *', after: '2026-10-31 06:00',
      ticks: ['2026-11-01 05:30', '2026-11-02 06:30'] },
    { what: 'fixed list in the overlap: the first pass', cron: '0,30 1 * * *', after: '2026-11-01 00:00',
      ticks: ['2026-11-01 05:00', '2026-11-01 05:30', '2026-11-02 06:00'],
      croner: ['2026-11-01 05:00', '2026-11-01 05:30', '2026-11-01 06:00'] },
    { what: 'fixed in the overlap, asked in the second pass', cron: '59 1 * * *', after: '2026-11-01 06:10',
      ticks: ['2026-11-02 06:59'] },
    { what: "fixed at the overlap's first local time", cron: '0 1 * * *', after: '2026-10-31 12:00',
      ticks: ['2026-11-01 05:00', '2026-11-02 06:00'] },
    { what: "fixed at the overlap's end, which comes once", cron: '0 2 * * *', after: '2026-10-31 12:00',
      ticks: ['2026-11-01 07:00', '2026-11-02 07:00'] },
    { what: "the overlap's end, asked in the second pass", cron: '0 2 * * *', after: '2026-11-01 06:10',
      ticks: ['2026-11-01 07:00', '2026-11-02 07:00'] },
    { what: 'a question mark is a star', cron: '0 ? * * *', after: '2026-11-01 05:00',
      ticks: ['2026-11-01 06:00', '2026-11-01 07:00'] },
    { what: 'wildcard minute in the overlap: both passes', cron: '*/30 1 * * *', after: '2026-11-01 00:00',
      ticks: ['2026-11-01 05:00', '2026-11-01 05:30', '2026-11-01 06:00', '2026-11-01 06:30', '2026-11-02 06:00'] },
    { what: 'wildcard hour in the overlap: hourly goes on', cron: '0 * * * *', after: '2026-11-01 04:00',
      ticks: ['2026-11-01 05:00', '2026-11-01 06:00', '2026-11-01 07:00', '2026-11-01 08:00'] },
    { what: '@hourly is a wildcard too', cron: '@hourly', after: '2026-11-01 05:00',
      ticks: ['2026-11-01 06:00', '2026-11-01 07:00'] },
    { what: 'wildcard seconds in the overlap: both passes', cron: '*/30 59 1 * * *', after: '2026-11-01 00:00',
      ticks: ['2026-11-01 05:59:00', '2026-11-01 05:59:30', '2026-11-01 06:59:00', '2026-11-01 06:59:30'] },
    { what: 'a list of hours is fixed however long', cron: '0 0,1,2,3 * * *', after: '2026-11-01 03:00',
      ticks: ['2026-11-01 04:00', '2026-11-01 05:00', '2026-11-01 07:00', '2026-11-01 08:00'],
      croner: ['2026-11-01 04:00', '2026-11-01 05:00', '2026-11-01 06:00', '2026-11-01 07:00'] },
    { what: 'only ever in a gap, fixed: once a year', cron: '30 2 * 3 SUN#2', after: '2026-01-01 00:00',
      ticks: ['2026-03-08 07:00', '2027-03-14 07:00'] },
    { what: 'only ever in a gap, wildcard: never', cron: '*/30 2 * 3 SUN#2', after: '2026-01-01 00:00',
      ticks: [] },
  ],
  // 2026-03-29 01:00Z: 02:00 (+1) -> 03:00 (+2). 2026-10-25 01:00Z: 03:00 (+2) -> 02:00 (+1).
  'Europe/Berlin': [
    { what: 'fixed in the gap', cron: '30 2 * * *', after: '2026-03-28 02:00',
      ticks: ['2026-03-29 01:00', '2026-03-30 00:30'] },
    { what: 'fixed in the overlap', cron: '30 2 * * *', after: '2026-10-24 12:00',
      ticks: ['2026-10-25 00:30', '2026-10-26 01:30'] },
    { what: "the overlap's end comes once", cron: '0 3 * * *', after: '2026-10-25 00:59:59',
      ticks: ['2026-10-25 02:00', '2026-10-26 02:00'] },
    { what: 'a working day is as long as it is', cron: '0 9 * * 1-5', after: '2026-03-27 09:00',
      ticks: ['2026-03-30 07:00', '2026-03-31 07:00'] },
    { what: 'the last day of the month, over a change', cron: '0 0 L * *', after: '2026-03-01 00:00',
      ticks: ['2026-03-30 22:00', '2026-04-29 22:00', '2026-05-30 22:00'] },
    { what: 'the gap on the last Sunday of March', cron: '15 2 * 3 SUNL', after: '2026-01-01 00:00',
      ticks: ['2026-03-29 01:00', '2027-03-28 01:00'] },
  ],
  // 2026-10-03 15:30Z: 02:00 (+10:30) -> 02:30 (+11). 2026-04-04 15:00Z: 02:00 (+11) -> 01:30 (+10:30).
  'Australia/Lord_Howe': [
    { what: 'fixed in the gap of half an hour', cron: '15 2 * * *', after: '2026-10-02 16:00',
      ticks: ['2026-10-03 15:30', '2026-10-04 15:15'] },
    { what: "fixed at the gap's end", cron: '30 2 * * *', after: '2026-10-03 12:00',
      ticks: ['2026-10-03 15:30', '2026-10-04 15:30'] },
    { what: 'list around the gap', cron: '0,15,45 2 * * *', after: '2026-10-03 12:00',
      ticks: ['2026-10-03 15:30', '2026-10-03 15:45', '2026-10-04 15:00'],
      croner: ['2026-10-03 15:45', '2026-10-04 15:00', '2026-10-04 15:15'] },
    { what: 'wildcard hour: the half hour after the gap', cron: '0 * * * *', after: '2026-10-03 14:00',
      ticks: ['2026-10-03 14:30', '2026-10-03 16:00', '2026-10-03 17:00'] },
    { what: 'fixed in the overlap of half an hour', cron: '45 1 * * *', after: '2026-04-04 00:00',
      ticks: ['2026-04-04 14:45', '2026-04-05 15:15'] },
    { what: 'wildcard in the overlap', cron: '*/15 1 * * *', after: '2026-04-04 14:00',
      ticks: ['2026-04-04 14:15', '2026-04-04 14:30', '2026-04-04 14:45', '2026-04-04 15:00', '2026-04-04 15:15', '2026-04-05 14:30'] },
  ],
  // 2026-09-06 04:00Z: Sunday 00:00 (-4) -> 01:00 (-3). 2026-04-05 03:00Z: Sunday 00:00 (-3) -> Saturday 23:00 (-4).
  'America/Santiago': [
    { what: '@daily in a gap at midnight', cron: '@daily', after: '2026-09-05 04:00',
      ticks: ['2026-09-06 04:00', '2026-09-07 03:00'] },
    { what: 'Sunday begins after the gap', cron: '@weekly', after: '2026-09-01 00:00',
      ticks: ['2026-09-06 04:00', '2026-09-13 03:00'] },
    { what: 'fixed late in the gap', cron: '59 0 * * SUN', after: '2026-09-01 00:00',
      ticks: ['2026-09-06 04:00', '2026-09-13 03:59'] },
    { what: 'midnight is reached once, after the overlap', cron: '0 0 * * *', after: '2026-04-04 12:00',
      ticks: ['2026-04-05 04:00', '2026-04-06 04:00'] },
    { what: 'Saturday night twice: the first pass', cron: '30 23 * * *', after: '2026-04-04 12:00',
      ticks: ['2026-04-05 02:30', '2026-04-06 03:30'] },
    { what: 'Saturday night twice, wildcard', cron: '30 */23 * * 6', after: '2026-04-04 12:00',
      ticks: ['2026-04-05 02:30', '2026-04-05 03:30', '2026-04-11 04:30'] },
  ],
  // 2026-04-23 22:00Z: Friday 00:00 (+2) -> 01:00 (+3). 2026-10-29 21:00Z: Friday 00:00 (+3) -> Thursday 23:00 (+2).
  'Africa/Cairo': [
    { what: 'Friday at midnight, in the gap', cron: '0 0 * * FRI', after: '2026-04-18 00:00',
      ticks: ['2026-04-23 22:00', '2026-04-30 21:00'] },
    { what: 'every Friday minute: the hour is not there', cron: '*/30 0-1 * * FRI', after: '2026-04-18 00:00',
      ticks: ['2026-04-23 22:00', '2026-04-23 22:30', '2026-04-30 21:00'] },
    { what: 'Thursday and Friday meet at the gap', cron: '0 0 24 4 4', after: '2026-04-22 22:00',
      ticks: ['2026-04-23 22:00', '2026-04-29 21:00'] },
    { what: 'the overlap belongs to Thursday', cron: '15 23 * * 4', after: '2026-10-29 00:00',
      ticks: ['2026-10-29 20:15', '2026-11-05 21:15'] },
  ],
  // 2011-12-30 10:00Z: Friday 30 December 00:00 (-10) -> Saturday 31 December 00:00 (+14).
  'Pacific/Apia': [
    { what: 'a day that was not: its noon comes with the next midnight', cron: '0 12 * * *', after: '2011-12-29 00:00',
      ticks: ['2011-12-29 22:00', '2011-12-30 10:00', '2011-12-30 22:00'],
      croner: ['2011-12-29 22:00', '2011-12-30 22:00', '2011-12-31 22:00'] },
    { what: 'its midnight and the next are one', cron: '0 0 * * *', after: '2011-12-29 00:00',
      ticks: ['2011-12-29 10:00', '2011-12-30 10:00', '2011-12-31 10:00'] },
    { what: 'its Friday', cron: '30 17 * * FRI', after: '2011-12-24 12:00',
      ticks: ['2011-12-30 10:00', '2012-01-06 03:30'],
      croner: ['2012-01-06 03:30', '2012-01-13 03:30'] },
    { what: 'wildcard: hours go on', cron: '0 */12 * * *', after: '2011-12-29 22:00',
      ticks: ['2011-12-30 10:00', '2011-12-30 22:00'] },
    { what: 'a wildcard from a month before', cron: '* 0 31 12 *', after: '2011-11-30 00:00',
      ticks: ['2011-12-30 10:00', '2011-12-30 10:01'] },
  ],
  // +5:45 all year.
  'Asia/Kathmandu': [
    { what: 'a quarter-hour zone', cron: '0 6 * * *', after: '2026-05-01 00:15',
      ticks: ['2026-05-02 00:15', '2026-05-03 00:15'] },
    { what: 'its hours begin at a quarter', cron: '@hourly', after: '2026-05-01 00:00',
      ticks: ['2026-05-01 00:15', '2026-05-01 01:15'] },
  ],
  // 2026-02-15 02:00Z: 03:00 (+1) -> 02:00 (0). 2026-03-22 02:00Z: 02:00 (0) -> 03:00 (+1).
  'Africa/Casablanca': [
    { what: 'back before Ramadan: the first pass', cron: '0 2 * * *', after: '2026-02-14 12:00',
      ticks: ['2026-02-15 01:00', '2026-02-16 02:00'] },
    { what: 'forth after it', cron: '0 2 * * *', after: '2026-03-21 12:00',
      ticks: ['2026-03-22 02:00', '2026-03-23 01:00'] },
  ],
  UTC: [
    { what: 'knows no change', cron: '30 2 * * *', after: '2026-03-07 03:00',
      ticks: ['2026-03-08 02:30', '2026-03-09 02:30'] },
    { what: 'before the epoch too', cron: '30 2 * * *', after: '1969-12-30 02:30',
      ticks: ['1969-12-31 02:30', '1970-01-01 02:30'] },
  ],
};

const cases = Object.entries(ZONES).flatMap(([timezone, list]) =>
  list.map((one) => ({ timezone, ...one })),
);

const walk = (from: string, many: number, next: (ms: number) => number | undefined) => {
  const ticks: string[] = [];
  for (let at = next(instant(from)); at !== undefined && ticks.length < many; at = next(at)) {
    ticks.push(written(at));
  }
  return ticks;
};

for (const { timezone, what, cron, after, ticks } of cases) {
  void t.test(`${timezone}, ${cron}: ${what}`, async (t) => {
    const when = { cron, timezone };
    const many = ticks.length || 1;
    t.same(
      walk(after, many, (ms) => nextTick(when, ms)),
      ticks.map(asWritten),
    );
    const back = lastTicks(when, instant(after) + 1, instant(ticks.at(-1) ?? after), 100);
    t.same(back.map(written), ticks.map(asWritten), 'and looking back');
  });
}

void t.test('where croner differs, it still does; elsewhere it agrees', async (t) => {
  for (const { timezone, what, cron, after, ticks, croner } of cases) {
    const pattern = new Cron(cron, { paused: true, timezone });
    const next = (ms: number) => pattern.nextRun(new Date(ms))?.getTime();
    t.same(
      walk(after, ticks.length, next),
      (croner ?? ticks).map(asWritten),
      `${timezone}, ${cron}: ${what}`,
    );
  }
  t.ok(cases.filter(({ croner }) => croner).length >= 8);
});

void t.test(
  'nor do its fixed-time rules cover ranges with steps, or a day that was not',
  async (t) => {
    const next = (cron: string, timezone: string, after: string) =>
      walk(after, 1, (ms) =>
        new Cron(cron, { paused: true, timezone, fixedTimeRule: 'no-wildcard' })
          .nextRun(new Date(ms))
          ?.getTime(),
      );
    t.same(next('0,30 2 * * *', 'America/New_York', '2026-03-07 12:00'), ['2026-03-08 07:00:00']);
    t.same(next('0 2-4/2 * * *', 'America/New_York', '2026-03-07 12:00'), ['2026-03-08 08:00:00']);
    t.same(next('0 12 * * *', 'Pacific/Apia', '2011-12-29 22:00'), ['2011-12-30 22:00:00']);
  },
);
