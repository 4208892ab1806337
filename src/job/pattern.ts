/**
 * Cron patterns and time zones as users write them: checked, and read. When they fall due is the matter of cron/times.ts.
 */
import { Cron } from 'croner';
import { Date } from './globals.ts';
import { refuse, show } from './refuse.ts';

const NICKNAMES = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

const FIELDS: [name: string, takes: string][] = [
  ['second', '0-59'],
  ['minute', '0-59'],
  ['hour', '0-23'],
  ['day of month', '1-31'],
  ['month', '1-12 or JAN-DEC'],
  ['day of week', '0-7 or SUN-SAT'],
];

/** What croner says of a field, in words that fit after the field; the rest of its words are clear. */
const FAULTS: [said: RegExp, fault: string][] = [
  [/Invalid value/, ' is out of range'],
  [/larger than to/, ' ends before it begins; give it as two ranges'],
  [/is empty/, ' has an empty part'],
  [
    /numeric prefix/,
    ' has a step and no range, which readers of cron take for different times; give from-to/n, or the number alone',
  ],
  [/stepping|steps/, ' has a step that does not fit; give */n or from-to/n'],
  [/nth weekday/, ' needs 1 to 5 after the #, such as MON#2'],
  [/\b(L|LW|W) (has|can|is)/, ' has an L or W that does not fit; give L, LW or 15W'],
  [/^/, " can't be read"],
];

/**
 * Five fields, six with seconds in front, or a nickname such as `@daily`. Returns it trimmed.
 * @param name how the option is called in the error, e.g. `cron`
 * @throws {InvalidArgumentError} for what is no pattern, and for one that never falls due
 */
export function checkCron(value: unknown, name: string): string {
  if (typeof value !== 'string' || value.trim() === '') {
    return refuse(name, value, "give five or six fields, such as '0 2 * * *', or '@daily'");
  }
  // At most a list of every value in each field; what is longer would only cost.
  if (value.length > 1_000) return refuse(name, value, 'it is longer than 1,000 characters');
  // From a fixed day: whether a pattern is accepted must not depend on when that is asked.
  if (readPattern(value.trim(), name).next(0) === undefined)
    refuse(name, value, 'it never falls due');
  return value.trim();
}

/**
 * Offsets and three-letter names are refused: not every Node knows the former, and the latter mean
 * different zones to different people (IST) or tables (EST).
 * @param name how the option is called in the error, e.g. `timezone`
 * @throws {InvalidArgumentError} for what is no name of a zone
 */
export function checkTimezone(value: unknown, name: string): string {
  if (typeof value === 'string' && !/^([+-].*|(?!UTC|GMT)\w{3})$/i.test(value)) {
    try {
      formatOf(value);
      return value;
    } catch {
      // not known
    }
  }
  return refuse(name, value, "give 'UTC' or the name of a zone, such as 'Europe/Berlin'");
}

export interface Pattern {
  readonly wildcard: boolean;
  /** First matching wall time after the given one, both written as if the wall were in UTC. */
  next(wallMs: number): number | undefined;
}

/** A reading costs 40 us and 80 KB: kept, but not without bound, for users may schedule at run time. */
const patterns = new Map<string, Pattern>();

/** @throws {InvalidArgumentError} for what is no pattern */
export function readPattern(expression: string, name = 'cron'): Pattern {
  return kept(patterns, expression, () => {
    const fields = (NICKNAMES.get(expression.toLowerCase()) ?? expression).split(/\s+/);
    if (expression.startsWith('@') && fields.length < 5) {
      refuse(name, expression, `known are ${[...NICKNAMES.keys()].join(', ')}`);
    }
    if (fields.length < 5 || fields.length > 6) {
      refuse(name, expression, `it needs five or six fields and has ${fields.length}`);
    }
    if (fields.length === 5) fields.unshift('0');
    // A question mark is a star to croner, at any time.
    const star = (i: number) => /^[*?]/.test(fields[i]!);
    // cron's rule: both days must fit if one begins with a star; croner asks for a star alone.
    const cron = croner(fields, star(3) || star(5));
    if (typeof cron === 'string') return refuse(name, expression, faultOf(fields) ?? cron);
    return {
      wildcard: star(0) || star(1) || star(2),
      next: (wallMs) => cron.nextRun(new Date(wallMs))?.getTime(),
    };
  });
}

/** The pattern, or what is wrong with it. croner would read `Tue May 5 2026 10:30 UTC` as a date: no colons. */
function croner(fields: string[], domAndDow: boolean): Cron | string {
  try {
    const text = fields.join(' ').replaceAll(':', ';');
    return new Cron(text, { paused: true, utcOffset: 0, mode: '6-part', domAndDow });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** croner does not always name the field: each is tried among stars. */
function faultOf(fields: string[]): string | undefined {
  for (const [i, [field, takes]] of FIELDS.entries()) {
    const said = croner(
      FIELDS.map((_, j) => (j === i ? fields[i]! : '*')),
      true,
    );
    if (typeof said !== 'string') continue;
    const [, fault] = FAULTS.find(([saying]) => saying.test(said))!;
    return `its ${field} ${show(fields[i])}${fault} (${takes})`;
  }
  return undefined;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const SHOWN = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const;

/** A clock on the wall of that zone. */
export const formatOf = (timeZone: string) =>
  kept(formats, timeZone, () => {
    const options = { ...SHOWN, minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone });
  });

/** From the map, or made and kept there; a full map starts anew. */
function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    if (map.size >= 100) map.clear();
    map.set(key, value);
  }
  return value;
}
