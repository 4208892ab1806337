/**
 * Counts how the runs of each function ended, how long they waited and took, for Redis to add up: of all workers,
 * since the queue exists. Sent with the heartbeats: what is counted here costs a turn nothing, and at most the last
 * five seconds of a killed worker's counts are lost. (How many jobs ended how is counted by the turn itself.)
 */
import { BLOCKED_MS, BLOCKED_TIMES, BOUNDS_MS, bucketOf } from '../store/buckets.ts';
import type { Outcome } from '../job/job.ts';
import type { Counted } from '../store/settlement.ts';

/** Counters sent at a time: bounds the script. The others come with the next heartbeat. */
const MOST_SENT = 500;

const ENDED: Partial<Record<Outcome['kind'], string>> = {
  completed: 'completed',
  failed: 'failed',
  retry: 'retried',
};

/** Names of the fields of one function, made once. */
interface Fields {
  readonly ended: Partial<Record<Outcome['kind'], string>>;
  readonly run: readonly string[];
  readonly runUs: string;
  readonly wait: readonly string[];
  readonly waitUs: string;
}

export class Timings {
  readonly #fields = new Map<string, Fields>();
  /** Not yet sent, and sent at least once. */
  readonly #counts = new Map<string, number>();
  readonly #sent = new Map<string, number>();
  #batch: Counted | undefined;
  #number = 0;

  /**
   * @param ranMs undefined where it was not run, e.g. its worker was lost too often
   * @param waitMs from when it was due to its start; undefined of a run that is not the first
   */
  count(fn: string, kind: Outcome['kind'], ranMs?: number, waitMs?: number): void {
    const fields = this.#fieldsOf(fn);
    const ended = fields.ended[kind];
    if (ended === undefined) return; // cancelled or given back: says nothing of the function
    this.#add(ended, 1);
    if (ranMs === undefined) return;
    this.#add(fields.run[bucketOf(ranMs)]!, 1);
    this.#add(fields.runUs, Math.round(ranMs * 1_000));
    if (waitMs === undefined) return;
    this.#add(fields.wait[bucketOf(waitMs)]!, 1);
    this.#add(fields.waitUs, Math.round(waitMs * 1_000));
  }

  /** The event loop was blocked. */
  blocked(ms: number): void {
    this.#add(BLOCKED_TIMES, 1);
    this.#add(BLOCKED_MS, Math.round(ms));
  }

  get empty(): boolean {
    return this.#counts.size === 0 && !this.#batch?.pairs.length;
  }

  /** What is to be sent next: until it was answered, the same again. What is counted meanwhile comes after it. */
  take(): Counted {
    return (this.#batch ??= { number: ++this.#number, pairs: this.#takeOut() });
  }

  /** Redis has counted it. */
  sent({ number }: Counted): void {
    if (this.#batch?.number === number) this.#batch = undefined;
  }

  #takeOut(): string[] {
    const pairs: string[] = [];
    for (const [field, count] of this.#counts) {
      if (pairs.length === MOST_SENT * 2) break;
      pairs.push(field, String(count));
      this.#counts.delete(field);
      this.#sent.set(field, (this.#sent.get(field) ?? 0) + count);
    }
    return pairs;
  }

  /** All that was counted by this worker, whether sent or not. */
  totals(): Map<string, number> {
    const totals = new Map(this.#sent);
    for (const [field, count] of this.#counts) totals.set(field, (totals.get(field) ?? 0) + count);
    return totals;
  }

  #add(field: string, count: number): void {
    this.#counts.set(field, (this.#counts.get(field) ?? 0) + count);
  }

  #fieldsOf(fn: string): Fields {
    let fields = this.#fields.get(fn);
    if (!fields) {
      const buckets = (what: string) =>
        Array.from({ length: BOUNDS_MS.length + 1 }, (_, i) => `${fn} ${what} ${i}`);
      fields = {
        ended: Object.fromEntries(
          Object.entries(ENDED).map(([kind, word]) => [kind, `${fn} ended ${word}`]),
        ),
        run: buckets('run'),
        runUs: `${fn} run us`,
        wait: buckets('wait'),
        waitUs: `${fn} wait us`,
      };
      this.#fields.set(fn, fields);
    }
    return fields;
  }
}
