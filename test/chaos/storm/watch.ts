/** Holds the invariants against the queue again and again while faults happen, on a way of its own to Redis. */
import type { Redis } from 'ioredis';
import { violations } from '../../helpers/invariants.ts';

const EVERY_MS = 250;
/** One that lasts would be found a thousand times. */
const MOST_KEPT = 50;

export class Watch {
  /** What was wrong, and when it was first seen. */
  readonly found = new Map<string, string>();
  checks = 0;
  readonly #client: Redis;
  readonly #queue: string;
  readonly #far: string;
  #over = false;
  #running: Promise<void> | undefined;

  constructor(client: Redis, queue: string, far: string) {
    this.#client = client;
    this.#queue = queue;
    this.#far = far;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when it looks no more. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async look(): Promise<void> {
    const wrong = await violations(this.#client, this.#queue, 'minq', [this.#far]).catch(
      (error: Error) => [`it can not be read: ${error.message}`],
    );
    this.checks++;
    for (const line of wrong) {
      if (this.found.size < MOST_KEPT && !this.found.has(line)) {
        this.found.set(line, `at ${new Date().toISOString()}: ${line}`);
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
