/** The results as text. */
import type { KilledMutant } from './catalogue.ts';
import type { Failure, Results, Row } from './results.ts';
import type { SoakReport } from './storm/soak.ts';
import type { StormReport } from './storm/storm.ts';

/** More lines than these help nobody; `--json` has all. */
const MOST_LINES = 20;

export function text(results: Results, failures: readonly Failure[]): string {
  const { scenarios, storm, soak, mutants } = results;
  const parts: string[] = [];
  if (scenarios.length > 0)
    parts.push(grid([HEAD, ...scenarios.map(rowOf)]), ...remarks(scenarios));
  if (storm) {
    const recovered = `worked again within ${range(storm.recoveredMs)} of a fault that hit all`;
    parts.push(`storm of ${storm.seconds} s: ${summary(storm)}; ${recovered}`);
  }
  if (soak) {
    const sizes = soak.growth.map(({ what, first, last, most }) =>
      [what, first, last, most].map(size),
    );
    const head = ['', 'first quarter', 'last quarter', 'at most'];
    parts.push(`soak of ${soak.seconds} s: ${summary(soak)}`, grid([head, ...sizes]));
  }
  if (mutants)
    parts.push(grid([['mutant', 'killed by'], ...mutants.map(mutantLine)]), noticed(mutants));
  parts.push(
    ...failures.map(({ why, replay }) => {
      const shown = why.slice(0, MOST_LINES);
      if (why.length > shown.length) shown.push(`... and ${why.length - shown.length} more`);
      return [...shown.map((line) => `FAILED ${line}`), `again: ${replay}`].join('\n');
    }),
  );
  return parts.join('\n\n');
}

function summary(report: StormReport | SoakReport): string {
  const { accepted, jobs, lost, unexpected, broken, extraRuns, checks, drainMs, faults } = report;
  const done = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return [
    `${done} faults, ${accepted} calls accepted, ${jobs.enqueued} jobs`,
    `${lost.length} lost, ${unexpected.length} unexpected, ${broken.length} otherwise wrong`,
    `${extraRuns} extra runs, ${jobs.refused} late settlements refused`,
    `invariants looked at ${checks} times; all done ${seconds(drainMs)} s after the last fault`,
  ].join('; ');
}

/** Bytes as MB; what is counted, and words, as they are. */
const size = (value: string | number): string =>
  typeof value === 'number' && value > 100_000 ? `${(value / 1e6).toFixed(1)} MB` : String(value);

const HEAD = ['scenario', 'library', 'accepted', 'lost', 'extra runs', 'recovered', ''];

const rowOf = ({
  scenario,
  library,
  accepted,
  lost,
  withServer = 0,
  extraRuns,
  recoveredMs,
  broken,
}: Row) => [
  scenario,
  library,
  String(accepted),
  String(lost),
  String(extraRuns),
  range(recoveredMs),
  lost === withServer && broken.length === 0 ? 'ok' : library === 'minq' ? 'BROKEN' : 'see below',
];

/** Settings and further numbers; and of peers, which are not judged, what stood out. */
const remarks = (rows: readonly Row[]): string[] => {
  const lines = rows.flatMap(({ scenario, library, broken, notes = [] }) => {
    const stoodOut = library === 'minq' ? [] : broken.slice(0, MOST_LINES);
    return [...notes, ...stoodOut].map((line) => `${scenario}, ${library}: ${line}`);
  });
  return lines.length > 0 ? [lines.join('\n')] : [];
};

const mutantLine = ({ name, killedBy }: KilledMutant) => [name, killedBy ?? 'NOBODY'];

/** By which run of the tests: the file of a test says it. */
function noticed(mutants: readonly KilledMutant[]): string {
  const by = mutants.map(({ killedBy }) => killedBy);
  const nobody = by.filter((test) => test === undefined).length;
  const long = by.filter((test) => /^\S+\.long\.test\.ts/.test(test ?? '')).length;
  const fast = by.length - nobody - long;
  return `${by.length} mutants: ${fast} noticed by npm test, ${long} by npm run test:long, ${nobody} by nobody`;
}

/** Of times in ms, as a person reads them. */
export function range(ms: readonly number[]): string {
  if (ms.length === 0) return '-';
  const [least, most] = [Math.min(...ms), Math.max(...ms)].map(seconds);
  return least === most ? `${most} s` : `${least} - ${most} s`;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** Columns side by side, to the left: most are words. */
function grid(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
