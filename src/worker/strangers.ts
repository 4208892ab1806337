/**
 * Jobs whose function the worker that claimed them doesn't know, though another may: a deploy is under way, or two apps
 * share a queue. Who met them tells the others on the control channel; who knows the function takes them out of `scheduled`
 * with its next claim. What was not heard is found by looking: at the start, and when the channel was away.
 */
import { JSON } from '../job/globals.ts';
import type { JobFunction } from '../job/define.ts';
import { nextTicket, parseTicket, readJson, type ClaimedJob } from '../job/job.ts';
import type { Store } from '../store/store.ts';
import { isKnownOn, readStrangers, type Stranger } from '../views/strangers.ts';

/** More are looked for once these are ours. */
const MOST_WANTED = 1_000;
/** What such a message begins with; a ticket that does is no JSON. */
const MARK = '[';

export class Strangers {
  readonly #store: Store;
  readonly #functions: ReadonlyMap<string, JobFunction>;
  /** Tickets of jobs that others could not run, and we can; by id, for a job that was put off once more has another. */
  readonly #wanted = new Map<string, string>();
  readonly #met: Stranger[] = [];
  /** There may be more than we took down. */
  #more = false;

  constructor(store: Store, functions: ReadonlyMap<string, JobFunction>) {
    this.#store = store;
    this.#functions = functions;
  }

  /** We can't run it: it is about to be put off. */
  meet({ ticket, record }: ClaimedJob): void {
    this.#met.push({ ticket: nextTicket(ticket), fn: record.fn });
  }

  get met(): number {
    return this.#met.length;
  }

  /** The first so many were put off. Who isn't heard is found when they come due. */
  tell(count: number): void {
    const met = this.#met.splice(0, count);
    if (met.length === 0) return;
    this.#store.tell(JSON.stringify(met)).catch(() => {}); // a message lost costs time, never a job
  }

  /** Whether a worker that is alive knows the function; yes, where that can't be found out now. */
  isKnown(fn: string): Promise<boolean> {
    return isKnownOn(this.#store, fn).catch(() => true);
  }

  /** @returns whether the message of the control channel was about jobs that we can run */
  heard(message: string): boolean {
    if (!message.startsWith(MARK)) return false;
    const strangers = readJson(message);
    return (
      Array.isArray(strangers) && this.#want(strangers.filter((one) => one !== null) as Stranger[])
    );
  }

  /** @returns whether there are jobs that others could not run, and we can */
  async look(): Promise<boolean> {
    return this.#want(await readStrangers(this.#store));
  }

  #want(strangers: readonly Stranger[]): boolean {
    for (const { ticket, fn } of strangers) {
      const mine = typeof ticket === 'string' && this.#functions.has(fn);
      if (mine && this.#wanted.size < MOST_WANTED) this.#wanted.set(parseTicket(ticket).id, ticket);
    }
    this.#more ||= this.#wanted.size === MOST_WANTED;
    return this.#wanted.size > 0;
  }

  /** Whether there are tickets to claim with the next turn. */
  get waiting(): boolean {
    return this.#wanted.size > 0;
  }

  next(most: number): string[] {
    return this.#wanted.size === 0 ? [] : [...this.#wanted.values()].slice(0, most);
  }

  /** The turn was answered: they are ours now, or somebody else's. @returns whether to look for more */
  asked(tickets: readonly string[]): boolean {
    for (const ticket of tickets) this.#wanted.delete(parseTicket(ticket).id);
    const more = this.#more && this.#wanted.size === 0;
    if (more) this.#more = false;
    return more;
  }
}
