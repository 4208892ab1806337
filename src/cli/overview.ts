/** How a queue stands, at a glance: what `minq stats` shows. */
import { isSilent, readCounts, readWorkers, type Counts } from '../views/inspector.ts';
import { readRecent, type Recent } from '../views/statistics.ts';
import { readFunctions, readOldest, timesOf, type FunctionTimes } from '../views/statistics.ts';
import type { Store } from '../store/store.ts';
import { number, span, sparkline } from './figures.ts';
import { table } from './table.ts';

/** Most functions shown; all with `--json`. */
const MOST_FUNCTIONS = 20;

export interface Overview {
  queue: string;
  counts: Omit<Counts, 'paused'>;
  paused: boolean;
  /** Of the jobs not yet run. */
  oldestWaitingMs: number | null;
  /** Those that were heard of lately, and their slots. */
  workers: number;
  slots: number;
  busy: number;
  /** In the last minute and in the last hour; null where no worker has noted anything yet. */
  lastMinute: Record<keyof Recent, number> | null;
  lastHour: Record<keyof Recent, number> | null;
  /** Minute by minute, the oldest first. */
  minutes: Recent | null;
  /** In the last hour or two; those that failed most come first. */
  functions: FunctionTimes[];
}

export async function readOverview(store: Store): Promise<Overview> {
  const [{ paused, ...counts }, oldest, workers, recent, functions, now] = await Promise.all([
    readCounts(store),
    readOldest(store),
    readWorkers(store),
    readRecent(store),
    readFunctions(store, 'lately'),
    store.now(),
  ]);
  const alive = workers.filter((worker) => !isSilent(worker, now));
  const sum = (pick: (worker: (typeof alive)[number]) => number) =>
    alive.reduce((total, worker) => total + pick(worker), 0);
  return {
    queue: store.queue,
    counts,
    paused,
    oldestWaitingMs: oldest ?? null,
    workers: alive.length,
    slots: sum(({ concurrency }) => concurrency),
    busy: sum(({ busy }) => busy),
    lastMinute: recent ? each(recent, (minutes) => minutes.at(-1)!) : null,
    lastHour: recent ? each(recent, (minutes) => minutes.reduce((a, b) => a + b, 0)) : null,
    minutes: recent ? rounded(recent) : null,
    functions: functions
      .map(timesOf)
      .toSorted((a, b) => b.failed - a.failed || b.completed - a.completed),
  };
}

const each = (recent: Recent, of: (minutes: number[]) => number): Record<keyof Recent, number> => ({
  enqueued: Math.round(of(recent.enqueued)),
  completed: Math.round(of(recent.completed)),
  failed: Math.round(of(recent.failed)),
  retried: Math.round(of(recent.retried)),
});

const rounded = (recent: Recent): Recent => ({
  enqueued: recent.enqueued.map(hundredths),
  completed: recent.completed.map(hundredths),
  failed: recent.failed.map(hundredths),
  retried: recent.retried.map(hundredths),
});

const hundredths = (count: number): number => Math.round(count * 100) / 100;

/** @param width columns of the terminal */
export function describe(overview: Overview, width: number): string[] {
  const { queue, counts, paused, oldestWaitingMs, workers, slots, busy, functions } = overview;
  const oldest = oldestWaitingMs === null ? 'none waits' : span(oldestWaitingMs);
  const lines = [
    `${queue}${paused ? '  PAUSED' : ''}`,
    `  jobs         ${counted(counts, ['queued', 'active', 'scheduled', 'waiting'])}`,
    `  ended        ${counted(counts, ['completed', 'failed', 'cancelled'])}`,
    `  oldest       ${oldest}`,
    workers === 0
      ? '  workers      NONE ALIVE'
      : `  workers      ${number(workers)}, ${number(busy)} of ${number(slots)} slots busy`,
    `  last minute  ${happened(overview.lastMinute)}`,
    `  last hour    ${happened(overview.lastHour)}`,
    ...lineOf('completed', overview.minutes?.completed, width),
    ...lineOf('failed', overview.minutes?.failed, width),
  ];
  if (functions.length === 0) return lines;
  const heads = ['FUNCTION', 'DONE', 'FAILED', 'RETRIED', 'WAIT P50', 'P95', 'RUN P50', 'P95'];
  const rows = functions
    .slice(0, MOST_FUNCTIONS)
    .map(({ fn, completed, failed, retried, wait, run }) => [
      fn,
      ...[completed, failed, retried].map(number),
      ...[wait.p50, wait.p95, run.p50, run.p95].map((ms) => (ms === undefined ? '-' : span(ms))),
    ]);
  const more = functions.length - rows.length;
  return [
    ...lines,
    '',
    ...table(heads, rows, { width: width - 2, cut: ['FUNCTION'] }).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${number(more)} more`] : []),
  ];
}

const counted = <Name extends string>(counts: Record<Name, number>, names: readonly Name[]) =>
  names.map((name) => `${number(counts[name])} ${name}`).join(', ');

const happened = (counts: Record<keyof Recent, number> | null): string =>
  counts === null
    ? 'nothing is known: no worker has been here yet'
    : counted(counts, ['enqueued', 'completed', 'failed', 'retried']);

/** Nothing where nothing happened. */
function lineOf(what: string, minutes: number[] | undefined, width: number): string[] {
  const most = Math.max(0, ...(minutes ?? []));
  if (!minutes || most === 0) return [];
  return [`    ${what.padEnd(11)}${sparkline(minutes, width - 15)}`];
}
