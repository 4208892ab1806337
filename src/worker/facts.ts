/** What a worker tells of itself without asking Redis: how it is, and what it has done since it was started. */
import { BOUNDS_MS, type Histogram } from '../store/buckets.ts';
import type { Connection } from '../redis/connection.ts';
import { functionsOf, type FunctionStats } from '../views/statistics.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { Processor } from './processor.ts';
import type { Timings } from './timings.ts';

export interface WorkerFacts {
  id: string;
  queue: string;
  /** Jobs it runs at once. */
  slots: number;
  /** Slots that are taken. */
  busy: number;
  /** Whether Redis can be called now. */
  connected: boolean;
  /** How the runs of each function ended, how long they waited and took. */
  functions: FunctionStats[];
  /** Runs whose lease was lost: another worker may have run the job beside this one. */
  leasesLost: number;
  /** How late timers were, looked at 20 times a second; the event loop is that of the whole process. */
  loopDelay: Histogram;
  /** How often the event loop was blocked for half a second or more, and for how long in all. */
  blocked: { times: number; ms: number };
}

/** Those who know. */
export interface Roles {
  readonly connection: Pick<Connection, 'ready'>;
  readonly processor: Pick<Processor, 'running'>;
  readonly timings: Pick<Timings, 'totals'>;
  readonly watch: Pick<LoopWatch, 'totals'>;
  readonly leasesLost: () => number;
}

/** @param roles undefined before the worker has got so far as to have them */
export function factsOf(roles: Roles | undefined): Omit<WorkerFacts, 'id' | 'queue' | 'slots'> {
  const watched = roles?.watch.totals();
  return {
    busy: roles?.processor.running.size ?? 0,
    connected: roles?.connection.ready ?? false,
    functions: functionsOf(roles?.timings.totals() ?? []),
    leasesLost: roles?.leasesLost() ?? 0,
    loopDelay: {
      counts: watched ? [...watched.delays.counts] : [...BOUNDS_MS, 0].map(() => 0),
      sumMs: watched?.delays.sumMs ?? 0,
    },
    blocked: { times: 0, ms: 0, ...watched?.blocks },
  };
}
