/** All that is known of a storm when it is over, and the evidence of it by job. */
import type { Stats } from '../../../src/index.ts';
import type { Books } from './books.ts';
import type { Line } from './evidence.ts';
import { plannedAs, type Planned } from './plan.ts';

/** The scripts keep them, each in the same step as what it counts. */
export type Counters = Pick<Stats, 'enqueued' | 'completed' | 'failed' | 'cancelled' | 'refused'>;

export interface History {
  readonly seed: number;
  /** What the producer saw. */
  readonly calls: readonly Line[];
  /** What the workers saw. */
  readonly runs: readonly Line[];
  /** What Redis has recorded. Left out where results are kept too shortly to be read in the end. */
  readonly books?: Books | undefined;
  readonly counters: Counters;
  /** Invariants that did not hold at some moment, processes that ended unasked, and the like. */
  readonly seen: readonly string[];
}

/** One run, from its first line to its last. */
export interface RunSeen {
  readonly key: string;
  readonly id: string;
  readonly attempt: number;
  readonly at: number;
  readonly name: string;
  how?: 'end' | 'fail';
  /** As JSON. */
  result?: string;
}

export class Case {
  readonly key: string;
  readonly plan: Planned | undefined;
  readonly attempts: Line[] = [];
  readonly accepts: Line[] = [];
  cancelAsked = false;
  /** What somebody who waited for the result was given, as JSON. */
  heard: string | undefined;

  constructor(seed: number, key: string) {
    this.key = key;
    this.plan = plannedAs(seed, key);
  }
}

export function casesOf({ seed, calls }: History): Map<string, Case> {
  const cases = new Map<string, Case>();
  for (const line of calls) {
    if (!plannedAs(seed, line.key)) continue;
    let one = cases.get(line.key);
    if (!one) cases.set(line.key, (one = new Case(seed, line.key)));
    if (line.what === 'attempt') one.attempts.push(line);
    else if (line.what === 'accept') one.accepts.push(line);
    else if (line.what === 'cancel') one.cancelAsked = true;
    else if (line.what === 'result') one.heard = line.more;
  }
  return cases;
}

/** By key: of a step of a flow `<key>/<place>`. In the order in which they started. */
export function runsOf({ runs: lines }: History): Map<string, RunSeen[]> {
  const byName = new Map<string, RunSeen>();
  const byKey = new Map<string, RunSeen[]>();
  for (const { what, key, id, attempt, at, more } of lines) {
    if (what === 'start') {
      const run: RunSeen = { key, id, attempt, at, name: more };
      byName.set(more, run);
      const others = byKey.get(key);
      if (others) others.push(run);
      else byKey.set(key, [run]);
    } else if (what === 'end' || what === 'fail') {
      const [name, result] = more.split(' ', 2);
      const run = byName.get(name!);
      if (!run) continue;
      run.how = what;
      if (result !== undefined) run.result = result;
    }
  }
  return byKey;
}
