/**
 * Sleeping until there may be something to claim: blocks on the queue's wake token, on a connection of its own.
 *
 * What it takes from Redis means nothing by itself (the claim is a script of its own), so nothing can be lost
 * with it. It answers in every case, and whatever the answer, the caller claims: a token lost in a reset,
 * a connection that died silently, a worker that took the token and was killed cost a delay, never a job.
 */
import type { Connection } from '../redis/connection.ts';
import { setTimeout, clearTimeout } from '../job/globals.ts';
import { deadlineIn, LONGEST_TIMER_MS, pause } from '../job/duration.ts';

/** No sleep is longer. Bounds how late a lost token is noticed, and the idle worker's commands per second. */
const LONGEST_SLEEP_MS = 12_000;
/** Redis answers a block at its timeout; a connection silent for this much longer is given up. */
const WATCHDOG_MS = 2_000;
/** After an error, so that a server that refuses at once isn't asked in a tight loop. */
const PAUSE_AFTER_ERROR_MS = 250;

export class Idle {
  readonly #connection: Connection;
  readonly #wakeKey: string;
  readonly #sleepMs: number;
  #closed = false;
  #sleeping = false;
  #dueTimer: NodeJS.Timeout | undefined;

  /**
   * @param connection must not re-send: a block that outlives its caller would swallow a token
   * @param leaseMs to see every lease end in time, a worker looks at least once per lease
   */
  constructor(connection: Connection, wakeKey: string, leaseMs: number) {
    this.#connection = connection;
    this.#wakeKey = wakeKey;
    this.#sleepMs = Math.min(LONGEST_SLEEP_MS, leaseMs);
  }

  /**
   * Nothing to claim now: wakes for the token, and when something falls due (-1: nothing will). The timer is ours, for a
   * block's own timeout is served by Redis up to 100 ms late. A sleep under way goes on beside turns.
   */
  wait(nextIn: number, wake: () => void): void {
    this.stay();
    if (nextIn > 0) this.#dueTimer = setTimeout(wake, Math.min(nextIn, LONGEST_TIMER_MS));
    if (this.#sleeping) return;
    this.#sleeping = true;
    void this.#sleep().then(() => {
      this.#sleeping = false;
      wake();
    });
  }

  /** The next turn begins: what falls due later, it will say. */
  stay(): void {
    clearTimeout(this.#dueTimer);
  }

  /** Resolves at a wake-up, when it has slept long enough, or at an error; never rejects. */
  async #sleep(): Promise<void> {
    try {
      await this.#connection.call(
        (client) => client.blpop(this.#wakeKey, this.#sleepMs / 1_000),
        deadlineIn(this.#sleepMs + WATCHDOG_MS),
      );
    } catch {
      // Reported by the connection's error event. The caller claims, which waits for Redis.
      if (!this.#closed) await pause(PAUSE_AFTER_ERROR_MS);
    }
  }

  /** Ends the sleep. */
  close(): void {
    this.#closed = true;
    this.#connection.close();
  }
}
