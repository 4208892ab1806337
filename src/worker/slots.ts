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
import { takeOut } from '../store/settlement.ts';
import type { Claim } from '../store/turn.ts';
import type { Run } from './executor.ts';
import { Track, type Finished } from './track.ts';

/** Most slots that one turn claims for: the script is to take less than 5 ms. */
const MOST_CLAIMED = 250;
/** So many jobs a turn must have room for where there are to be two. */
const LEAST_HALVED = 50;
/** Most jobs claimed ahead: by then the round trip is a small part of what a job costs. */
const MOST_AHEAD = 50;
const SHORT_MS = 1;
const WITHIN_MS = 2;
/** Turns in which nothing is claimed ahead after a job that could not be begun. */
const PAUSE = 50;

/** Iterating gives the runs whose function has not returned, as they are at that moment. */
export class Slots implements Iterable<Run> {
  /** Jobs that run at once. May change at any time: what runs beyond it ends first. */
  concurrency: number;
  /** Leases that were found lost: another worker may have run the job as well. */
  leasesLost = 0;
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
  readonly tracks: readonly [Track, Track] = [new Track(0), new Track(1)];

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  get busy(): number {
    return this.#running.length;
  }

  /** Those that claims under way will fill are taken. */
  get free(): number {
    const [one, other] = this.tracks;
    const claiming = one.claiming + other.claiming;
    return Math.max(0, this.concurrency - this.#running.length - claiming);
  }

  [Symbol.iterator](): IterableIterator<Run> {
    return this.#running.slice().values();
  }

  /** Runs under way of which Redis doesn't know that they have begun. */
  untold(): Run[] {
    return this.#running.filter((run) => !run.told && !run.decided);
  }

  /** Whether each of them waits for another job. */
  allWait(): boolean {
    return this.busy >= this.concurrency && this.#running.every((run) => run.waiting);
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

  /** The answer to a claim has arrived; these are the ones that have no slot. They stand behind those of the claim before. */
  fillAhead(claims: readonly Claim[]): void {
    if (this.waiting > 0) {
      this.#ahead = this.#ahead.slice(this.#begun).concat(claims);
    } else {
      this.#ahead = claims;
      this.#arrivedAt = performance.now();
    }
    this.#begun = 0;
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

  // ---- Turns -----------------------------------------------------------------------------------

  /**
   * The track for the next turn. Beside one under way there is another only where all goes well and it carries half of what
   * the worker can: else what comes meanwhile is for the next one, together.
   * @param more whether there is enough to claim for two
   */
  nextTrack(more: boolean): Track | undefined {
    const [one, two] = this.tracks;
    if (!one.busy && !two.busy) return two.failed && !one.failed ? two : one;
    if ((one.busy && two.busy) || one.failed || two.failed) return undefined;
    const worth = this.finished >= this.#half || (more && this.free >= this.#half);
    return worth ? (one.busy ? two : one) : undefined;
  }

  /** How many slots the next turn claims for: where there are more jobs than that, it leaves half of the slots to another. */
  claimable(more: boolean): number {
    return Math.min(this.free, more ? this.#half : MOST_CLAIMED, MOST_CLAIMED);
  }

  /** One slot can't be halved, and where turns would be small, Redis would do more for each job than two at a time spare. */
  get #half(): number {
    const half = Math.min(Math.ceil(this.concurrency / 2), MOST_CLAIMED);
    return this.concurrency > 1 && half + this.#size >= LEAST_HALVED ? half : Infinity;
  }

  // ---- Ended, and to be settled ----------------------------------------------------------------

  finish(finished: Finished): void {
    this.#finished.push(finished);
  }

  /** How many wait for a turn to settle them. */
  get finished(): number {
    return this.#finished.length;
  }

  /**
   * As many as one turn settles, the first ones first; half of them, where another will follow at once. A turn that is sent
   * again begins with what it had: nobody knows whether that was carried out.
   */
  beginSettling(track: Track, most: number, more: boolean): readonly Finished[] {
    const again = track.settling;
    this.#finished = again.concat(this.#finished);
    const many = this.finished;
    const halve = more && track.alone && many >= this.#half;
    const enough = halve ? Math.max(again.length, Math.ceil(many / 2)) : Infinity;
    return (track.settling = takeOut(this.#finished, Math.min(most, enough)));
  }

  /** Runs by ticket, from the claim until the settlement was answered. */
  held(): Map<string, Run> {
    const settling = this.tracks.flatMap((track) => track.settling);
    const ended = [...settling, ...this.#finished].flatMap(({ run }) => run ?? []);
    const held = [...this.#running, ...ended].filter(({ settled }) => !settled);
    return new Map(held.map((run) => [run.job.ticket, run]));
  }
}
