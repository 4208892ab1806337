/** The queues that are shown, each opened when it is first asked for. */
import { Queue } from '../queue/queue.ts';
import { Refusal } from './answer.ts';
import type { Settings } from './settings.ts';

/** Most of them that are looked at for one page, and so most connections to Redis. */
const MOST_QUEUES = 100;

export class Queues {
  readonly #settings: Settings;
  readonly #open = new Map<string, Queue>();

  /** @throws {InvalidArgumentError} now, not at the first request, for what can't lead to a Redis */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#queue(this.#first);
  }

  get #first(): string {
    return this.#settings.queues?.[0] ?? 'default';
  }

  /** Of the queues that are shown, at most 100. */
  async all(): Promise<Queue[]> {
    const names = this.#settings.queues ?? [
      ...new Set([this.#first, ...(await this.#queue(this.#first).queues())]),
    ];
    return names.slice(0, MOST_QUEUES).map((name) => this.#queue(name));
  }

  /**
   * Only those that are shown are opened, or a stranger could have connections made without end.
   * @throws {Refusal} for any other
   */
  async get(name: string | undefined): Promise<Queue> {
    const open = this.#open.get(name ?? '');
    const queue = open ?? (await this.all()).find((one) => one.name === name);
    if (!queue) throw new Refusal(404, `there is no queue ${JSON.stringify(name?.slice(0, 64))}`);
    return queue;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((queue) => queue.close()));
  }

  #queue(name: string): Queue {
    let queue = this.#open.get(name);
    if (!queue) {
      const { redis, prefix } = this.#settings;
      queue = new Queue(name, {
        ...(redis !== undefined && { redis }),
        ...(prefix !== undefined && { prefix }),
      });
      this.#open.set(name, queue);
    }
    return queue;
  }
}
