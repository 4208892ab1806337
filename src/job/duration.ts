import ms from 'ms';
import { performance, setTimeout } from './globals.ts';
import { InvalidArgumentError } from './errors.ts';
import { show } from './refuse.ts';

/** Milliseconds, or text such as `'30s'`, `'5m'`, `'1.5h'`, `'7d'`. */
export type Duration = number | string;

/** The longest time minq accepts: 100 years. Keeps every due time a safe integer. */
const LONGEST_MS = 100 * 365.25 * 24 * 3_600_000;

/**
 * Turns a duration into whole milliseconds.
 * @param name how the option is called in the error, e.g. `timeout`
 * @throws {InvalidArgumentError} for anything but a number from `min` to `max` or text that `ms` understands
 */
export function toMs(value: unknown, name: string, min = 0, max = LONGEST_MS): number {
  const given =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.length > 0 && value.length <= 100
        ? ms(value as ms.StringValue)
        : undefined;
  if (given === undefined || !Number.isFinite(given)) {
    throw new InvalidArgumentError(
      `${name}: ${show(value)} is no duration; give milliseconds or text like '30s', '5m', '2h'`,
    );
  }
  if (given < min || given > max) {
    const most = max === LONGEST_MS ? '100 years' : `${max} ms, the longest timer there is`;
    throw new InvalidArgumentError(
      `${name}: ${show(value)} is out of range; it must be from ${min} ms to ${most}`,
    );
  }
  return Math.round(given);
}

/** Node fires a longer timer at once. 24.8 days: nobody waits that long in one process. An option that is a timer ends here. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** When the time of a call is over (as `performance.now()`), and how long it was from the beginning: errors name it. */
export interface Deadline {
  readonly at: number;
  readonly ms: number;
}

export const deadlineIn = (ms: number): Deadline => ({ at: performance.now() + ms, ms });

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
