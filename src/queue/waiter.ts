/** Who waits for the outcome of a job, and what they are told. */
import { setMaxListeners } from 'node:events';
import { setTimeout, clearTimeout } from '../job/globals.ts';
import { reviveError } from '../job/codec.ts';
import { LONGEST_TIMER_MS } from '../job/duration.ts';
import { JobCancelledError, JobFailedError, ResultTimeoutError } from '../job/errors.ts';
import type { StoredOutcome } from '../job/job.ts';

/**
 * All who wait for a job. A `Map` whose entries come and go is copied from time to time, and the copies hold on to what was in
 * it until the next full garbage collection: so it holds these, which are empty by then.
 */
export interface Line {
  first: Waiter | undefined;
}

/** Waits once: what comes after the end is not heard. No closures: there may be thousands at a time. */
export class Waiter {
  readonly id: string;
  /** @throws {ResultTimeoutError}, the signal's reason, and what `reject` is given */
  readonly outcome: Promise<StoredOutcome>;
  ended = false;
  /** Why it ended without an outcome. */
  reason: unknown;
  /** Its job is being enqueued by a call that isn't answered yet: who looks for the job may not find it. */
  coming = false;
  /** Who waits for the same job and came before. */
  next: Waiter | undefined;
  #among: Map<string, Line> | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timeoutMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (outcome: StoredOutcome) => void;
  #reject!: (reason: unknown) => void;

  constructor(id: string, { timeout, signal }: { timeout?: number; signal?: AbortSignal }) {
    this.id = id;
    this.#signal = signal;
    this.#timeoutMs = timeout;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => this.#giveUp(), Math.min(timeout, LONGEST_TIMER_MS));
    }
    // Thousands may share a signal, and each leaves it when its wait ends: not the leak Node would warn of.
    if (signal) {
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#onAbort);
    }
  }

  join(among: Map<string, Line>): void {
    let line = among.get(this.id);
    if (!line) among.set(this.id, (line = { first: undefined }));
    this.#among = among;
    this.next = line.first;
    line.first = this;
  }

  resolve(outcome: StoredOutcome): void {
    if (this.#end()) this.#resolve(outcome);
  }

  reject(reason: unknown): void {
    if (!this.#end()) return;
    this.reason = reason;
    this.#reject(reason);
  }

  #giveUp(): void {
    this.reject(new ResultTimeoutError(this.id, this.#timeoutMs!));
  }

  readonly #onAbort = (): void => this.reject(this.#signal!.reason);

  #end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#leave();
    return true;
  }

  #leave(): void {
    const line = this.#among?.get(this.id);
    if (!line) return;
    if (line.first === this) line.first = this.next;
    for (let each = line.first; each; each = each.next)
      if (each.next === this) each.next = this.next;
    if (!line.first) this.#among!.delete(this.id);
  }
}

/**
 * What the job returned.
 * @param nameOf gives the name of its function, where it failed
 * @throws {JobFailedError | JobCancelledError}
 */
export async function resultOf(
  id: string,
  outcome: StoredOutcome,
  nameOf: () => Promise<string | undefined>,
): Promise<unknown> {
  switch (outcome.state) {
    case 'completed':
      return outcome.result;
    case 'failed':
      throw new JobFailedError(
        id,
        (await nameOf().catch(() => undefined)) ?? 'unknown function',
        reviveError(outcome.error ?? { name: 'Error', message: 'no error was recorded' }),
        outcome.step,
      );
    case 'cancelled':
      throw new JobCancelledError(id, outcome.reason ?? 'cancelled');
  }
}
