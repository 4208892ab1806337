/**
 * Kinds of failures, looked up now and then for all viewers together. The pages know a kind by a key: its text may hold what `redact`
 * takes out.
 */
import { createHash } from 'node:crypto';
import { performance } from '../job/globals.ts';
import { ofEach } from '../views/each.ts';
import type { FailureGroup, Failures } from '../views/failures.ts';
import { Refusal } from './answer.ts';
import type { Shown } from './queues.ts';

/** Less than the pages wait before they ask again. */
const KEPT_MS = 8_000;
const MOST_KEPT = 200;

export const keyOf = ({ fn = '', kind }: Pick<FailureGroup, 'fn' | 'kind'>): string =>
  createHash('sha256').update(`${fn} ${kind}`).digest('base64url').slice(0, 16);

export class Kinds {
  readonly #read = new Map<string, { at: number; failures: Promise<Failures> }>();

  async all(queues: readonly Shown[]): Promise<Failures[]> {
    return ofEach(queues, (queue) => this.#of(queue));
  }

  /** @throws {Refusal} where nothing fails like this any more, or nobody knows whose failures they are */
  async find(queue: Shown, key: string): Promise<{ fn: string; kind: string }> {
    const { groups } = await this.#of(queue);
    const group = groups.find((each) => keyOf(each) === key);
    if (!group) throw new Refusal(404, 'nothing fails like this any more');
    // Without its function it would stand for those of all functions.
    if (group.fn === undefined) {
      throw new Refusal(409, 'their records are unreadable: look at them one by one');
    }
    return { fn: group.fn, kind: group.kind };
  }

  /** Something was done about them. */
  forget(): void {
    this.#read.clear();
  }

  #of(queue: Shown): Promise<Failures> {
    const before = this.#read.get(queue.name);
    const at = performance.now();
    if (before && at - before.at < KEPT_MS) return before.failures;
    const failures = queue.failures();
    failures.catch(() => this.#read.delete(queue.name));
    this.#read.delete(queue.name);
    this.#read.set(queue.name, { at, failures });
    if (this.#read.size > MOST_KEPT) this.#read.delete(this.#read.keys().next().value!);
    return failures;
  }
}
