/**
 * When a schedule falls due. croner reads the pattern and finds the next matching time on the clock on the
 * wall; the zone and its daylight saving are ours, so that the rules are Debian cron's (man 8 cron):
 * - An entry whose second, minute or hour begins with `*` is a wildcard entry and keeps its real spacing: it
 *   fires whenever local time matches, so not in a gap, and in both passes of an hour that comes twice.
 * - Every other entry is a fixed-time entry: due in a gap, it fires once, at the instant after the gap; in an
 *   hour that comes twice it fires in the first pass only. Ticks are instants: what meets in one is one tick.
 *   (cron forgives a jump of up to three hours; here also Apia's, which skipped 30 December 2011.)
 *
 * croner's own zones differ. `0,30 2 * * *` in New York on the day of the gap: it skips the day, here 03:00.
 * `0,30 1 * * *` when that hour comes twice: four runs, here two. `0 12 * * *` in Apia that December: it skips
 * the 30th, here midnight. Its `fixedTimeRule: 'no-wildcard'` mends lists, but neither `0 2-4/2` nor Apia.
 */
import { Date } from '../job/globals.ts';
import { formatOf, readPattern, type Pattern } from '../job/pattern.ts';

/** When an entry fires: at what the pattern says in the zone, or every so many ms since the epoch. */
export type When =
  { readonly cron: string; readonly timezone: string } | { readonly every: number };

const DAY_MS = 86_400_000;
/** No pattern waits longer than 40 years (29 February on a given weekday); one that only ever meets gaps would. */
const HORIZON_MS = 100 * 366 * DAY_MS;
/** croner ends here; and not much later, `Date`. */
const YEAR_3000 = Date.UTC(3000, 0);

/**
 * First tick after `afterMs` (exclusive), epoch ms; `undefined`: never again, or not within a century.
 * @param when as `checkCron` and `checkTimezone` accepted it; `every` is whole ms, at least 1
 */
export function nextTick(when: When, afterMs: number): number | undefined {
  if ('every' in when) return Math.floor(afterMs / when.every) * when.every + when.every;
  if (afterMs >= YEAR_3000) return undefined;
  const pattern = readPattern(when.cron);
  return (pattern.wildcard ? nextReal : nextFixed)(pattern, when.timezone, afterMs);
}

/** Whether it is a fixed-time entry: see above. */
export const isFixedTime = (when: When): boolean =>
  'cron' in when && !readPattern(when.cron).wildcard;

/**
 * The last `most` ticks from `fromMs` (inclusive) to `toMs` (inclusive), ascending. It looks back from
 * `toMs`, one tick after another: the cost grows with `most`, not with the time between.
 */
export function lastTicks(when: When, fromMs: number, toMs: number, most: number): number[] {
  const ticks: number[] = [];
  let span = 1_000;
  for (let to = toMs; ticks.length < most;) {
    const tick = lastTick(when, fromMs, to, span);
    if (tick === undefined) break;
    ticks.push(tick);
    // The next one back is probably about as far away.
    span = to - tick + 1;
    to = tick - 1;
  }
  return ticks.reverse();
}

/** The last tick of [from, to]: steps back, twice as far each time, then halves what lies between. */
function lastTick(when: When, from: number, to: number, span: number): number | undefined {
  const upTo = (after: number) => {
    const tick = nextTick(when, after);
    return tick !== undefined && tick <= to ? tick : undefined;
  };
  let last: number | undefined;
  for (let back = span; last === undefined; back *= 2) {
    last = upTo(Math.max(from - 1, to - back));
    if (to - back < from && last === undefined) return undefined;
  }
  for (let end = to; ;) {
    const later = upTo(last);
    if (later === undefined) return last;
    const middle = Math.floor((later + end) / 2);
    const tick = upTo(middle);
    if (tick === undefined) end = middle;
    last = tick ?? later;
  }
}

/** What local time fits, really: from change to change of the offset, within which wall and time run alike. */
function nextReal(pattern: Pattern, zone: string, afterMs: number): number | undefined {
  let t = afterMs;
  let offset = offsetAt(zone, t);
  while (t < afterMs + HORIZON_MS) {
    const wall = pattern.next(t + offset);
    if (wall === undefined) return undefined;
    const at = wall - offset;
    const near = Math.min(at, t + DAY_MS);
    if (offsetAt(zone, near) !== offset) {
      // The tick may be at the change itself, so go on from just before it, by its new offset.
      const change = firstChange(zone, offset, t, near);
      t = change - 1;
      offset = offsetAt(zone, change);
    } else if (near === at) {
      return at;
    } else {
      // Offsets differ by 25 hours at most: two days before, no wall shows a time that fits.
      t = Math.max(near, at - 2 * DAY_MS);
      offset = offsetAt(zone, t);
    }
  }
  return undefined;
}

/** The first instant by which the wall has reached a time that fits and that it had not reached before. */
function nextFixed(pattern: Pattern, zone: string, afterMs: number): number | undefined {
  const offset = offsetAt(zone, afterMs);
  const before = offsetAt(zone, afterMs - DAY_MS);
  let reached = afterMs + offset;
  if (offset < before) {
    // Set back within the day: what the first pass has reached is done, up to just before the change.
    const change = firstChange(zone, before, afterMs - DAY_MS, afterMs);
    reached = Math.max(reached, change + before - 1);
  }
  const wall = pattern.next(reached);
  return wall === undefined ? undefined : instantOf(zone, wall);
}

/** When the wall first reaches this time: in its first pass, or after the gap that holds it. */
function instantOf(zone: string, wallMs: number): number {
  const before = offsetAt(zone, wallMs - DAY_MS);
  const after = offsetAt(zone, wallMs + DAY_MS);
  if (offsetAt(zone, wallMs - before) === before) return wallMs - before;
  if (offsetAt(zone, wallMs - after) === after) return wallMs - after;
  return firstChange(zone, before, wallMs - DAY_MS, wallMs + DAY_MS);
}

/**
 * First instant in (a, b] at which the zone has left `offset`; at `b` it has. No zone of our days changes
 * twice within two days, and all change on a whole second.
 */
function firstChange(zone: string, offset: number, a: number, b: number): number {
  let same = Math.floor(a / 1_000);
  let other = Math.floor(b / 1_000);
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetAt(zone, middle * 1_000) === offset) same = middle;
    else other = middle;
  }
  return other * 1_000;
}

/** What the wall shows beyond UTC, in ms. */
export function offsetAt(zone: string, ms: number): number {
  if (zone === 'UTC') return 0;
  const second = Math.floor(ms / 1_000) * 1_000;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(second)) part[type] = Number(value);
  const { year, month, day, hour, minute, second: s } = part;
  return Date.UTC(year!, month! - 1, day, hour, minute, s) - second;
}
