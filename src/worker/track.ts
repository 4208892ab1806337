/**
 * A worker has two tracks for its turns, so that two may be under way: while Redis works at one, the jobs of the other run.
 * Each numbers its own turns and has its own key in Redis for what the last one claimed; what a turn has in hand is its
 * track's until it is answered.
 */
import type { Outcome } from '../job/job.ts';
import type { Settlement } from '../store/settlement.ts';
import type { Run } from './executor.ts';

/** Without a run where a job was settled that was not run. */
export type Finished = Settlement & { run: Run | undefined };

export class Track {
  readonly index: 0 | 1;
  /** Sent again under the same number, a turn has no second effect, and gives the same tickets. */
  turn = 1;
  /** A turn is under way. */
  busy = false;
  /** No other was, beside it. */
  alone = true;
  /** Its last turn ended in an error: it is to be sent again before any other. */
  failed = false;
  /** Its claim was sent and not answered: the jobs it may have taken are to be run, or given back. */
  unanswered = false;
  /** How many slots its claim will fill. */
  claiming = 0;
  settling: readonly Finished[] = [];

  constructor(index: 0 | 1) {
    this.index = index;
  }

  /** Whether Redis has to be asked again, or will answer. */
  get pending(): boolean {
    return this.busy || this.unanswered || this.settling.length > 0;
  }

  begin(other: Track): void {
    this.busy = true;
    this.alone = !other.busy;
    if (other.busy) other.alone = false;
  }

  answered(): void {
    for (const { run } of this.settling) if (run) run.settled = true;
    this.settling = [];
    this.claiming = 0;
    this.turn++;
    this.failed = this.unanswered = false;
  }

  /** @param maybeClaimed whether jobs may have been claimed all the same */
  fail(maybeClaimed: boolean): void {
    this.failed = true;
    this.unanswered ||= maybeClaimed;
    this.claiming = 0;
  }

  /** The first one can't be settled like this. */
  settleInstead(outcome: Outcome): void {
    const [first, ...rest] = this.settling;
    this.settling = [{ ...first!, outcome, followUp: undefined }, ...rest];
  }
}
