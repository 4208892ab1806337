/**
 * Tells Redis which runs have begun, of those that go on: from then on a crash charges them. Most jobs end before, and their
 * settlement tells.
 */
import { setTimeout, clearTimeout } from '../job/globals.ts';
import type { Store } from '../store/store.ts';
import type { Slots } from './slots.ts';

/** How soon Redis hears of a run. */
const TOLD_WITHIN_MS = 10;

export class Begun {
  readonly #store: Store;
  readonly #slots: Slots;
  readonly #leaseMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, slots: Slots, leaseMs: number) {
    this.#store = store;
    this.#slots = slots;
    this.#leaseMs = leaseMs;
  }

  /** A run begins. */
  soon(): void {
    this.#timer ??= setTimeout(this.#tell, TOLD_WITHIN_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #tell = (): void => {
    this.#timer = undefined;
    const begun = this.#slots.untold();
    if (begun.length === 0) return;
    for (const run of begun) run.told = true;
    const jobs = begun.map(({ job }) => job);
    this.#store.begun(jobs, this.#leaseMs).catch(() => {}); // the next heartbeat says it again
  };
}
