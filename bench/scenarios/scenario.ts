import type { Redis } from 'ioredis';
import type { Adapter } from '../adapters/adapter.ts';
import type { Measurement } from '../measurement.ts';
import type { Meter } from '../meter.ts';

/** What a batch can say of itself: figures that no meter reads, or that are to stand instead of a meter's. */
export type Findings = Partial<Measurement> & {
  /** How many jobs were between the meter's start and stop, where that is not n. */
  jobs?: number;
};

/** Runs n jobs (or what else the scenario's size is), the meter being started and stopped around what counts. */
export type Batch = (n: number, meter: Meter) => Promise<Findings | void>;

/** Where a scenario runs. */
export interface Surroundings {
  /** The library's name and the URL of Redis, for processes that a scenario starts. */
  readonly library: string;
  readonly url: string;
  /** A client of Redis of the benchmark's own. */
  readonly control: Redis;
  /** It is only to be seen that it works: small sizes. */
  readonly quick: boolean;
  /** Called when all is measured, before the library is closed. */
  readonly onEnd: (close: () => unknown) => void;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What of the library is used that some want to be told beforehand. */
  readonly uses?: 'results' | 'delays';
  /** Libraries that can't do it. */
  readonly without?: readonly string[];
  /** Takes long: not measured unless it is asked for. */
  readonly long?: boolean;
  /** A process for each round, so that nobody else's idle worker is about. */
  readonly alone?: boolean;
  /** Measured as it is, with no warm-up. */
  readonly cold?: boolean;
  /** The n of a batch. Without it, as many jobs as fill a round. */
  readonly size?: { readonly full: number; readonly quick: number };
  /** Most jobs whose commands are counted, 0 for none. */
  readonly counted?: number;
  /** Also says how much memory a waiting job takes. */
  readonly memory?: boolean;
  /** Also says how late the event loop is. */
  readonly loopDelay?: boolean;
  prepare(lib: Adapter, about: Surroundings): Promise<Batch> | Batch;
}
