/** Which faults a storm has, and when: all of it follows from the seed. How long processes take to feel them doesn't. */
import { randomOf, type Random } from './random.ts';

/** Of processes that work; the others are of Redis and of the wires to it. Both kinds come at the same time. */
export const WORKER_FAULTS = ['kill worker', 'stop worker'] as const;
export const REDIS_FAULTS = [
  'reset connections',
  'lose replies',
  'black hole',
  'latency',
  'kill Redis',
  'stop Redis',
  'SCRIPT FLUSH',
  'CLIENT KILL',
  'CLIENT PAUSE',
  'maxmemory',
] as const;
export type Fault = (typeof WORKER_FAULTS)[number] | (typeof REDIS_FAULTS)[number];

export interface PlannedFault {
  readonly fault: Fault;
  /** How long after the one before it was over. */
  readonly afterMs: number;
  /** How long it lasts. */
  readonly forMs: number;
  /** Number of a worker; of faults of the wires, that of a wire, or `all`. */
  readonly target: number | 'all';
}

export interface Lanes {
  readonly workers: readonly PlannedFault[];
  readonly redis: readonly PlannedFault[];
}

export interface Cast {
  readonly leaseMs: number;
  /** How many workers there are; wires: one more, the producer's. */
  readonly workers: number;
  /** How many of them, from the first, are never killed: a long-lived process is to be looked at. */
  readonly spared: number;
}

/** Each kind comes once before any comes again: even a short storm has seen most of them. */
export function planFaults(seed: number, seconds: number, cast: Cast): Lanes {
  const lane = (
    name: string,
    deck: readonly Fault[],
    gap: readonly [number, number],
  ): PlannedFault[] => {
    const random = randomOf(seed, name);
    const faults: PlannedFault[] = [];
    for (let ms = 0, left: Fault[] = []; ms < seconds * 1_000;) {
      if (left.length === 0) left = random.shuffle(deck);
      const fault = left.pop()!;
      const planned = { fault, afterMs: random.between(...gap), ...aim(fault, random, cast) };
      faults.push(planned);
      ms += planned.afterMs + planned.forMs;
    }
    return faults;
  };
  return {
    workers: lane('faults of workers', [...WORKER_FAULTS, 'kill worker'], [1_000, 3_500]),
    redis: lane('faults of Redis', REDIS_FAULTS, [300, 1_500]),
  };
}

function aim(
  fault: Fault,
  random: Random,
  { leaseMs, workers, spared }: Cast,
): Pick<PlannedFault, 'forMs' | 'target'> {
  const wire = () => (random.below(3) === 0 ? 'all' : random.below(workers + 1));
  switch (fault) {
    case 'kill worker':
      return { forMs: 0, target: random.between(spared, workers - 1) };
    case 'stop worker':
      return { forMs: 1.6 * leaseMs, target: random.below(workers) };
    case 'reset connections':
      return { forMs: 0, target: wire() };
    case 'lose replies':
      return { forMs: random.between(20, 300), target: wire() };
    case 'black hole':
      return { forMs: 1_800, target: wire() };
    case 'latency':
      return { forMs: random.between(1_000, 2_500), target: wire() };
    case 'kill Redis':
      return { forMs: random.between(0, 1_000), target: 'all' };
    case 'stop Redis':
      return { forMs: 1_200, target: 'all' };
    case 'CLIENT PAUSE':
      return { forMs: random.between(500, 1_500), target: 'all' };
    case 'maxmemory':
      return { forMs: random.between(500, 2_000), target: 'all' };
    case 'SCRIPT FLUSH':
    case 'CLIENT KILL':
      return { forMs: 0, target: 'all' };
  }
}
