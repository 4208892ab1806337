/** How long a job waits before it is run again. Pure: tests give their own `random`. */

export interface Backoff {
  /** `exponential`: delay, 2 x delay, 4 x delay, ...; `fixed`: always delay. */
  readonly type: 'exponential' | 'fixed';
  /** Milliseconds before the first retry. */
  readonly delay: number;
  /** No wait is longer, in milliseconds. */
  readonly max: number;
  /**
   * Share of the wait that is drawn at random: 0 none, 1 all of it ("full jitter", which spreads
   * retries of jobs that failed together best).
   */
  readonly jitter: number;
}

/** @param failed how many runs have failed so far, at least 1 */
export function backoffMs(
  backoff: Backoff,
  failed: number,
  random: () => number = Math.random,
): number {
  const grown =
    backoff.type === 'fixed' ? backoff.delay : backoff.delay * 2 ** Math.min(failed - 1, 50);
  const wait = Math.min(grown, backoff.max);
  return Math.round(wait - wait * backoff.jitter * random());
}
