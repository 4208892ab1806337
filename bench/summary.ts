/** From the measurements of all rounds to rows, comparisons and budgets. */
import type { Measurement } from './measure.ts';
import type { Scenario } from './scenarios.ts';

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

/** What minq may cost, in microseconds per job. */
const BUDGETS: readonly { scenario: string; figure: Figure; what: string; atMost: number }[] = [
  {
    scenario: 'process-100',
    figure: 'redisCpuUs',
    what: 'Redis CPU per job processed, 100 at once',
    atMost: 8,
  },
  {
    scenario: 'process-100',
    figure: 'nodeCpuUs',
    what: 'Node CPU per job processed, 100 at once',
    atMost: 8,
  },
  {
    scenario: 'enqueue-concurrent',
    figure: 'redisCpuUs',
    what: 'Redis CPU per job enqueued, concurrent',
    atMost: 2.5,
  },
];

export function checkBudgets(rows: readonly Row[]): Budget[] {
  return BUDGETS.flatMap(({ scenario, figure, what, atMost }) => {
    const row = rows.find((one) => one.scenario === scenario && one.library === 'minq');
    const is = row?.figures[figure]?.median;
    return is === undefined ? [] : [{ what, atMost, is, kept: is <= atMost }];
  });
}
