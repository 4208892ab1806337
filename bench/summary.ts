/** From the measurements of all rounds to rows, comparisons and budgets. */
import type { Measurement } from './measurement.ts';
import type { Scenario } from './scenarios/scenario.ts';

export type Figure = Exclude<keyof Measurement, 'jobs'>;

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** One library in one scenario. */
export interface Row {
  scenario: string;
  library: string;
  figures: Partial<Record<Figure, Spread>>;
}

/** minq's median divided by that of each other library. */
export interface Comparison {
  scenario: string;
  figure: Figure;
  ratios: Record<string, number>;
}

export interface Budget {
  what: string;
  unit: string;
  atMost: number;
  is: number;
  kept: boolean;
}

export function summarize(scenario: string, library: string, rounds: readonly Measurement[]): Row {
  const figures: Row['figures'] = {};
  for (const figure of Object.keys(rounds[0]!) as (keyof Measurement)[]) {
    if (figure !== 'jobs') figures[figure] = spread(rounds.map((round) => round[figure]!));
  }
  return { scenario, library, figures };
}

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
  };
}

/** What is compared, in the order shown. */
const COMPARED: readonly Figure[] = [
  'jobsPerSecond',
  'redisCpuUs',
  'nodeCpuUs',
  'p50Ms',
  'memoryBytes',
];

export function compare(rows: readonly Row[], scenarios: readonly Scenario[]): Comparison[] {
  const comparisons: Comparison[] = [];
  for (const figure of COMPARED) {
    for (const { name } of scenarios) {
      const here = rows.filter((row) => row.scenario === name && row.figures[figure]);
      const ours = here.find((row) => row.library === 'minq');
      const others = here.filter((row) => row !== ours);
      if (!ours || others.length === 0) continue;
      const ratios = others.map(
        (row) => [row.library, ours.figures[figure]!.median / row.figures[figure]!.median] as const,
      );
      comparisons.push({ scenario: name, figure, ratios: Object.fromEntries(ratios) });
    }
  }
  return comparisons;
}

/** What minq may cost. */
const BUDGETS: readonly {
  scenario: string;
  figure: Figure;
  what: string;
  unit: string;
  atMost: number;
}[] = [
  {
    scenario: 'process-100',
    figure: 'redisCpuUs',
    what: 'Redis CPU per job processed, 100 at once',
    unit: 'us',
    atMost: 8,
  },
  {
    scenario: 'process-100',
    figure: 'nodeCpuUs',
    what: 'Node CPU per job processed, 100 at once',
    unit: 'us',
    atMost: 8,
  },
  {
    scenario: 'enqueue-concurrent',
    figure: 'redisCpuUs',
    what: 'Redis CPU per job enqueued, concurrent',
    unit: 'us',
    atMost: 2.5,
  },
  {
    scenario: 'process-100',
    figure: 'loopDelayP99Ms',
    what: 'event-loop delay of the worker, p99, 100 at once',
    unit: 'ms',
    atMost: 10,
  },
  {
    scenario: 'delayed-1m',
    figure: 'totalMiB',
    what: 'memory of a million delayed jobs',
    unit: 'MiB',
    atMost: 250,
  },
  ...['backlog-1m', 'delayed-1m', 'delayed-due'].map((scenario) => ({
    scenario,
    figure: 'longestScriptMs' as const,
    what: `longest script, ${scenario}`,
    unit: 'ms',
    atMost: 5,
  })),
];

export function checkBudgets(rows: readonly Row[]): Budget[] {
  return BUDGETS.flatMap(({ scenario, figure, what, unit, atMost }) => {
    const is = ofMinq(rows, scenario, figure);
    return is === undefined ? [] : [{ what, unit, atMost, is, kept: is <= atMost }];
  });
}

/** How minq's speed holds when more is to be carried. */
export interface Growth {
  what: string;
  atLeast: number;
  is: number;
  kept: boolean;
}

export function checkGrowth(rows: readonly Row[]): Growth[] {
  const growth: Growth[] = [];
  const hold = (what: string, atLeast: number, is: number | undefined) => {
    if (is !== undefined) growth.push({ what, atLeast, is, kept: is >= atLeast });
  };
  const few = ofMinq(rows, 'backlog-1k', 'jobsPerSecond');
  const many = ofMinq(rows, 'backlog-1m', 'jobsPerSecond');
  hold('jobs/s with 1,000,000 waiting, of that with 1,000', 0.9, few && many && many / few);
  hold('jobs/s of 10 ms of I/O, of the ideal', 0.95, ofMinq(rows, 'io-10ms', 'ofIdeal'));
  return growth;
}

const ofMinq = (rows: readonly Row[], scenario: string, figure: Figure): number | undefined =>
  rows.find((row) => row.scenario === scenario && row.library === 'minq')?.figures[figure]?.median;
