/**
 * Runs under way, in no order. Not a `Set`: V8 chains the tables of one that grows and shrinks with every turn, and so
 * keeps the jobs of the last seconds alive until the next full garbage collection. That cost a fifth of a worker's time.
 */
import type { Run } from './executor.ts';

export class RunList {
  readonly #runs: Run[] = [];

  get size(): number {
    return this.#runs.length;
  }

  add(run: Run): void {
    run.place = this.#runs.push(run) - 1;
  }

  /** The last one takes its place. */
  delete(run: Run): void {
    const last = this.#runs.pop()!;
    if (last === run) return;
    this.#runs[run.place] = last;
    last.place = run.place;
  }

  /** Those that are there now, whatever happens to them meanwhile. */
  [Symbol.iterator](): IterableIterator<Run> {
    return this.#runs.slice().values();
  }
}
