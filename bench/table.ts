/** The numbers as text. */
import type { Scenario } from './scenarios/scenario.ts';
import type { Budget, Comparison, Figure, Growth, Row, Spread } from './summary.ts';

interface Column {
  title: string;
  text(figures: Row['figures']): string;
}

const figure = (title: string, name: Figure, format: (value: number) => string): Column => ({
  title,
  text: (figures) => (figures[name] ? format(figures[name].median) : ''),
});

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
/** Three figures at least: enough to compare, no more than the noise allows. */
const short = (value: number) => (value >= 100 ? whole(value) : value.toPrecision(3));
const range = ({ min, max }: Spread) => `${whole(min)} - ${whole(max)}`;

const COLUMNS: readonly Column[] = [
  figure('jobs/s', 'jobsPerSecond', whole),
  { title: 'min - max', text: ({ jobsPerSecond }) => (jobsPerSecond ? range(jobsPerSecond) : '') },
  figure('Redis us', 'redisCpuUs', short),
  figure('Node us', 'nodeCpuUs', short),
  {
    title: 'busy',
    text: ({ jobsPerSecond: rate, redisCpuUs: redis, nodeCpuUs: node }) =>
      rate && redis && node ? (((redis.median + node.median) * rate.median) / 1e6).toFixed(2) : '',
  },
  figure('sent', 'sent', short),
  figure('in Lua', 'inScripts', short),
  figure('bytes', 'bytes', whole),
  figure('p50 ms', 'p50Ms', short),
  figure('p99 ms', 'p99Ms', short),
  figure('waiting B', 'memoryBytes', whole),
  figure('MiB', 'totalMiB', short),
  figure('of ideal', 'ofIdeal', (share) => `${(share * 100).toFixed(1)} %`),
  figure('loop p99 ms', 'loopDelayP99Ms', short),
  figure('longest script ms', 'longestScriptMs', (ms) => (ms > 0 ? short(ms) : '< 1')),
  figure('over 5 ms', 'longScripts', whole),
];

const LEGEND = `jobs/s: median of the rounds. Per job: CPU of Redis and of Node in microseconds; commands sent by the client and
called by its scripts (counted by MONITOR, apart from what is timed); bytes between the two; memory while it waits. Busy: CPU of
both against the clock: at 1 one waits while the other works. Loop: how late Node's event loop is, in steps of a millisecond.`;

/** Names of figures in comparisons; for all but the first, less is better. */
const COMPARED: Partial<Record<Figure, string>> = {
  jobsPerSecond: 'jobs/s (more is better)',
  redisCpuUs: 'Redis CPU per job (less is better)',
  nodeCpuUs: 'Node CPU per job (less is better)',
  p50Ms: 'p50 of a call (less is better)',
  memoryBytes: 'memory per waiting job (less is better)',
};

export function resultsText(rows: readonly Row[], scenarios: readonly Scenario[]): string {
  const tables = scenarios.map(({ name, title }) => {
    const here = rows.filter((row) => row.scenario === name);
    const columns = COLUMNS.filter((column) => here.some((row) => column.text(row.figures)));
    return grid([
      [`${title} (${name})`, ...columns.map((column) => column.title)],
      ...here.map((row) => [
        `  ${row.library}`,
        ...columns.map((column) => column.text(row.figures) || '-'),
      ]),
    ]);
  });
  return [...tables, LEGEND].join('\n\n');
}

export function comparisonText(comparisons: readonly Comparison[]): string {
  const libraries = [...new Set(comparisons.flatMap(({ ratios }) => Object.keys(ratios)))];
  const lines: string[][] = [];
  let last: Figure | undefined;
  for (const { scenario, figure: name, ratios } of comparisons) {
    if (name !== last) lines.push([COMPARED[name]!, ...libraries.map(() => '')]);
    last = name;
    lines.push([
      `  ${scenario}`,
      ...libraries.map((library) =>
        ratios[library] === undefined ? '-' : `${ratios[library].toFixed(2)} x`,
      ),
    ]);
  }
  return grid([['minq against', ...libraries], ...lines]);
}

export const budgetText = (budgets: readonly Budget[]): string =>
  grid([
    ['budget', 'is', 'at most', ''],
    ...budgets.map(({ what, unit, is, atMost, kept }) => [
      `  ${what}`,
      `${short(is)} ${unit}`,
      `${atMost} ${unit}`,
      kept ? 'pass' : 'OVER',
    ]),
  ]);

export const growthText = (growth: readonly Growth[]): string =>
  grid([
    ['growth', 'is', 'at least', ''],
    ...growth.map(({ what, is, atLeast, kept }) => [
      `  ${what}`,
      is.toFixed(3),
      String(atLeast),
      kept ? 'pass' : 'UNDER',
    ]),
  ]);

/** Columns side by side: the first to the left, the others to the right. */
function grid(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = (line: readonly string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  return lines.map((line) => text(line).join('  ').trimEnd()).join('\n');
}
