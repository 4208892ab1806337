/** What the counters in Redis say: totals, rates over time, and how long jobs waited and ran. */
import { BOUNDS_MS, percentile, type Histogram } from '../store/buckets.ts';
import { parseRecord, splitTime } from '../job/job.ts';
import { MAX_SAMPLES, SAMPLED } from '../store/scripts/sample.ts';
import type { Store } from '../store/store.ts';

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
  /** How often the event loop of a worker was blocked for half a second or more, and for how long in all. */
  blocked: number;
  blockedMs: number;
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

/** The same at a glance. */
export interface FunctionTimes extends Omit<FunctionStats, 'wait' | 'run'> {
  /** In ms. */
  wait: Percentiles;
  run: Percentiles;
}

export async function readStats(store: Store): Promise<Stats> {
  const { stored, blocked, blockedMs } = await store.stats();
  const counter = (name: keyof Stats) => Number(stored[name] ?? 0);
  return {
    enqueued: counter('enqueued'),
    completed: counter('completed'),
    failed: counter('failed'),
    cancelled: counter('cancelled'),
    retried: counter('retried'),
    recovered: counter('recovered'),
    refused: counter('refused'),
    blocked: Number(blocked ?? 0),
    blockedMs: Number(blockedMs ?? 0),
  };
}

/** How long the job has waited, in ms, that has waited longest of those not yet run; undefined where none waits. */
export async function readOldest(store: Store): Promise<number | undefined> {
  const { now, heads } = await store.heads();
  const since = heads.map((text) => {
    try {
      const { enqueuedAt, record } = parseRecord(text);
      return Math.max(enqueuedAt + (record.delay ?? 0), record.runAt ?? 0);
    } catch {
      return splitTime(text).at; // a long record comes without its JSON
    }
  });
  const oldest = Math.min(...since.filter((at) => Number.isSafeInteger(at) && at > 0));
  return oldest === Infinity ? undefined : Math.max(0, now - oldest);
}

/** One sample a minute: so many cover the time, and a minute more, for the first point is told from what was before. */
const SPANS = {
  hour: { last: 61, nth: 1, within: 61 * 60_000 },
  day: { last: MAX_SAMPLES, nth: 10, within: 1_441 * 60_000 },
} as const;
export type Span = keyof typeof SPANS;

/** What happened in the last hour, minute by minute, or in the last day, ten minutes at a time; the oldest first. */
export async function readHistory(store: Store, span: Span): Promise<HistoryPoint[]> {
  const { last, nth, within } = SPANS[span];
  const rows = await store.history(last, nth, within);
  const samples = rows.map((row) => row.split(' ').map(Number));
  return samples.slice(1).flatMap((sample, i) => {
    const before = samples[i]!;
    if (!(sample[0]! > before[0]!)) return []; // Redis's clock was put back
    const level = (name: (typeof SAMPLED)[number]) => sample[SAMPLED.indexOf(name) + 1] ?? 0;
    const counted = (name: (typeof SAMPLED)[number]) =>
      Math.max(0, level(name) - (before[SAMPLED.indexOf(name) + 1] ?? 0)); // less where stats were deleted
    return {
      at: sample[0]!,
      ms: sample[0]! - before[0]!,
      enqueued: counted('enqueued'),
      completed: counted('completed'),
      failed: counted('failed'),
      cancelled: counted('cancelled'),
      retried: counted('retried'),
      recovered: counted('recovered'),
      queued: level('queued'),
      scheduled: level('scheduled'),
      active: level('active'),
    };
  });
}

/** @param when `lately`: in the last hour or two; `ever`: since the queue exists */
export async function readFunctions(
  store: Store,
  when: 'ever' | 'lately',
): Promise<FunctionStats[]> {
  const [now, then] = await Promise.all([
    store.timings('now'),
    when === 'lately' ? store.timings('then') : ({} as Record<string, string>),
  ]);
  const functions = functionsOf(
    Object.entries(now).map(([field, text]) => [field, Number(text) - Number(then[field] ?? 0)]),
  );
  // Those that haven't run lately, or are no more, have nothing to say.
  return functions.filter(({ completed, failed, retried }) => completed + failed + retried > 0);
}

/** @param counters by the names that timings.ts gives them */
export function functionsOf(counters: Iterable<readonly [string, number]>): FunctionStats[] {
  const functions = new Map<string, FunctionStats>();
  for (const [field, counted] of counters) {
    const [fn, what, part] = field.split(' ') as [string, string, string?];
    const count = Math.max(0, counted);
    if (!part || !Number.isFinite(count)) continue;
    if (fn === '-') continue;
    let stats = functions.get(fn);
    if (!stats) functions.set(fn, (stats = emptyStats(fn)));
    if (what === 'ended') {
      if (part === 'completed' || part === 'failed' || part === 'retried') stats[part] = count;
    } else if (what === 'wait' || what === 'run') {
      const histogram: { counts: number[]; sumMs: number } = stats[what];
      if (part === 'us') histogram.sumMs = count / 1_000;
      else if (Number(part) <= BOUNDS_MS.length) histogram.counts[Number(part)] = count;
    }
  }
  return [...functions.values()].toSorted((a, b) => (a.fn < b.fn ? -1 : 1));
}

const emptyHistogram = () => ({ counts: Array.from(BOUNDS_MS, () => 0).concat(0), sumMs: 0 });

const emptyStats = (fn: string): FunctionStats => ({
  fn,
  completed: 0,
  failed: 0,
  retried: 0,
  wait: emptyHistogram(),
  run: emptyHistogram(),
});

/** @returns what is known: nothing of an empty histogram */
export function percentiles(histogram: Histogram): Percentiles {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => percentile(histogram, q));
  return p50 === undefined ? {} : { p50, p95: p95!, p99: p99! };
}

export const timesOf = ({ wait, run, ...counters }: FunctionStats): FunctionTimes => ({
  ...counters,
  wait: percentiles(wait),
  run: percentiles(run),
});
