/** What the counters in Redis say: totals, rates over time, and how long jobs waited and ran. */
import { BOUNDS_MS, percentile, type Histogram } from '../store/buckets.ts';
import { parseRecord, splitTime } from '../job/job.ts';
import { COUNTERS, type LEVELS, MAX_SAMPLES } from '../store/scripts/sample.ts';
import type { Store } from '../store/store.ts';

/**
 * Jobs counted by what became of them. `retried`: runs that were put back, to be retried or for want of the function;
 * `recovered`: runs taken back because their lease ended.
 */
export type Counters = Record<(typeof COUNTERS)[number], number>;

/** Counters since the queue exists. */
export interface Stats extends Counters {
  /** Settlements refused because the lease was lost. */
  refused: number;
  /** Outcomes dropped before their time, because too many were kept. */
  droppedCompleted: number;
  droppedFailed: number;
  /** How often the event loop of a worker was blocked for half a second or more, and for how long in all. */
  blocked: number;
  blockedMs: number;
}

/** What happened between the point before and this one; and how many jobs were in these states then. */
export interface HistoryPoint extends Counters, Record<(typeof LEVELS)[number], number> {
  /** Epoch ms by Redis's clock. */
  at: number;
  /** Length of the time it is about, in ms: about a minute for an hour, about ten for a day. */
  ms: number;
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
  return {
    ...countersOf((name) => Number(stored[name] ?? 0)),
    refused: Number(stored['refused'] ?? 0),
    droppedCompleted: Number(stored['dropped:completed'] ?? 0),
    droppedFailed: Number(stored['dropped:failed'] ?? 0),
    blocked: Number(blocked ?? 0),
    blockedMs: Number(blockedMs ?? 0),
  };
}

const countersOf = (count: (name: keyof Counters, i: number) => number): Counters =>
  Object.fromEntries(COUNTERS.map((name, i) => [name, count(name, i)])) as Counters;

/** How long the job has waited, in ms, that has waited longest of those not yet run; undefined where none waits. */
export async function readOldest(store: Store): Promise<number | undefined> {
  const { now, heads } = await store.figures.heads();
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

const MINUTE_MS = 60_000;
/** One sample a minute: so many cover the time, and a minute more, for the first point is told from what was before. */
const SPANS = {
  hour: { last: 61, nth: 1, within: 61 * MINUTE_MS },
  day: { last: MAX_SAMPLES, nth: 10, within: 1_441 * MINUTE_MS },
} as const;
export type Span = keyof typeof SPANS;

/** What happened in the last hour, minute by minute, or in the last day, ten minutes at a time; the oldest first. */
export async function readHistory(store: Store, span: Span): Promise<HistoryPoint[]> {
  const { last, nth, within } = SPANS[span];
  return pointsOf(
    (await store.figures.history(last, nth, within)).map((row) => row.split(' ').map(Number)),
  );
}

/** @param samples a time, counters and levels each */
const pointsOf = (samples: readonly number[][]): HistoryPoint[] =>
  samples.slice(1).flatMap(([at = 0, ...values], i) => {
    const [from = 0, ...before] = samples[i]!;
    if (!(at > from)) return []; // Redis's clock was put back
    const [queued = 0, scheduled = 0, active = 0] = values.slice(COUNTERS.length);
    // Less than before where the counters were deleted.
    const counted = countersOf((_, at) => Math.max(0, (values[at] ?? 0) - (before[at] ?? 0)));
    return { at, ms: at - from, ...counted, queued, scheduled, active };
  });

/** Where no worker was there for hours, the sample from before tells what is new since. */
const SINCE_EVER = { last: 62, nth: 1, within: Number.MAX_SAFE_INTEGER };

/** How many in each minute of the last hour, the oldest first; the last one is the 60 seconds before now. */
export type Recent = Record<(typeof RECENT)[number], number[]>;
const RECENT = ['enqueued', 'completed', 'failed', 'retried'] as const;

/**
 * The last hour up to this moment: from the samples, and what was counted since the last of them, which may be a minute old.
 * @returns undefined where no worker has noted anything yet
 */
export async function readRecent(store: Store): Promise<Recent | undefined> {
  const { last, nth, within } = SINCE_EVER;
  // The counters after the samples: so they are never less.
  const [rows, stats, now] = await Promise.all([
    store.figures.history(last, nth, within),
    readStats(store),
    store.now(),
  ]);
  if (rows.length === 0) return undefined;
  const samples = rows.map((row) => row.split(' ').map(Number));
  const points = pointsOf([...samples, [now, ...COUNTERS.map((name) => stats[name])]]);
  const minutes = RECENT.map((name) => [name, inMinutes(points, name, now)]);
  return Object.fromEntries(minutes) as Recent;
}

/** What was counted between two samples is taken to have happened evenly. */
function inMinutes(points: readonly HistoryPoint[], name: keyof Counters, now: number): number[] {
  const begins = Array.from({ length: 60 }, (_, i) => now - (60 - i) * MINUTE_MS);
  return begins.map((begin) => {
    const shares = points.map(({ at, ms, [name]: count }) => {
      const common = Math.min(at, begin + MINUTE_MS) - Math.max(at - ms, begin);
      return (count * Math.max(0, common)) / ms;
    });
    return shares.reduce((sum, share) => sum + share, 0);
  });
}

/** @param when `lately`: in the last hour or two; `ever`: since the queue exists */
export async function readFunctions(
  store: Store,
  when: 'ever' | 'lately',
): Promise<FunctionStats[]> {
  const [now, then] = await Promise.all([
    store.figures.timings('now'),
    when === 'lately' ? store.figures.timings('then') : ({} as Record<string, string>),
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
