import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { replanned, type Definition } from '../../src/cron/entry.ts';
import { lastTicks, nextTick, type When } from '../../src/cron/times.ts';
import { checkCron, checkTimezone } from '../../src/job/pattern.ts';
import { InvalidArgumentError } from '../../src/job/errors.ts';

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);
const utc = (cron: string): When => ({ cron, timezone: 'UTC' });
const DAY = 86_400_000;

/** The next ticks, as `2026-01-31 00:00:00`. */
function ticks(when: When, after: string, many: number): string[] {
  const found: string[] = [];
  let ms: number | undefined = at(after);
  while (found.length < many && (ms = nextTick(when, ms)) !== undefined) {
    found.push(new Date(ms).toISOString().replace('T', ' ').slice(0, 19));
  }
  return found;
}

void t.test('a pattern says when: fields, names, nicknames', async (t) => {
  // From Thursday 1 January 2026, 00:00, exclusive.
  for (const [cron, ...due] of [
    ['*/20 * * * *', '2026-01-01 00:20:00', '2026-01-01 00:40:00', '2026-01-01 01:00:00'],
    ['15,45 8-9 * * *', '2026-01-01 08:15:00', '2026-01-01 08:45:00', '2026-01-01 09:15:00'],
    ['10 0 12 * * *', '2026-01-01 12:00:10', '2026-01-02 12:00:10'],
    ['*/30 * * * * *', '2026-01-01 00:00:30', '2026-01-01 00:01:00'],
    ['0 0 * * MON-wed', '2026-01-05 00:00:00', '2026-01-06 00:00:00', '2026-01-07 00:00:00'],
    ['0 0 1 feb,NOV *', '2026-02-01 00:00:00', '2026-11-01 00:00:00', '2027-02-01 00:00:00'],
    ['0 0 * * 7', '2026-01-04 00:00:00', '2026-01-11 00:00:00'],
    ['0 0 * * SUN', '2026-01-04 00:00:00', '2026-01-11 00:00:00'],
    ['0 0 L * *', '2026-01-31 00:00:00', '2026-02-28 00:00:00', '2026-03-31 00:00:00'],
    ['0 0 LW * *', '2026-01-30 00:00:00', '2026-02-27 00:00:00', '2026-03-31 00:00:00'],
    ['0 0 15W * *', '2026-01-15 00:00:00', '2026-02-16 00:00:00', '2026-03-16 00:00:00'],
    ['0 0 * * FRI#2', '2026-01-09 00:00:00', '2026-02-13 00:00:00'],
    ['0 0 * * 5L', '2026-01-30 00:00:00', '2026-02-27 00:00:00'],
    ['? ? 1 * ?', '2026-01-01 00:01:00', '2026-01-01 00:02:00'],
    ['@hourly', '2026-01-01 01:00:00', '2026-01-01 02:00:00'],
    ['@Daily', '2026-01-02 00:00:00', '2026-01-03 00:00:00'],
    ['@midnight', '2026-01-02 00:00:00', '2026-01-03 00:00:00'],
    ['@WEEKLY', '2026-01-04 00:00:00', '2026-01-11 00:00:00'],
    ['@monthly', '2026-02-01 00:00:00', '2026-03-01 00:00:00'],
    ['@yearly', '2027-01-01 00:00:00', '2028-01-01 00:00:00'],
    ['@annually', '2027-01-01 00:00:00', '2028-01-01 00:00:00'],
  ] as const) {
    t.equal(checkCron(cron, 'cron'), cron);
    t.same(ticks(utc(cron), '2026-01-01 00:00:00', due.length), due, cron);
  }
  t.equal(checkCron(' \t0  2 * * *\n', 'cron'), '0  2 * * *', 'trimmed');
  t.same(ticks(utc('0  2 * * *'), '2026-01-01 00:00:00', 1), ['2026-01-01 02:00:00']);
});

void t.test(
  'both days restricted: either, unless one begins with a star, as cron has it',
  async (t) => {
    const next = (cron: string) => ticks(utc(cron), '2026-01-01 00:00:00', 3).map((day) => day.slice(5, 10)); // prettier-ignore
    t.same(next('0 0 10 * MON'), ['01-05', '01-10', '01-12'], 'either');
    t.same(next('0 0 */2 * MON'), ['01-05', '01-19', '02-09'], 'odd days that are Mondays');
    t.same(next('0 0 1-7 * */7'), ['01-04', '02-01', '03-01'], 'Sundays of the first week');
    t.same(next('0 0 * * MON'), ['01-05', '01-12', '01-19']);
    t.same(next('0 0 ? * MON'), ['01-05', '01-12', '01-19']);
    t.same(next('0 0 10 * *'), ['01-10', '02-10', '03-10']);
  },
);

void t.test('a tick lies after the time asked for, to the millisecond', async (t) => {
  const noon = at('2026-01-01 12:00:00');
  for (const when of [utc('0 12 * * *'), utc('0 */12 * * *'), { cron: '0 12 * * *', timezone: 'Africa/Abidjan' }]) {
    t.equal(nextTick(when, noon - 1), noon);
    t.equal(nextTick(when, noon - 999), noon);
    t.ok(nextTick(when, noon)! > noon);
    t.equal(nextTick(when, noon), nextTick(when, noon + 1));
  } // prettier-ignore
});

void t.test('every: whoever asks, from whenever, gets the same grid', async (t) => {
  t.equal(nextTick({ every: 900_000 }, at('2026-01-01 10:07:00')), at('2026-01-01 10:15:00'));
  t.equal(nextTick({ every: 900_000 }, at('2026-01-01 10:14:59.999')), at('2026-01-01 10:15:00'));
  t.equal(nextTick({ every: 900_000 }, at('2026-01-01 10:15:00')), at('2026-01-01 10:30:00'));
  t.equal(nextTick({ every: 7 }, 0), 7);
  t.equal(nextTick({ every: 7 }, -1), 0);
  t.equal(nextTick({ every: 1 }, 41), 42);
  t.equal(nextTick({ every: 100 * DAY }, at('2026-01-01 00:00:00'))! % (100 * DAY), 0);
});

void t.test('years may lie between two ticks', async (t) => {
  t.same(ticks(utc('0 0 29 2 *'), '2096-03-01 00:00:00', 2), [
    '2104-02-29 00:00:00',
    '2108-02-29 00:00:00',
  ]);
  // 29 February on a Sunday: 40 years, for 2100 has none. The wildcard hops there, it doesn't walk.
  for (const timezone of ['UTC', 'America/New_York', 'Pacific/Apia']) {
    for (const cron of ['0 0 29 2 */7', '* 0 29 2 */7', '* * * 29 2 */7']) {
      const local = { UTC: '00', 'America/New_York': '05', 'Pacific/Apia': '11' }[timezone]!;
      const day = timezone === 'Pacific/Apia' ? '28' : '29';
      t.same(ticks({ cron, timezone }, '2088-03-01 12:00:00', 1), [`2128-02-${day} ${local}:00:00`], `${cron} ${timezone}`); // prettier-ignore
    }
  }
});

void t.test('far away or never is found without a walk', async (t) => {
  const calls: [string, () => unknown][] = [
    ['40 years', () => nextTick({ cron: '* * 29 2 */7', timezone: 'Europe/Berlin' }, at('2088-03-01 00:00:00'))],
    ['per second, 40 years', () => nextTick({ cron: '* * * 29 2 */7', timezone: 'Europe/Berlin' }, at('2088-03-01 00:00:00'))],
    ['only in gaps', () => nextTick({ cron: '* 2 * 3 SUN#2', timezone: 'America/New_York' }, at('2026-01-01 00:00:00'))],
    ['refusal', () => t.throws(() => checkCron('0 0 31 2 *', 'cron'))],
  ]; // prettier-ignore
  for (const [what, call] of calls) {
    const from = process.hrtime.bigint();
    call();
    const took = Number(process.hrtime.bigint() - from) / 1e6;
    t.ok(took < 2_000, `${what}: ${took.toFixed(1)} ms`);
  }
  t.equal(nextTick({ cron: '*/30 2 * 3 SUN#2', timezone: 'America/New_York' }, at('2026-01-01 00:00:00')), undefined); // prettier-ignore
  t.equal(nextTick(utc('* * * * *'), at('2999-12-31 23:59:00')), undefined, 'the end of its years');
  t.equal(nextTick(utc('* * * * *'), 8.64e15), undefined, 'the end of days');
  t.equal(nextTick({ cron: '0 1 * * *', timezone: 'Asia/Kathmandu' }, 8.64e15), undefined);
});

void t.test('lastTicks: the last ones, both ends included', async (t) => {
  const from = at('2026-01-01 00:00:00');
  const to = at('2026-01-31 00:00:00');
  const hours = (list: number[]) => list.map((ms) => (ms - from) / 3_600_000);
  t.same(hours(lastTicks(utc('@daily'), from, to, 3)), [28 * 24, 29 * 24, 30 * 24]);
  t.same(lastTicks(utc('@daily'), from, to, 100).length, 31, 'from and to are ticks');
  t.same(lastTicks(utc('@daily'), from + 1, to - 1, 100).length, 29);
  t.same(lastTicks(utc('@daily'), from, from, 5), [from]);
  t.same(lastTicks(utc('@daily'), from + 1, from + 1, 5), []);
  t.same(lastTicks(utc('@daily'), to, from, 5), [], 'no time at all');
  t.same(lastTicks(utc('@daily'), from, to, 0), []);
  t.same(lastTicks(utc('0 0 29 2 *'), from, to, 5), [], 'none in it');
  t.same(lastTicks(utc('0 0 29 2 *'), at('1999-01-01 00:00:00'), to, 2), [
    at('2020-02-29 00:00:00'),
    at('2024-02-29 00:00:00'),
  ]);
  t.same(lastTicks({ every: 400 }, 1_000, 2_000, 9), [1_200, 1_600, 2_000]);
});

void t.test('lastTicks: what was down for a month does not count its seconds', async (t) => {
  const from = at('2026-01-01 00:00:00');
  const to = at('2026-01-31 00:00:00.500');
  const began = performance.now();
  const hundred = Array.from({ length: 100 }, (_, i) => to - 500 - (99 - i) * 1_000);
  t.same(lastTicks(utc('* * * * * *'), from, to, 100), hundred);
  t.same(lastTicks({ every: 1_000 }, from, to, 100), hundred);
  // A crowd of ticks, then long nothing: the window that reaches the crowd would hold most of it.
  const crowd = lastTicks(utc('* * * 1-10 1 *'), from - 300 * DAY, at('2026-12-01 00:00:00'), 100);
  const last = at('2026-01-10 23:59:59');
  t.same(crowd, Array.from({ length: 100 }, (_, i) => last - (99 - i) * 1_000)); // prettier-ignore
  t.ok(performance.now() - began < 2_000, `${(performance.now() - began).toFixed(0)} ms`);
});

void t.test('lastTicks: as a walk through all of them', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
  t.comment(`SEED=${seed}`);
  const drawn = random(seed);
  const zones = ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago'];
  const patterns = ['@hourly', '0,30 1,2 * * *', '*/7 1-3 * * *', '0 0 * * 1', '10 0 1 * *', '*/10 * 5 11 *']; // prettier-ignore
  for (let i = 0; i < 150; i++) {
    const when: When =
      drawn() < 0.2
        ? { every: Math.ceil(drawn() * 5 * DAY) }
        : {
            cron: patterns[Math.floor(drawn() * patterns.length)]!,
            timezone: zones[Math.floor(drawn() * zones.length)]!,
          };
    const from = at('2026-10-01 00:00:00') + Math.floor(drawn() * 40 * DAY);
    const to = from + Math.floor(drawn() ** 3 * 40 * DAY);
    const most = Math.ceil(drawn() * 30);
    const all: number[] = [];
    for (let ms = nextTick(when, from - 1); ms !== undefined && ms <= to; ms = nextTick(when, ms)) {
      all.push(ms);
    }
    const last = lastTicks(when, from, to, most);
    if (!t.same(last, all.slice(-most), `${JSON.stringify(when)} ${from}-${to}, ${most}`)) break;
  }
});

void t.test('what is no pattern is refused, and the message says why', async (t) => {
  const shapes = "give five or six fields, such as '0 2 * * *', or '@daily'";
  const nicknames = 'known are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually';
  const step = 'has a step that does not fit; give */n or from-to/n';
  const split = 'ends before it begins; give it as two ranges';
  const lw = 'has an L or W that does not fit; give L, LW or 15W';
  const nth = 'needs 1 to 5 after the #, such as MON#2';
  for (const [given, shown] of [
    ['', '""'],
    [' \n', String.raw`" \n"`],
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [new Date(0), 'an object'],
    [['* * * * *'], 'an array'],
  ] as const) {
    const error = t.throws(() => checkCron(given, 'cron')) as unknown as InvalidArgumentError;
    t.type(error, InvalidArgumentError);
    t.equal(error.message, `cron: ${shown} is not usable; ${shapes}`);
  }
  for (const [given, why] of [
    ['* * * *', 'it needs five or six fields and has 4'],
    ['* * * * * * *', 'it needs five or six fields and has 7'],
    ['0 0 0 1 1 * 2027', 'it needs five or six fields and has 7'],
    ['2026-05-05T00:00:00', 'it needs five or six fields and has 1'],
    ['2026-05-05 00:00:00 1 1 1', `its minute "2026-05-05" can't be read (0-59)`],
    ['Tue May 5 2026 10:30 UTC', `its second "Tue" can't be read (0-59)`],
    ['0 10:30 * * *', `its hour "10:30" can't be read (0-23)`],
    ['@reboot', nicknames],
    ['@every 5m', nicknames],
    ['@dayly', nicknames],
    ['60 * * * * *', 'its second "60" is out of range (0-59)'],
    ['61 * * * *', 'its minute "61" is out of range (0-59)'],
    ['0 24 * * *', 'its hour "24" is out of range (0-23)'],
    ['0 0 32 * *', 'its day of month "32" is out of range (1-31)'],
    ['0 0 0 * *', 'its day of month "0" is out of range (1-31)'],
    ['0 0 32W * *', 'its day of month "32W" is out of range (1-31)'],
    ['0 0 * 13 *', 'its month "13" is out of range (1-12 or JAN-DEC)'],
    ['0 0 * 0 *', 'its month "0" is out of range (1-12 or JAN-DEC)'],
    ['0 0 * * 8', 'its day of week "8" is out of range (0-7 or SUN-SAT)'],
    ['a * * * *', `its minute "a" can't be read (0-59)`],
    ['-1 * * * *', `its minute "-1" can't be read (0-59)`],
    ['1.5 * * * *', `its minute "1.5" can't be read (0-59)`],
    ['** * * * *', `its minute "**" can't be read (0-59)`],
    ['1?2 * * * *', `its minute "1?2" can't be read (0-59)`],
    ['H * * * *', `its minute "H" can't be read (0-59)`],
    ['1-2-3 * * * *', `its minute "1-2-3" can't be read (0-59)`],
    ['* * * foo *', `its month "foo" can't be read (1-12 or JAN-DEC)`],
    ['* * * JANFEB *', `its month "JANFEB" can't be read (1-12 or JAN-DEC)`],
    ['* * * * mond', `its day of week "mond" can't be read (0-7 or SUN-SAT)`],
    ['* * * * L', `its day of week "L" can't be read (0-7 or SUN-SAT)`],
    ['1,,2 * * * *', 'its minute "1,,2" has an empty part (0-59)'],
    ['* 22-2 * * *', `its hour "22-2" ${split} (0-23)`],
    ['* * * * FRI-MON', `its day of week "FRI-MON" ${split} (0-7 or SUN-SAT)`],
    ['*/0 * * * *', `its minute "*/0" ${step} (0-59)`],
    ['*/61 * * * *', `its minute "*/61" ${step} (0-59)`],
    ['/5 * * * *', `its minute "/5" ${step} (0-59)`],
    [
      '5/5 * * * *',
      `its minute "5/5" has a step and no range, which readers of cron take for different times; give from-to/n, or the number alone (0-59)`,
    ],
    ['* * L-3 * *', `its day of month "L-3" ${lw} (1-31)`],
    ['* * 1,LW * *', `its day of month "1,LW" ${lw} (1-31)`],
    ['* * 1-5W * *', `its day of month "1-5W" ${lw} (1-31)`],
    ['* * * * 1#6', `its day of week "1#6" ${nth} (0-7 or SUN-SAT)`],
    ['* * * * 1#', `its day of week "1#" ${nth} (0-7 or SUN-SAT)`],
    ['0 0 31 2 *', 'it never falls due'],
    ['0 0 30 FEB *', 'it never falls due'],
    ['0 0 31 4,6,9,11 */2', 'it never falls due'],
  ] as const) {
    const error = t.throws(() => checkCron(given, 'cron')) as unknown as InvalidArgumentError;
    t.type(error, InvalidArgumentError);
    t.equal(error.message, `cron: "${given}" is not usable; ${why}`);
  }
  t.throws(() => checkCron(`0${',0'.repeat(600)} * * * *`, 'cron'), {
    message: `cron: "${'0,'.repeat(30)}..." is not usable; it is longer than 1,000 characters`,
  });
  t.throws(() => checkCron('x', 'schedule.cron'), {
    message: /^schedule\.cron: "x" is not usable/,
  });
});

void t.test('a zone is a name that means one zone to everybody', async (t) => {
  for (const zone of ['UTC', 'Europe/Berlin', 'america/new_york', 'Etc/GMT+5', 'GMT', 'Japan']) {
    t.equal(checkTimezone(zone, 'timezone'), zone);
    t.type(nextTick({ cron: '@daily', timezone: zone }, 0), 'number');
  }
  for (const [given, shown] of [
    ['Mars/Base', '"Mars/Base"'],
    ['+01:00', '"+01:00"'],
    ['-0500', '"-0500"'],
    ['IST', '"IST"'],
    ['est', '"est"'],
    ['UTC+1', '"UTC+1"'],
    ['Europe/Berlin ', '"Europe/Berlin "'],
    ['', '""'],
    [undefined, 'undefined'],
    [60, '60'],
  ] as const) {
    const error = t.throws(() => checkTimezone(given, 'timezone')) as unknown as Error;
    t.type(error, InvalidArgumentError, shown);
    t.equal(
      error.message,
      `timezone: ${shown} is not usable; give 'UTC' or the name of a zone, such as 'Europe/Berlin'`,
    );
  }
});

void t.test('more patterns and zones than are kept in memory at once', async (t) => {
  const zones = Intl.supportedValuesOf('timeZone').slice(0, 120);
  for (let round = 0; round < 2; round++) {
    const wrong = Array.from({ length: 240 }, (_, i) => i).filter((i) => {
      const [minute, hour] = [i % 60, Math.floor(i / 60)];
      return nextTick(utc(`${minute} ${hour} * * *`), 0) !== (i || 1_440) * 60_000;
    });
    t.same(wrong, []);
    t.ok(zones.every((timezone) => nextTick({ cron: '@daily', timezone }, 0)! <= DAY));
  }
  const before = heapUsed();
  for (let i = 0; i < 1_440; i++) nextTick(utc(`${i % 60} ${Math.floor(i / 60)} 1 * *`), 0);
  const more = heapUsed() - before;
  t.ok(more < 40_000_000, `${more} bytes: a hundred are kept, of 80 KB each`);
});

/** Bytes, without what nobody holds. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

void t.test('where the clock was set back, an entry is planned anew', async (t) => {
  const entry = (when: When) => ({ when }) as Definition;
  const spaced = entry(utc('*/5 * * * *'));
  const daily = entry(utc('30 2 * * *'));
  const now = at('2026-03-10 02:01:00');
  const cases: [what: string, entry: Definition, tick: string, last: string | undefined, next: string | undefined][] = [
    ['by an hour', spaced, '2026-03-10 03:05:00', '2026-03-10 03:00:00', '2026-03-10 02:05:00'],
    ['by less than a minute', spaced, '2026-03-10 02:05:00', '2026-03-10 02:01:40', undefined],
    ['not at all', spaced, '2026-03-10 02:05:00', '2026-03-10 02:00:00', undefined],
    ['before the first tick', spaced, '2026-03-10 03:05:00', undefined, '2026-03-10 02:05:00'],
    ['by an interval', entry({ every: 300_000 }), '2026-03-10 03:05:00', '2026-03-10 03:00:00', '2026-03-10 02:05:00'],
    ['over a fixed time: it does not come again', daily, '2026-03-11 02:30:00', '2026-03-10 02:30:00', undefined],
    ['by ten years: a clock was wrong', daily, '2036-03-11 02:30:00', '2036-03-10 02:30:00', '2026-03-10 02:30:00'],
  ];
  for (const [what, definition, tick, last, next] of cases) {
    t.equal(replanned(definition, at(tick), last === undefined ? undefined : at(last), now), next === undefined ? undefined : at(next), what);
  }
}); // prettier-ignore
