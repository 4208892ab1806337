/**
 * What the producer of a storm asks for: the n-th job follows from the seed and n alone, so that whoever judges the
 * storm knows what was planned without being told.
 */
import { chain, chord, group, step, type Flow } from '../../../src/index.ts';
import { randomOf } from './random.ts';

/** How many of a hundred are of this kind. */
const SHARES = {
  /** No id of the user's: the fast way in. */
  plain: 32,
  /** Has no attempt to spare: fails if its worker dies while it runs, and only then. */
  once: 6,
  /** With an id. */
  named: 8,
  /** With an id, and its result is waited for. */
  awaited: 6,
  /** Enqueued twice at once, under one id: one job. */
  twice: 6,
  delayed: 10,
  /** Fails a few times first. */
  flaky: 10,
  /** Fails for good; another job is enqueued with its failure. */
  doomed: 2,
  /** Somebody changes their mind. */
  cancelled: 6,
  chain: 5,
  group: 4,
  /** Its members are chains of two. */
  chord: 5,
};
export type Kind = keyof typeof SHARES;

const KINDS = Object.entries(SHARES).flatMap(([kind, share]) =>
  Array.from({ length: share }, () => kind as Kind),
);

export interface Planned {
  /** `<kind>-<n>`: stands in its arguments, and so in the evidence. */
  readonly key: string;
  readonly kind: Kind;
  /** How long each run takes. */
  readonly ms: number;
  readonly priority: 'high' | 'normal' | 'low';
  readonly delayMs: number;
  readonly failures: number;
  readonly cancelAfterMs: number;
  /** What the first steps of a flow give. */
  readonly values: readonly number[];
}

export function planned(seed: number, n: number): Planned {
  const random = randomOf(seed, `job ${n}`);
  const kind = random.pick(KINDS);
  return {
    key: `${kind}-${n}`,
    kind,
    // One in twenty is long: faults are to find something that runs.
    ms: random.below(20) === 0 ? random.between(300, 1_500) : random.between(2, 50),
    priority: random.pick(['high', 'normal', 'normal', 'normal', 'low']),
    delayMs: kind === 'delayed' || kind === 'cancelled' ? random.between(50, 3_000) : 0,
    failures: kind === 'flaky' ? random.between(1, 3) : 0,
    cancelAfterMs: random.between(0, 2_000),
    values: Array.from({ length: random.between(2, 6) }, () => random.below(1_000)),
  };
}

/** @returns undefined for a key that no plan has */
export function plannedAs(seed: number, key: string): Planned | undefined {
  const n = Number(/^[a-z]+-(\d+)$/.exec(key)?.[1]);
  const found = Number.isSafeInteger(n) ? planned(seed, n) : undefined;
  return found?.key === key ? found : undefined;
}

const FLOWS: readonly Kind[] = ['chain', 'group', 'chord'];
export const isFlowKind = (kind: Kind): boolean => FLOWS.includes(kind);

/** Faults use up attempts; no limit of them is to be in the way (of all but `once`). */
export const RETRIES = 50;

/** @param far the queue of every second step of a chain, and of what follows in a chord */
export function flowOf({ key, kind, ms, values, priority }: Planned, far: string): Flow {
  const options = { retries: RETRIES, priority };
  const begin = (value: number, place: number) =>
    step('begin', [key, place, ms, value] as const, options);
  const next = (value: number, place: number) =>
    step(
      'next',
      [key, place, ms, value] as const,
      place % 2 === 1 ? { ...options, queue: far } : options,
    );
  switch (kind) {
    case 'chain':
      return chain(
        ...values.map((value, i) => (i === 0 ? begin(value, i) : next(value, i))),
      ) as Flow;
    case 'group':
      return group(values.map(begin));
    default:
      return chord(
        values.map((value, i) => chain(begin(value, 2 * i), next(1, 2 * i + 1))),
        step('collect', [key, 2 * values.length] as const, options),
      );
  }
}

/** What a flow gives in the end, and how many functions run for it. */
export function expected({ kind, values }: Planned): { result: unknown; places: number } {
  switch (kind) {
    case 'chain':
      return { result: values.reduce((sum, value) => sum + value, 0), places: values.length };
    case 'group':
      return { result: values, places: values.length };
    default:
      return { result: values.map((value) => value + 1), places: 2 * values.length + 1 };
  }
}
