/**
 * What other readers of cron make of the same text, where that is something else. Measured with croner 11, cron-parser 5.10 (BullMQ
 * has it), cron 4.4, cron-schedule 6, @breejs/later 4.2; Debian's rules are ours (see times.ts). The test holds
 * every pattern of which nothing is said against cron-parser.
 */
import { offsetAt } from './times.ts';

const DAY_MS = 86_400_000;

export interface Difference {
  /** It fires at other times in BullMQ, and not only when the clocks change. */
  bullmq?: true;
  says: string;
}

/**
 * @param pattern as `checkCron` accepted it
 * @param now whether the zone's clocks change is asked of the year from there
 */
export function differences(pattern: string, timezone: string, now: number): Difference[] {
  const fields = pattern.split(/\s+/);
  if (fields.length < 5) return [];
  const [minute, hour, day, , weekday] = fields.slice(-5) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const found: Difference[] = [];
  const star = (field: string) => /^[*?]/.test(field);
  const alone = (field: string) => /^[*?]$/.test(field);
  if (!alone(day) && !alone(weekday)) {
    if (star(day) || star(weekday)) {
      found.push({
        bullmq: true,
        says: 'day of month and day of week: both must fit, for one begins with a star, as in Debian; in BullMQ, cron, cron-schedule and croner one that fits is enough',
      });
    } else {
      found.push({
        says: 'day of month or day of week: one that fits is enough, as in cron; in Celery both must fit',
      });
      if (isWhole(day, 1, 31) || isWhole(weekday, 0, 6)) {
        found.push({
          says: 'one of the two days names all there are, so it fires daily, as in BullMQ; cron, cron-schedule and later take it for a star, and ask for the other one',
        });
      }
    }
  }
  if (/\d/.test(weekday.replace(/[#/]\d+/g, ''))) {
    found.push({ says: 'day of week: 0 and 7 are Sunday, as in cron; in Quartz and its kin 1 is' });
  }
  if (fields.length === 6) {
    found.push({
      says: 'six fields: the first one is the second; some have the year as the last one',
    });
  }
  if (!alone(hour) && changesClocks(timezone, now)) {
    const wild = star(hour) || star(minute) || (fields.length === 6 && star(fields[0]!));
    found.push({
      says: wild
        ? 'when the clocks change: it keeps to what the clock on the wall says, as in Debian; in BullMQ and cron it runs once more in spring'
        : 'when the clocks change: what falls into the hour that is left out runs right after it, and in the hour that comes twice once, as in Debian; in BullMQ minutes are kept: 02:30 runs at 03:30',
    });
  }
  return found;
}

/** `1-31`: all values, and no star. */
function isWhole(field: string, least: number, most: number): boolean {
  const [from, to] = field.split('-').map(Number);
  return /^\d+-\d+$/.test(field) && from! <= least && to! >= most;
}

/** Patterns that this process has been warned of; users may schedule any number at run time. */
const told = new Set<string>();
const MOST_TOLD = 1_000;

/** @returns what to warn of, the first time, where it fires at other times in BullMQ the whole year round */
export function warningOf(pattern: string): string | undefined {
  if (told.has(pattern) || told.size >= MOST_TOLD) return undefined;
  const found = differences(pattern, 'UTC', 0).find(({ bullmq }) => bullmq);
  if (found) told.add(pattern);
  return found && `"${pattern}": ${found.says}`;
}

/** Whether its clocks are set forward and back within the next year. */
function changesClocks(timezone: string, now: number): boolean {
  const months = Array.from({ length: 12 }, (_, month) => now + month * 30 * DAY_MS);
  return new Set(months.map((at) => offsetAt(timezone, at))).size > 1;
}
