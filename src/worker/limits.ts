/**
 * How much a turn may carry. A server closes the connection on a request or a reply that is too large for it
 * (`proto-max-bulk-len`, `client-output-buffer-limit`), and the script refuses what it can't read; sent again, the turn would
 * end like that for ever, and all jobs wait. So after a turn that ended so twice, while Redis answers to others, it is taken
 * apart: first it settles without claiming, then one job at a time; and claims get smaller. What ends so alone is to blame,
 * and fails by name.
 */
import { describeError } from '../job/codec.ts';
import { BadResultError, RedisCommandError } from '../job/errors.ts';
import type { Outcome } from '../job/job.ts';
import type { Logger } from '../job/log.ts';
import { CutOff } from '../redis/connection.ts';
import type { Settlement } from '../store/settlement.ts';
import type { Store } from '../store/store.ts';

/** Bytes of records in a reply. At 1 it is one job, at 0 one whose record stays where it is: it fails. */
const ROOMS = [4_194_304, 1_048_576, 262_144, 65_536, 16_384, 1, 0];
const FIRST_TO_FAIL = ROOMS.length - 1;
/** As many turns have to go well before claims get larger again. */
const GOOD_TURNS = 50;

export class Limits {
  readonly #store: Store;
  readonly #logger: Logger;
  #size = 0;
  #apart: 'no' | 'from claims' | 'one by one' = 'no';
  #cutOff = 0;
  #good = 0;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  get room(): number {
    return ROOMS[this.#size]!;
  }

  /** Most jobs a turn settles. */
  get settled(): number {
    return this.#apart === 'one by one' ? 1 : Infinity;
  }

  /** Whether a turn that settles something may claim. */
  get together(): boolean {
    return this.#apart === 'no';
  }

  /** @param left how many jobs are still to be settled */
  went(left: number): void {
    // To settle alone went well: it was the claim.
    if (this.#apart === 'from claims') this.#smaller();
    if (left === 0 || this.#apart === 'from claims') this.#apart = 'no';
    this.#cutOff = 0;
    if (this.#size === FIRST_TO_FAIL) this.#size -= 2;
    else if (this.#size > 0 && ++this.#good % GOOD_TURNS === 0) this.#size--;
  }

  /** @returns how the only job that was to be settled has to end instead: what became of it can't be stored */
  async failed(error: unknown, settlements: readonly Settlement[]): Promise<Outcome | undefined> {
    if (!(isCutOff(error) || isRefusal(error)) || ++this.#cutOff < 2 || !(await this.#answers()))
      return undefined;
    // Of jobs that only wait, none is known to be to blame for a refusal: they are claimed one by one at most.
    if (settlements.length === 0)
      this.#smaller(isRefusal(error) ? FIRST_TO_FAIL - 1 : FIRST_TO_FAIL);
    else if (this.#apart === 'no') this.#apart = 'from claims';
    else if (settlements.length > 1) this.#apart = 'one by one';
    else return this.#blame(settlements[0]!, error);
    return undefined;
  }

  #blame({ job: { ticket } }: Settlement, why: unknown): Outcome {
    const what = isRefusal(why)
      ? `it can't be settled: ${why.message}`
      : "it can't be stored: the server closes the connection on it (see its proto-max-bulk-len)";
    const error = describeError(new BadResultError(what));
    this.#logger.error(`job failed: ${error.message}`, { ticket });
    return { kind: 'failed', error };
  }

  #smaller(most = FIRST_TO_FAIL): void {
    this.#good = 0;
    this.#size = Math.min(this.#size + 1, most);
  }

  /** To somebody else; on the connection that was closed. */
  #answers(): Promise<boolean> {
    return this.#store.now().then(
      () => true,
      () => false,
    );
  }
}

/** A request that is too large is answered, too, before the connection is closed. */
const isCutOff = (error: unknown): boolean =>
  error instanceof CutOff ||
  (error instanceof RedisCommandError && /Protocol error/.test(error.message));

/**
 * The script can't go on with what it was given, or has found. Not for a key of another type: that is nobody's fault, and what
 * was done is told when it is mended.
 */
const isRefusal = (error: unknown): error is RedisCommandError =>
  error instanceof RedisCommandError && /\bminq: |\battempt to /.test(error.message);
