/** What a run of the suite found out, what of it counts as a failure, and how to see it again. */
import type { LibraryName } from './libraries/library.ts';
import type { KilledMutant } from './catalogue.ts';
import type { Outcome } from './scenario.ts';
import type { SoakReport } from './storm/soak.ts';
import type { StormReport } from './storm/storm.ts';

export interface Row extends Outcome {
  readonly scenario: string;
  readonly library: LibraryName;
}

export interface Results {
  readonly seed: number;
  readonly node: string;
  readonly redis: string;
  readonly scenarios: Row[];
  storm?: StormReport;
  soak?: SoakReport;
  mutants?: readonly KilledMutant[];
}

export interface Failure {
  /** A line each. */
  readonly why: readonly string[];
  /** The command that does it again. */
  readonly replay: string;
}

/** Of minq alone: peers are there to compare. */
export function failuresOf(results: Results, full: boolean): Failure[] {
  const { seed, scenarios, storm, soak, mutants = [] } = results;
  const failures: Failure[] = [];
  const fail = (why: readonly string[], how: string) => {
    if (why.length > 0) failures.push({ why, replay: `npm run chaos -- ${how} --seed ${seed}` });
  };
  for (const { scenario, library, broken, lost, withServer = 0 } of scenarios) {
    if (library !== 'minq') continue;
    const why = lost > withServer ? [`${lost} jobs lost`, ...broken] : broken;
    fail(
      why.map((line) => `${scenario}: ${line}`),
      `--scenario ${scenario} --libs minq${full ? ' --full' : ''}`,
    );
  }
  if (storm) fail(faultsOf(storm), `--storm --seconds ${storm.seconds}`);
  if (soak) fail(faultsOf(soak), `--soak ${soak.seconds}s`);
  const survived = mutants.filter(({ killedBy }) => killedBy === undefined);
  fail(
    survived.map(({ name }) => `no test notices the mutant ${name}`),
    '--mutants',
  );
  return failures;
}

const faultsOf = ({ lost, unexpected, broken }: StormReport | SoakReport) => [
  ...lost,
  ...unexpected,
  ...broken,
];
