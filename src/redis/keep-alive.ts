/**
 * Proxies close connections on which nothing was said for a while (HAProxy's `timeout client` and `timeout server`). To make a
 * connection anew costs several commands, and whoever waits on it hears nothing meanwhile. So when that has happened twice
 * after the same time, something is said before it is over.
 */
import { performance, setInterval, clearInterval } from '../job/globals.ts';

/** What is closed sooner wasn't idle; what is later costs nearly nothing. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 120_000;
/** How much two such times may differ, and which part of it is used. */
const ALIKE = 0.25;
const PART = 0.6;

export class KeepAlive {
  readonly #say: () => void;
  /** When something was said last; by Redis it is only said in reply. */
  #heardAt = performance.now();
  #lastIdleMs = 0;
  #everyMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(say: () => void) {
    this.#say = say;
  }

  heard(): void {
    this.#heardAt = performance.now();
  }

  /** A connection stands. */
  open(): void {
    this.heard();
    clearInterval(this.#timer);
    if (this.#everyMs === undefined || this.#over) return;
    const everyMs = this.#everyMs;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardAt >= everyMs / 2) this.#say();
    }, everyMs / 2).unref();
  }

  closed(): void {
    clearInterval(this.#timer);
    const idleMs = performance.now() - this.#heardAt;
    const counts = idleMs >= SHORTEST_MS && idleMs <= LONGEST_MS;
    const alike = Math.abs(idleMs - this.#lastIdleMs) <= idleMs * ALIKE;
    if (counts && alike) this.#everyMs = Math.min(this.#everyMs ?? Infinity, idleMs * PART);
    this.#lastIdleMs = counts ? idleMs : 0;
  }

  end(): void {
    this.#over = true;
    clearInterval(this.#timer);
  }
}
