/**
 * Waiting for results: one subscriber connection, any number of waiters.
 *
 * Pushed, not polled; but a push can be lost (a reset, a server that went away), so waiting is level-triggered:
 * after every reconnect, and every few seconds while somebody waits, the subscription is renewed and all that
 * is awaited is looked up again. Renewing is a call with a deadline, so that a connection that died silently
 * is noticed and made anew.
 */
import { setInterval, clearInterval } from '../job/globals.ts';
import { Batch, type BatchItem } from './batch.ts';
import { runs } from '../job/context.ts';
import type { Connection } from '../redis/connection.ts';
import type { Deadline } from '../job/duration.ts';
import { ResultNotFoundError } from '../job/errors.ts';
import { parseOutcome, type StoredOutcome } from '../job/job.ts';
import type { Store } from '../store/store.ts';
import type { Line, Waiter } from './waiter.ts';

const LOOK_AGAIN_MS = 5_000;

/** What is awaited of one queue. */
interface Awaited {
  store: Store;
  channel: string;
  waiters: Map<string, Line>;
  lookups: Batch<Lookup>;
  subscribed: Promise<void>;
  /** The first time it was. (After a break all that is awaited is looked up.) */
  listens: boolean;
}

interface Lookup extends BatchItem {
  id: string;
}

export class Results {
  readonly #open: () => Connection;
  readonly #client: string;
  readonly #callTimeoutMs: number;
  readonly #queues = new Map<string, Awaited>();
  #subscriber: Connection | undefined;
  #renewal: NodeJS.Timeout | undefined;

  /** @param open makes the subscriber connection when the first result is awaited */
  constructor(open: () => Connection, client: string, callTimeoutMs: number) {
    this.#open = open;
    this.#client = client;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** Where this client is told of outcomes. */
  channel(store: Store): string {
    return store.keys.results(this.#client);
  }

  /** The waiter hears of the outcome of its job. */
  wait(store: Store, waiter: Waiter): void {
    const awaited = this.#join(store, waiter);
    const fail = (error: Error) => waiter.reject(error);
    // Subscribe, then look: in the other order an outcome could slip through between the two.
    awaited.subscribed.then(() => look(awaited, [waiter.id], fail), fail);
  }

  /**
   * The same for a job that is yet to be enqueued, by a call that has `channel` told of its end.
   * @returns when that call may be sent, undefined for now; its answer is given to `enqueued`
   */
  expect(store: Store, waiter: Waiter): Promise<void> | undefined {
    waiter.coming = true;
    const awaited = this.#join(store, waiter);
    return awaited.listens ? undefined : awaited.subscribed;
  }

  /** @param outcome as `Store.watch` gives it */
  enqueued(store: Store, waiter: Waiter, outcome: string | null): void {
    const awaited = this.#queues.get(store.queue);
    waiter.coming = false;
    if (awaited && outcome !== '') tell(awaited, waiter.id, outcome);
  }

  #join(store: Store, waiter: Waiter): Awaited {
    const awaited = this.#awaited(store);
    waiter.join(awaited.waiters);
    runs.getStore()?.waitsFor(store.queue, waiter.outcome);
    return awaited;
  }

  #awaited(store: Store): Awaited {
    let awaited = this.#queues.get(store.queue);
    if (!awaited) {
      const waiters: Awaited['waiters'] = new Map();
      awaited = {
        store,
        channel: this.channel(store),
        waiters,
        lookups: new Batch({
          timeoutMs: this.#callTimeoutMs,
          send: (items, deadline) => lookUp(awaited!, items, deadline),
        }),
        subscribed: Promise.resolve(),
        listens: false,
      };
      this.#queues.set(store.queue, awaited);
      this.#subscribe(awaited);
    }
    return awaited;
  }

  #subscribe(awaited: Awaited): void {
    awaited.subscribed = this.#connect().subscribe(awaited.channel);
    awaited.subscribed.then(
      () => (awaited.listens = true),
      // Those who wait have been told; the next wait tries anew.
      () => this.#queues.delete(awaited.store.queue),
    );
  }

  #connect(): Connection {
    if (this.#subscriber) return this.#subscriber;
    const subscriber = (this.#subscriber = this.#open());
    // After a break also for those who will wait later; now and then, in case the subscription was lost all the same.
    subscriber.listen(
      (message, channel) => this.#hear(channel, message),
      () => {
        for (const awaited of this.#queues.values()) this.#renew(subscriber, awaited);
      },
    );
    this.#renewal = setInterval(() => {
      for (const awaited of this.#queues.values()) {
        if (awaited.waiters.size > 0) this.#renew(subscriber, awaited);
      }
    }, LOOK_AGAIN_MS);
    return subscriber;
  }

  #renew(subscriber: Connection, awaited: Awaited): void {
    subscriber
      .subscribe(awaited.channel)
      .catch(() => {}) // the next `ready` comes back here
      .finally(() => lookAgain(awaited));
  }

  #hear(channel: string, message: string): void {
    for (const awaited of this.#queues.values()) {
      if (awaited.channel !== channel) continue;
      for (const line of message.split('\n')) {
        const space = line.indexOf(' ');
        tell(awaited, line.slice(0, space), line.slice(space + 1) || null);
      }
    }
  }

  close(error: Error): void {
    clearInterval(this.#renewal);
    this.#subscriber?.close();
    for (const { waiters } of this.#queues.values()) {
      for (const line of waiters.values()) while (line.first) line.first.reject(error);
    }
  }
}

function tell({ waiters }: Awaited, id: string, text: string | null): void {
  const line = waiters.get(id);
  if (!line) return;
  let outcome: StoredOutcome | undefined;
  let error: unknown;
  try {
    if (text === null) error = new ResultNotFoundError(id);
    else outcome = parseOutcome(text);
  } catch (unreadable) {
    error = unreadable;
  }
  for (let waiter = line.first; waiter;) {
    const { next } = waiter;
    if (outcome) waiter.resolve(outcome);
    else if (!waiter.coming) waiter.reject(error);
    waiter = next;
  }
}

function look(awaited: Awaited, ids: Iterable<string>, fail: (error: Error) => void): void {
  for (const id of ids) awaited.lookups.add({ id, bytes: id.length, fail });
}

/** A look that fails is made up for by the next one: those who wait go on waiting. */
const lookAgain = (awaited: Awaited): void => {
  look(awaited, awaited.waiters.keys(), () => {});
};

async function lookUp(awaited: Awaited, items: Lookup[], deadline: Deadline): Promise<void> {
  const ids = items.map((item) => item.id);
  const replies = await awaited.store.watch(ids, awaited.channel, deadline);
  for (const [i, reply] of replies.entries()) if (reply !== '') tell(awaited, ids[i]!, reply);
}
