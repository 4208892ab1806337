/**
 * Group commit: what comes in within the same tick, or while a round trip is in flight, goes out together; as much as one
 * call takes, beside it. Alone, an item goes out at once: there is no timer that waits for company. Every item has a
 * deadline of its own, counted from when it came in, wherever it is then.
 */
import { performance, setTimeout, clearTimeout } from '../job/globals.ts';
import type { Deadline } from '../job/duration.ts';
import { RedisUnavailableError } from '../job/errors.ts';

export interface BatchItem {
  /** Roughly the bytes it adds to the call. */
  readonly bytes: number;
  /** How many common ones take the script as long. Default 1. */
  readonly weight?: number;
  /** Called when the item was not, or maybe not, carried out. */
  fail(error: Error): void;
}

export interface BatchOptions<Item extends BatchItem> {
  /** Carries the items out by the deadline and tells each of them. What it throws fails all. */
  send: (items: Item[], deadline: Deadline) => Promise<void>;
  timeoutMs: number;
}

/** Lua's `unpack` and the 5 ms a script may take bound the count; memory on both sides the bytes. */
const MAX_ITEMS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Most round trips in flight: while Redis is busy with one, the next is made ready. */
const MAX_SENDING = 2;

export class Batch<Item extends BatchItem> {
  readonly #options: BatchOptions<Item>;
  #waiting: Item[] = [];
  /** When the time of each waiting item is up; `#first` is the index of the first one still waiting. */
  #deadlines: number[] = [];
  #first = 0;
  #sending = 0;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #onDrained: (() => void)[] = [];

  constructor(options: BatchOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#deadlines.push(performance.now() + this.#options.timeoutMs);
    if (this.#size > 1 && this.#size !== MAX_ITEMS) return;
    if (this.#sending > 0) this.#watchDeadline();
    // After all microtasks: callers that await in lockstep meet in one batch.
    if (this.#mayFlush) process.nextTick(() => this.#flush());
  }

  /** Resolves when everything added so far has been carried out or has failed. */
  async drained(): Promise<void> {
    if (this.#sending > 0 || this.#size > 0) {
      await new Promise<void>((resolve) => this.#onDrained.push(resolve));
    }
  }

  get #size(): number {
    return this.#waiting.length - this.#first;
  }

  get #mayFlush(): boolean {
    return this.#sending === 0 || (this.#sending < MAX_SENDING && this.#size >= MAX_ITEMS);
  }

  #flush(): void {
    if (!this.#mayFlush) return;
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    if (this.#size === 0) {
      for (const resolve of this.#onDrained.splice(0)) resolve();
      return;
    }
    const deadline = { at: this.#deadlines[this.#first]!, ms: this.#options.timeoutMs };
    const items = this.#take(this.#nextCount());
    this.#sending++;
    this.#watchDeadline();
    void this.#options
      .send(items, deadline)
      .catch((error: Error) => {
        for (const item of items) item.fail(error);
      })
      .finally(() => {
        this.#sending--;
        // Those who were told go on in microtasks and may add more: let them catch this one.
        process.nextTick(() => this.#flush());
      });
    this.#flush();
  }

  #nextCount(): number {
    let bytes = 0;
    let weight = 0;
    for (let count = 0; count < this.#size; count++) {
      const item = this.#waiting[this.#first + count]!;
      bytes += item.bytes;
      weight += item.weight ?? 1;
      if (count > 0 && (bytes > MAX_BYTES || weight > MAX_ITEMS)) return count;
    }
    return this.#size;
  }

  #take(count: number): Item[] {
    const taken = this.#waiting.slice(this.#first, this.#first + count);
    this.#first += count;
    if (this.#size === 0) {
      this.#waiting = [];
      this.#deadlines = [];
      this.#first = 0;
    }
    return taken;
  }

  /** Fails what waits behind a stuck round trip when its own time is up: it was surely not sent. */
  #watchDeadline(): void {
    if (this.#size === 0 || this.#deadlineTimer) return;
    const inMs = Math.max(1, this.#deadlines[this.#first]! - performance.now());
    this.#deadlineTimer = setTimeout(() => {
      this.#deadlineTimer = undefined;
      const now = performance.now();
      let late = 0;
      while (late < this.#size && this.#deadlines[this.#first + late]! <= now) late++;
      for (const item of this.#take(late)) {
        item.fail(
          new RedisUnavailableError(`Redis did not answer within ${this.#options.timeoutMs} ms`),
        );
      }
      this.#watchDeadline();
    }, inMs);
  }
}
