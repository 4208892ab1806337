/**
 * What a worker holds: the runs that take its slots, the jobs it has claimed ahead of a free slot, and the runs that have
 * ended without Redis having heard of it. Whatever is in none of these, the worker has no ticket of.
 *
 * Claimed ahead: where jobs are very short, asking for the next one takes longer than running it. So a turn may claim some
 * more, to be begun as slots get free, before the next turn. Nobody is kept waiting: only a worker whose last claims ended
 * within a millisecond claims ahead, twice as many as before; what hasn't begun after two goes back to the front of
 * the queue.
 */
import { performance } from '../job/globals.ts';
import { takeOut, type Settlement } from '../store/settlement.ts';
import type { Outcome } from '../job/job.ts';
import type { Claim } from '../store/store.ts';
import type { Run } from './executor.ts';

/** Most jobs claimed ahead: by then the round trip is a small part of what a job costs. */
const MOST_AHEAD = 50;
const SHORT_MS = 1;
const WITHIN_MS = 2;
/** Turns in which nothing is claimed ahead after a job that could not be begun. */
const PAUSE = 50;

/** Without a run where a job was settled that was not run. */
export type Finished = Settlement & { run: Run | undefined };

/** Iterating gives the runs whose function has not returned, as they are at that moment. */
export class Slots implements Iterable<Run> {
  /** Jobs that run at once. May change at any time: what runs beyond it ends first. */
  concurrency: number;
  /** Leases that were found lost: another worker may have run the job as well. */
  leasesLost = 0;
  /** Server time of the claim of those claimed ahead. */
  claimedAt = 0;
  /**
   * In no order. Not a `Set`: V8 chains the tables of one that grows and shrinks with every turn, and so keeps the jobs of the
   * last seconds alive until the next full garbage collection. That cost a fifth of a worker's time.
   */
  readonly #running: Run[] = [];
  #ahead: readonly Claim[] = [];
  #begun = 0;
  #size = 0;
  #arrivedAt = -Infinity;
  #pausing = 0;
  #finished: Finished[] = [];
  #settling: readonly Finished[] = [];

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  get busy(): number {
    return this.#running.length;
  }

  get free(): number {
    return Math.max(0, this.concurrency - this.#running.length);
  }

  [Symbol.iterator](): IterableIterator<Run> {
    return this.#running.slice().values();
  }

  /** Runs under way of which Redis doesn't know that they have begun. */
  untold(): Run[] {
    return this.#running.filter((run) => !run.told && !run.decided);
  }

  take(run: Run): void {
    run.slot = this.#running.push(run) - 1;
  }

  /** The last one takes its place. */
  leave(run: Run): void {
    const last = this.#running.pop()!;
    if (last === run) return;
    this.#running[run.slot] = last;
    last.slot = run.slot;
  }

  // ---- Claimed ahead ---------------------------------------------------------------------------

  /** How many are claimed and have not begun. */
  get waiting(): number {
    return this.#ahead.length - this.#begun;
  }

  /** The answer to a claim has arrived; these are the ones that have no slot. */
  fillAhead(claims: readonly Claim[], claimedAt: number): void {
    this.#ahead = claims;
    this.#begun = 0;
    this.claimedAt = claimedAt;
    this.#arrivedAt = performance.now();
  }

  /** The next one to begin, while there is time. */
  nextAhead(): Claim | undefined {
    const late = this.waiting === 0 || performance.now() - this.#arrivedAt > WITHIN_MS;
    return late ? undefined : this.#ahead[this.#begun++];
  }

  /** The last one must not begin like this: probably there are more of its kind. */
  refuseAhead(): void {
    this.#pausing = PAUSE;
  }

  /** Those that have not begun: their time is over. */
  leftAhead(): readonly Claim[] {
    const left = this.#ahead.slice(this.#begun);
    if (left.length > 0) this.#size = this.#begun;
    this.#ahead = this.#ahead.slice(0, this.#begun);
    return left;
  }

  /** How many to claim ahead now: none while something of the last claim still runs. */
  howManyAhead(): number {
    const tookMs = performance.now() - this.#arrivedAt;
    if (this.#pausing > 0) this.#pausing--;
    if (this.busy > 0 || this.#pausing > 0) this.#size = 0;
    else if (tookMs < SHORT_MS) this.#size = Math.min(this.#size * 2 + 1, MOST_AHEAD);
    else if (tookMs > WITHIN_MS) this.#size >>= 1;
    return this.#size;
  }

  // ---- Ended, and to be settled ----------------------------------------------------------------

  finish(finished: Finished): void {
    this.#finished.push(finished);
  }

  /** How many wait for a turn to settle them. */
  get finished(): number {
    return this.#finished.length;
  }

  /** As many as one turn settles, the first ones first. */
  beginSettling(most: number): readonly Finished[] {
    return (this.#settling = takeOut(this.#finished, most));
  }

  /** The first one can't be settled like this. */
  settleInstead(outcome: Outcome): void {
    const [first, ...rest] = this.#finished;
    this.#finished = [{ ...first!, outcome, followUp: undefined }, ...rest];
  }

  /** The turn was answered. */
  settled(): void {
    for (const { run } of this.#settling) if (run) run.settled = true;
    this.#settling = [];
  }

  /** Nobody knows whether it was carried out: the next turn begins with the same. */
  settleAgain(): void {
    this.#finished = this.#settling.concat(this.#finished);
    this.#settling = [];
  }

  /** Runs by ticket, from the claim until the settlement was answered. */
  held(): Map<string, Run> {
    const ended = [...this.#settling, ...this.#finished].flatMap(({ run }) => run ?? []);
    const held = [...this.#running, ...ended].filter(({ settled }) => !settled);
    return new Map(held.map((run) => [run.job.ticket, run]));
  }
}
