/**
 * Jobs claimed beyond the free slots. Where jobs are very short, asking for the next one takes longer than running it: so
 * a turn may claim some more, to be begun as slots get free, before the next turn.
 *
 * Nobody is kept waiting: only a worker whose last claims ended within a millisecond claims ahead, twice as many as
 * before; what hasn't begun after two goes back to the front of the queue.
 */
import type { Claim } from '../store/store.ts';

/** Most jobs claimed ahead: by then the round trip is a small part of what a job costs. */
const MOST = 50;
const SHORT_MS = 1;
const WITHIN_MS = 2;
/** Turns in which nothing is claimed ahead after a job that could not be begun. */
const PAUSE = 50;

export class Ahead {
  /** Server time of the claim. */
  claimedAt = 0;
  #claims: readonly Claim[] = [];
  #begun = 0;
  #size = 0;
  #arrivedAt = -Infinity;
  #pausing = 0;

  /** How many have begun since the last claim. */
  get begun(): number {
    return this.#begun;
  }

  /** How many are claimed and have not begun. */
  get waiting(): number {
    return this.#claims.length - this.#begun;
  }

  /** The answer to a claim has arrived; these are the ones that have no slot. */
  fill(claims: readonly Claim[], claimedAt: number): void {
    this.#claims = claims;
    this.#begun = 0;
    this.claimedAt = claimedAt;
    this.#arrivedAt = performance.now();
  }

  /** The next one to begin, while there is time. */
  next(): Claim | undefined {
    const late = this.waiting === 0 || performance.now() - this.#arrivedAt > WITHIN_MS;
    return late ? undefined : this.#claims[this.#begun++];
  }

  /** The last one must not begin like this: probably there are more of its kind. */
  refuse(): void {
    this.#pausing = PAUSE;
  }

  /** Those that have not begun: their time is over. */
  leftOver(): readonly Claim[] {
    const left = this.#claims.slice(this.#begun);
    if (left.length > 0) this.#size = this.#begun;
    this.#claims = this.#claims.slice(0, this.#begun);
    return left;
  }

  /** How many to claim ahead now. @param ended whether everything has ended that was claimed */
  size(ended: boolean): number {
    const tookMs = performance.now() - this.#arrivedAt;
    if (this.#pausing > 0) this.#pausing--;
    if (!ended || this.#pausing > 0) this.#size = 0;
    else if (tookMs < SHORT_MS) this.#size = Math.min(this.#size * 2 + 1, MOST);
    else if (tookMs > WITHIN_MS) this.#size >>= 1;
    return this.#size;
  }
}
