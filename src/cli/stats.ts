/** `minq stats`: how the queues stand, once or every second. */
import type { Store } from '../store/store.ts';
import { ofEach } from '../views/each.ts';
import { isSilent, readCounts, readWorkers } from '../views/inspector.ts';
import { readRecent, type Recent } from '../views/statistics.ts';
import { readFunctions, readOldest, timesOf } from '../views/statistics.ts';
import type { Command } from './command.ts';
import { limitText, number, span, sparkline } from '../views/figures.ts';
import { live } from './live.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { columns, paint, show, table } from './terminal.ts';

/** A frozen Redis is to be told of soon. */
const WATCH_TIMEOUT_MS = 2_000;
/** Most functions shown; all with `--json`. */
const MOST_FUNCTIONS = 20;

export const stats: Command = {
  help: `Usage: minq stats [options]

Shows of each queue how many jobs are in each state, how long the oldest waits, how busy the workers are, what
happened in the last minute and hour, and how long the runs of each function waited and took (of the last hour or two).

  --queue name       a queue; may be repeated (default: all that are used)
  --watch            show it again every second, until q or Ctrl-C; arrows and space scroll
  --json             print JSON: { at, queues }; with --watch, such a line every second
`,
  run(given) {
    const watch = given.has('watch');
    return withStores(given, watch ? WATCH_TIMEOUT_MS : CALL_TIMEOUT_MS, async (stores) => {
      const read = async () => {
        const all = await stores();
        const [at, queues] = await Promise.all([all[0]!.now(), ofEach(all, readOverview)]);
        return { at, queues };
      };
      const draw = ({ queues }: { queues: Overview[] }) =>
        queues.flatMap((each, i) => [...(i > 0 ? [''] : []), ...describe(each)]);
      if (watch) return live(read, draw, given.json);
      const found = await read();
      return show(given, found, () => draw(found));
    });
  },
};

type Overview = Awaited<ReturnType<typeof readOverview>>;

/** How a queue stands, at a glance; null where nothing is known. */
async function readOverview(store: Store) {
  const [{ paused, limit, ...counts }, oldest, workers, recent, functions, now] = await Promise.all(
    [
      readCounts(store),
      readOldest(store),
      readWorkers(store),
      readRecent(store),
      readFunctions(store, 'lately'),
      store.now(),
    ],
  );
  const alive = workers.filter((worker) => !isSilent(worker, now));
  const total = (what: 'concurrency' | 'busy') => sum(alive.map((worker) => worker[what]));
  return {
    queue: store.queue,
    counts,
    paused,
    limit: limit ?? null,
    /** Of the jobs not yet run. */
    oldestWaitingMs: oldest ?? null,
    /** Those that were heard of lately, and their slots. */
    workers: alive.length,
    slots: total('concurrency'),
    busy: total('busy'),
    lastMinute: recent ? each(recent, (minutes) => Math.round(minutes.at(-1)!)) : null,
    lastHour: recent ? each(recent, (minutes) => Math.round(sum(minutes))) : null,
    /** The oldest first. */
    minutes: recent ? each(recent, (minutes) => minutes.map(hundredths)) : null,
    /** In the last hour or two; those that failed most come first. */
    functions: functions
      .map(timesOf)
      .toSorted((a, b) => b.failed - a.failed || b.completed - a.completed),
  };
}

const each = <T>(recent: Recent, of: (minutes: number[]) => T): Record<keyof Recent, T> => ({
  enqueued: of(recent.enqueued),
  completed: of(recent.completed),
  failed: of(recent.failed),
  retried: of(recent.retried),
});

const sum = (counts: number[]): number => counts.reduce((a, b) => a + b, 0);

const hundredths = (count: number): number => Math.round(count * 100) / 100;

function describe(overview: Overview): string[] {
  const { queue, counts, paused, limit, oldestWaitingMs, workers, slots, busy, functions } =
    overview;
  const lines = [
    `${queue}${paused ? `  ${paint('warn', 'PAUSED')}` : ''}${limit ? `  limited: ${limitText(limit)}` : ''}`,
    `  jobs         ${counted(counts, ['queued', 'active', 'scheduled', 'waiting'])}`,
    `  ended        ${counted(counts, ['completed', 'failed', 'cancelled'])}`,
    `  oldest       ${oldestWaitingMs === null ? 'none waits' : span(oldestWaitingMs)}`,
    workers === 0
      ? `  workers      ${paint('bad', 'NONE ALIVE')}`
      : `  workers      ${number(workers)}, ${number(busy)} of ${number(slots)} slots busy`,
    `  last minute  ${happened(overview.lastMinute)}`,
    `  last hour    ${happened(overview.lastHour)}`,
    ...chart('completed', overview.minutes),
    ...chart('failed', overview.minutes),
  ];
  if (functions.length === 0) return lines;
  const heads = [
    'FUNCTION',
    'DONE',
    'FAILED',
    'RETRIED',
    'WAIT P50',
    'WAIT P95',
    'RUN P50',
    'RUN P95',
  ];
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
    ...table(heads, rows, ['FUNCTION'], {
      indent: '  ',
      bad: ['FAILED'],
      less: ['RETRIED', 'WAIT P50', 'RUN P50'],
    }),
    ...(more > 0 ? [`  and ${number(more)} more`] : []),
  ];
}

const counted = <Name extends string>(counts: Record<Name, number>, names: readonly Name[]) =>
  names
    .map((name) => {
      const text = `${number(counts[name])} ${name}`;
      return name === 'failed' && counts[name] > 0 ? paint('bad', text) : text;
    })
    .join(', ');

const happened = (counts: Record<keyof Recent, number> | null): string =>
  counts === null
    ? 'nothing is known: no worker has been here yet'
    : counted(counts, ['enqueued', 'completed', 'failed', 'retried']);

/** Nothing where nothing happened. */
function chart(what: keyof Recent, minutes: Recent | null): string[] {
  const counts = minutes?.[what] ?? [];
  if (!counts.some((count) => count > 0)) return [];
  return [`    ${what.padEnd(11)}${sparkline(counts, columns() - 15)}`];
}
