/** Figures as people read them. */
import ms from 'ms';
import type { QueueLimit } from './inspector.ts';

/** A time as long as `3m 20s`: two units, or one. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 1) return `${Math.round(seconds * 1_000)}ms`;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return units(whole, 60, 'm', 's');
  if (whole < 86_400) return units(Math.floor(whole / 60), 60, 'h', 'm');
  return units(Math.floor(whole / 3_600), 24, 'd', 'h');
}

function units(count: number, size: number, large: string, small: string): string {
  const rest = count % size;
  return `${Math.floor(count / size)}${large}${rest ? ` ${rest}${small}` : ''}`;
}

export const number = (count: number): string => Math.round(count).toLocaleString('en-US');

/** Jobs: `1 job`, `2 failed jobs`. */
export const jobsOf = (count: number, state = ''): string =>
  `${number(count)} ${state ? `${state} ` : ''}job${count === 1 ? '' : 's'}`;

export function bytes(count: number): string {
  const mega = count / 1024 ** 2;
  return mega < 1024 ? `${Math.round(mega)} MB` : `${(mega / 1024).toFixed(1)} GB`;
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/**
 * The counts as a row of blocks, the largest as high as the line; a dot where there is none. Where there is no room
 * for all, two or more that stand together are shown as one.
 */
export function sparkline(counts: readonly number[], room: number): string {
  const size = [1, 2, 3, 4, 6, 12].find((each) => counts.length / each <= room) ?? 12;
  const sums: number[] = [];
  for (const [i, count] of counts.entries()) {
    const slot = Math.floor(i / size);
    sums[slot] = (sums[slot] ?? 0) + count;
  }
  const most = Math.max(...sums);
  return sums
    .map((sum) => (sum > 0 ? BLOCKS[Math.min(7, Math.ceil((sum / most) * 8) - 1)] : '·'))
    .join('');
}

/** `at most 100 jobs begin in 1m, 20 at once` */
export function limitText(limit: QueueLimit | undefined): string {
  const { rate, concurrency } = limit ?? {};
  const parts = [
    ...(rate ? [`${number(rate.count)} begin in ${ms(rate.perMs)}`] : []),
    ...(concurrency === undefined ? [] : [`${number(concurrency)} at once`]),
  ];
  return parts.length === 0 ? 'no limit' : `at most ${parts.join(', ')}`;
}
