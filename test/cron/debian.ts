/**
 * Ticks against Debian's cron itself: a clock that walks minute by minute and runs what is due, as `cron.c`
 * does it with its virtual time, over 400 days in eight zones. Nothing of it is shared with src/cron/times.ts:
 * offsets come from another form of Intl, patterns from a small matcher.
 */
import t, { type Test } from 'tap';
import { lastTicks, nextTick } from '../../src/cron/times.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const FROM = Date.UTC(2026, 0, 1, 7, 30);
const TO = FROM + 400 * 86_400_000;
const ZONES = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Pacific/Auckland',
  'Asia/Kathmandu',
];

/** Checked all 400 days in every zone. */
export const PATTERNS = [
  '30 2 * * *',
  '0,20,40 0-3 * * *',
  '*/20 0-3 * * *',
  '@hourly',
  '0 */2 * * *',
  '0 0 * * *',
  '0 0 1,15 * 5',
  '59 23 */2 * 1-5',
];
/** Fire every few minutes: checked around each change only. */
export const DENSE = ['* * * * *', '*/5 * * * *', '* 1,2 * * *', '0-59 0-23 * * *'];

export interface Extent {
  readonly patterns: readonly string[];
  readonly dense: readonly string[];
  /** More patterns, drawn anew for each zone. */
  readonly drawn: number;
  /** Moments to ask from, in each zone. */
  readonly moments: number;
}

export function agreesWithDebian({ patterns, dense, drawn: perZone, moments }: Extent): void {
  void t.test(`as Debian's cron over 400 days (SEED=${seed})`, async (t) => {
    const drawn = random(seed);
    for (const zone of ZONES) {
      const offsets = offsetsOf(zone);
      const changes = changesOf(offsets);
      t.equal(changes.length, zone === 'Asia/Kathmandu' ? 0 : 2, `changes in ${zone}`);
      const more = Array.from({ length: perZone }, () => draw(drawn));
      for (const cron of [...patterns, ...more]) {
        agree(t, zone, cron, vixie(cron, offsets, FROM, TO), FROM, TO);
      }
      for (const cron of dense) {
        for (const change of changes) {
          const [from, to] = [change - 26 * 60 * MINUTE, Math.min(change + 26 * 60 * MINUTE, TO)];
          agree(t, zone, cron, vixie(cron, offsets, from, to), from, to);
        }
      }
    }
  });

  void t.test(`between two ticks, from any moment, comes the later (SEED=${seed})`, async (t) => {
    const drawn = random(seed + 1);
    const wrong: string[] = [];
    for (const zone of ZONES) {
      const changes = changesOf(offsetsOf(zone));
      for (let i = 0; i < moments; i++) {
        const cron = i % 2 ? draw(drawn) : PATTERNS[i % PATTERNS.length]!;
        const when = { cron, timezone: zone };
        // Half of them near a change, for that is where it could go wrong.
        const near = changes[i % 4 === 0 ? Math.floor(drawn() * changes.length) : NaN];
        const start = Math.floor(near ? near + (drawn() - 0.5) * 6 * 60 * MINUTE : FROM + drawn() * (TO - FROM)); // prettier-ignore
        const tick = nextTick(when, start)!;
        const later = nextTick(when, tick)!;
        const asked = tick + Math.floor(drawn() * (later - tick));
        const right =
          tick > start &&
          later > tick &&
          nextTick(when, asked) === later &&
          nextTick(when, later - 1) === later &&
          lastTicks(when, start + 1, asked, 2).join() === String(tick);
        if (!right) wrong.push(`${cron} in ${zone}, from ${start}, asked at ${asked}`);
      }
    }
    t.same(wrong, []);
  });
}

function agree(t: Test, zone: string, cron: string, due: number[], from: number, to: number) {
  const when = { cron, timezone: zone };
  const iso = (ms: number | undefined) => ms && new Date(ms).toISOString();
  let tick = nextTick(when, from);
  for (let i = 0; i <= due.length; i++) {
    const ours = tick !== undefined && tick <= to ? tick : undefined;
    if (ours !== due[i]) {
      t.equal(iso(ours), iso(due[i]), `${cron} in ${zone} after ${iso(due[i - 1] ?? from)}`);
      return;
    }
    if (ours !== undefined) tick = nextTick(when, ours);
  }
  t.pass(`${cron} in ${zone}: ${due.length} ticks`);
}

/**
 * The instants in (from, to] at which cron runs something. Its clock is the local minute; virtual time is how
 * far it has worked. One ahead: all jobs. Ahead by more, the clock has jumped: wildcard jobs of now, and fixed
 * ones of each minute it skipped. Behind, it was set back: wildcard jobs only, until virtual time is caught up.
 */
function vixie(cron: string, offsets: number[], from: number, to: number): number[] {
  const matches = matcher(cron);
  const fields = cron === '@hourly' ? ['0', '*'] : cron.split(' ');
  const wildcard = fields[0]!.startsWith('*') || fields[1]!.startsWith('*');
  const due: number[] = [];
  // A day of run-up: what came before has been run.
  let virtual = -Infinity;
  for (let now = Math.max(FROM - QUARTER, from - 86_400_000); now <= to; now += MINUTE) {
    const offset = offsets[Math.floor((now - FROM) / QUARTER) + 1]!;
    const clock = now / MINUTE + offset;
    let run = wildcard && matches(clock);
    if (virtual === -Infinity) virtual = clock - 1;
    while (virtual < clock) {
      virtual++;
      run ||= !wildcard && matches(virtual);
    }
    if (run && now > from) due.push(now);
  }
  return due;
}

/** Whether a minute of local time (since the epoch, on the wall) fits five plain fields. */
function matcher(cron: string): (wallMinute: number) => boolean {
  const fields = (cron === '@hourly' ? '0 * * * *' : cron).split(' ');
  const bounds = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 6]] as const; // prettier-ignore
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields.map((field, i) => {
    const fit = new Set<number>();
    for (const part of field.split(',')) {
      const [range, step = '1'] = part.split('/') as [string, string?];
      const [low, high = low] = range === '*' ? bounds[i]! : range.split('-').map(Number);
      for (let value = low!; value <= high!; value += Number(step)) fit.add(value);
    }
    return fit;
  }) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const both = fields[2]!.startsWith('*') || fields[4]!.startsWith('*');
  const days = new Map<number, boolean>();
  const dayFits = (day: number) => {
    let fits = days.get(day);
    if (fits === undefined) {
      const date = new Date(day * 86_400_000);
      const [ofMonth, ofWeek] = [dayOfMonth.has(date.getUTCDate()), dayOfWeek.has(date.getUTCDay())]; // prettier-ignore
      fits = month.has(date.getUTCMonth() + 1) && (both ? ofMonth && ofWeek : ofMonth || ofWeek);
      days.set(day, fits);
    }
    return fits;
  };
  return (wallMinute) =>
    minute.has(wallMinute % 60) &&
    hour.has(Math.floor(wallMinute / 60) % 24) &&
    dayFits(Math.floor(wallMinute / 1_440));
}

const OFFSETS = new Map<string, number[]>();

/** Minutes beyond UTC, per quarter of an hour, one before FROM the first: all changes fall on a quarter. */
function offsetsOf(timeZone: string): number[] {
  const known = OFFSETS.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offsets: number[] = [];
  for (let at = FROM - QUARTER; at <= TO + QUARTER; at += QUARTER) {
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(format.format(at))!;
    offsets.push(sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : 0);
  }
  OFFSETS.set(timeZone, offsets);
  return offsets;
}

function changesOf(offsets: number[]): number[] {
  return offsets.flatMap((offset, i) =>
    i > 0 && offset !== offsets[i - 1] ? [FROM + (i - 1) * QUARTER] : [],
  );
}

/** A pattern of plain fields, mostly at night, where clocks change. */
function draw(drawn: () => number): string {
  const whole = (from: number, to: number) => from + Math.floor(drawn() * (to - from + 1));
  const pick = <T>(...items: (() => T)[]) => items[whole(0, items.length - 1)]!();
  const list = (to: number) => [...new Set([whole(0, to), whole(0, to), whole(0, to)])].join();
  const minute = pick(
    () => `${whole(0, 59)}`,
    () => list(59),
    () => `*/${whole(13, 59)}`,
    () => `${whole(0, 20)}-59/${whole(10, 30)}`,
  );
  const hour = pick(
    () => `${whole(0, 3)}`,
    () => list(3),
    () => list(23),
    () => `*/${whole(1, 7)}`,
    () => `0-${whole(1, 4)}`,
    () => `${whole(0, 2)}-23/${whole(1, 5)}`,
    () => '*',
  );
  const dayOfMonth = pick(() => '*', () => '*', () => `*/${whole(2, 9)}`, () => `1-${whole(7, 28)}`); // prettier-ignore
  const month = pick(() => '*', () => '*', () => '*/2', () => '3,4,9-11'); // prettier-ignore
  const dayOfWeek = pick(() => '*', () => '*', () => '*/2', () => `${whole(0, 6)}`, () => '0,4-6'); // prettier-ignore
  return [minute, hour, dayOfMonth, month, dayOfWeek].join(' ');
}

/** mulberry32 */
function random(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
