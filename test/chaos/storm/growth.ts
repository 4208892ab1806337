/** Whether something that was sampled over a time has grown: the middle of the last quarter beside that of the first. */

/** How much more is no growth, but noise: a factor, and so many beyond it. */
export interface Bound {
  readonly factor: number;
  readonly more: number;
}

export interface Growth {
  /** Of whom, and what: `worker 0 heap`. */
  readonly what: string;
  readonly first: number;
  readonly last: number;
  /** What `last` may be. */
  readonly most: number;
  readonly samples: number;
}

/** Caches fill, pools grow to their size. */
const WARM_UP = 0.2;
/** A quarter of fewer has no middle worth the name. */
const FEWEST = 20;

/** @throws where there are too few samples to tell */
export function growthOf(what: string, samples: readonly number[], bound: Bound): Growth {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  if (warm.length < FEWEST) throw new Error(`${what}: ${warm.length} samples are too few`);
  const quarter = Math.floor(warm.length / 4);
  const first = median(warm.slice(0, quarter));
  const last = median(warm.slice(-quarter));
  const most = Math.round(first * bound.factor + bound.more);
  return { what, first, last, most, samples: samples.length };
}

export const hasGrown = ({ last, most }: Growth): boolean => last > most;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
