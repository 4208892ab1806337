/** What workers count together: histograms with fixed buckets, so that those of many workers add up. */

/** Upper bounds in ms; a last bucket holds what is longer. */
export const BOUNDS_MS = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
  1_800_000,
] as const;

/** Counters that stand beside those of functions; no function has such a name. */
export const BLOCKED_TIMES = '- blocked times';
export const BLOCKED_MS = '- blocked ms';

/** Durations counted in fixed parts. */
export interface Histogram {
  /** How many durations fell into each bucket: one more than there are bounds. */
  readonly counts: number[];
  readonly sumMs: number;
}

export function bucketOf(ms: number): number {
  let i = 0;
  while (i < BOUNDS_MS.length && ms > BOUNDS_MS[i]!) i++;
  return i;
}

export const countOf = ({ counts }: Histogram): number => counts.reduce((a, b) => a + b, 0);

/**
 * Estimated from the bucket it falls into, as if durations lay evenly in it.
 * @param q 0 to 1, e.g. 0.95
 * @returns ms; undefined of an empty histogram
 */
export function percentile(histogram: Histogram, q: number): number | undefined {
  const total = countOf(histogram);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [i, count] of histogram.counts.entries()) {
    if (count === 0 || below + count < rank) {
      below += count;
      continue;
    }
    const from = BOUNDS_MS[i - 1] ?? 0;
    const to = BOUNDS_MS[i] ?? from; // beyond the last bound nothing more is known
    return from + ((to - from) * (rank - below)) / count;
  }
  return BOUNDS_MS.at(-1);
}
