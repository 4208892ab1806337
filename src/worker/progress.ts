/**
 * Carries progress values to Redis: of each job the latest, one call at a time, so that a chatty job costs
 * little; and at the end of a run its log. What can't be stored is no reason to disturb the job.
 */
import type { Logger } from '../job/log.ts';
import type { Store } from '../store/store.ts';

export class ProgressReporter {
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #latest = new Map<string, string>();
  #reporting = false;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  report(ticket: string, json: string): void {
    this.#latest.set(ticket, json);
    if (this.#reporting) return;
    this.#reporting = true;
    process.nextTick(() => void this.#send());
  }

  /** The job has ended: its last value, and its log, go out ahead of the settlement, after which they would be refused. */
  flush(ticket: string, log: string | undefined): void {
    if (log !== undefined) void this.#try('log', this.#store.keepLog(ticket, log));
    const json = this.#latest.get(ticket);
    if (json === undefined) return;
    this.#latest.delete(ticket);
    void this.#try('progress', this.#store.progress(ticket, json));
  }

  async #send(): Promise<void> {
    for (const [ticket, json] of this.#latest) {
      this.#latest.delete(ticket);
      await this.#try('progress', this.#store.progress(ticket, json));
    }
    this.#reporting = false;
  }

  async #try(what: string, storing: Promise<unknown>): Promise<void> {
    try {
      await storing;
    } catch (error) {
      this.#logger.debug(`${what} was not stored: ${(error as Error).message}`);
    }
  }
}
