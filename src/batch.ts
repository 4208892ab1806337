/**
 * Group commit: what comes in within the same tick, or while a round trip is in flight, goes out together.
 * Alone, an item goes out at once: there is no timer that waits for company. Every item has a deadline of
 * its own, counted from when it came in, wherever it is then.
 */
import { RedisUnavailableError } from './errors.ts';

export interface BatchItem {
  /** Roughly the bytes it adds to the call. */
  readonly bytes: number;
  /** Called when the item was not, or maybe not, carried out. */
  fail(error: Error): void;
}

export interface BatchOptions<Item extends BatchItem> {
  /** Carries the items out and tells each of them. What it throws fails all. */
  send: (items: Item[], timeoutMs: number) => Promise<void>;
  timeoutMs: number;
}

/** Lua's `unpack` and the 5 ms a script may take bound the count; memory on both sides the bytes. */
const MAX_ITEMS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

interface Waiting<Item> {
  item: Item;
  deadline: number;
}

export class Batch<Item extends BatchItem> {
  readonly #options: BatchOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #sending = false;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(options: BatchOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    this.#waiting.push({ item, deadline: performance.now() + this.#options.timeoutMs });
    if (this.#waiting.length > 1) return;
    if (this.#sending) this.#watchDeadline();
    // After all microtasks: callers that await in lockstep meet in one batch.
    else process.nextTick(() => this.#flush());
  }

  /** Resolves when everything added so far has been carried out or has failed. */
  async drained(): Promise<void> {
    if (this.#sending || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #flush(): void {
    if (this.#sending) return;
    if (this.#waiting.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    const { items, timeoutMs } = this.#next();
    this.#sending = true;
    if (this.#waiting.length > 0) this.#watchDeadline();
    void this.#options
      .send(items, timeoutMs)
      .catch((error: Error) => {
        for (const item of items) item.fail(error);
      })
      .finally(() => {
        this.#sending = false;
        // Those who were told go on in microtasks and may add more: let them catch this one.
        process.nextTick(() => this.#flush());
      });
  }

  #next(): { items: Item[]; timeoutMs: number } {
    let count = 0;
    let bytes = 0;
    for (const { item } of this.#waiting) {
      bytes += item.bytes;
      if (count > 0 && (count === MAX_ITEMS || bytes > MAX_BYTES)) break;
      count++;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    return {
      items: taken.map((waiting) => waiting.item),
      timeoutMs: Math.max(1, taken[0]!.deadline - performance.now()),
    };
  }

  /** Fails what waits behind a stuck round trip when its own time is up: it was surely not sent. */
  #watchDeadline(): void {
    const first = this.#waiting[0];
    if (!first || this.#deadlineTimer) return;
    this.#deadlineTimer = setTimeout(
      () => {
        this.#deadlineTimer = undefined;
        const now = performance.now();
        const late = this.#waiting.findIndex(({ deadline }) => deadline > now);
        for (const { item } of this.#waiting.splice(0, late === -1 ? this.#waiting.length : late)) {
          item.fail(
            new RedisUnavailableError(`Redis did not answer within ${this.#options.timeoutMs} ms`),
          );
        }
        this.#watchDeadline();
      },
      Math.max(1, first.deadline - performance.now()),
    );
  }
}
