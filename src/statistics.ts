/** What the counters in Redis say: totals, rates over time, and how long jobs waited and ran. */
import { BOUNDS_MS, percentile, type Histogram } from './buckets.ts';
import type { Store } from './store.ts';

/** Counters since the queue exists. */
export interface Stats {
  enqueued: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Runs that were put back, to be retried or for want of the function. */
  retried: number;
  /** Runs taken back because their lease ended. */
  recovered: number;
  /** Settlements refused because the lease was lost. */
  refused: number;
}

/** What happened between the point before and this one, and how things stood then. */
export interface HistoryPoint {
  /** Epoch ms by Redis's clock. */
  at: number;
  /** Length of the time it is about, in ms: about a minute for an hour, about ten for a day. */
  ms: number;
  enqueued: number;
  completed: number;
  failed: number;
  cancelled: number;
  retried: number;
  recovered: number;
  /** How many jobs there were, at that moment. */
  queued: number;
  scheduled: number;
  active: number;
}

/** In ms, estimated from histograms; undefined where there was nothing to measure. */
export interface Percentiles {
  p50?: number;
  p95?: number;
  p99?: number;
}

/** What became of the runs of one function, and how long they waited and took. */
export interface FunctionStats {
  fn: string;
  completed: number;
  failed: number;
  retried: number;
  wait: Histogram;
  run: Histogram;
}
