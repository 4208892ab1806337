/**
 * Carries what flows, and failures, have to tell other queues. Two queues may live on different nodes of a cluster, so no script
 * reaches both: a message stays in the outbox until it was delivered, and who gets it twice does it once.
 */
import { setTimeout, clearTimeout } from '../job/globals.ts';
import type { Store } from '../store/store.ts';

const RETRY_MS = 1_000;

export class Courier {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  #carrying: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** There are messages: these, and maybe more. */
  carry(messages: readonly string[]): void {
    if (this.#stopped || this.#timer) return;
    this.#carrying ??= this.#deliver(messages)
      .catch((error: unknown) => {
        this.#onError(error);
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.carry(messages);
        }, RETRY_MS);
      })
      .finally(() => (this.#carrying = undefined));
  }

  /** What is left another worker carries, or the next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#carrying;
  }

  async #deliver(messages: readonly string[]): Promise<void> {
    for (let post = messages; post.length > 0 && !this.#stopped;) {
      for (const message of post) {
        const [, kind, queue, node, payload] = /^(\w+) ([^|]+)\|(\S+) (.*)$/s.exec(message) ?? [];
        if (queue === undefined) continue;
        const other = this.#store.on(queue);
        if (kind === 'enqueue') await other.announce();
        const answer = await other.flows.deliver(kind!, node!, payload!);
        if (kind === 'ask' && answer !== 'waiting')
          await this.#store.flows.deliver(answer, node!, payload!);
      }
      post = await this.#store.flows.delivered(post);
    }
  }
}
