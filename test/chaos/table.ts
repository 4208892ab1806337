/**
 * Writes what a run of the suite found out into the guide of test/, as a table between two marks:
 * `npm run chaos -- --full --json > file`, then `node --import=jiti/register test/chaos/table.ts file`. Scenarios may have
 * run one by one: then several files are given, of one seed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadScenarios } from './catalogue.ts';
import { DOCUMENTED } from './documented.ts';
import { range } from './report.ts';
import type { Results, Row } from './results.ts';

const BEGIN = '<!-- chaos:begin -->';
const END = '<!-- chaos:end -->';
const GUIDE = path.resolve(import.meta.dirname, '../GUIDE.md');

const HEAD = ['What happens', 'minq', 'BullMQ', 'arq, Celery, Sidekiq: documented, not measured'];

/** @param whats what is done, by the name of the scenario */
export function table(
  { scenarios, node, redis, seed }: Results,
  whats: ReadonlyMap<string, string>,
): string {
  const names = [...new Set(scenarios.map(({ scenario }) => scenario))];
  const cell = (name: string, library: Row['library']) => {
    const row = scenarios.find((one) => one.scenario === name && one.library === library);
    return row ? found(row) : '';
  };
  const lines = names.map((name) => [
    whats.get(name) ?? name,
    cell(name, 'minq'),
    cell(name, 'bullmq'),
    (DOCUMENTED[name] ?? []).map(({ system, says }) => `${system}: ${says}`).join('. '),
  ]);
  const settings = (library: Row['library']) => [
    ...new Set(scenarios.flatMap((row) => (row.library === library ? (row.settings ?? []) : []))),
  ];
  return [
    grid([HEAD, ...lines]),
    '',
    'In each field: jobs lost / runs beyond the first / time until work went on.',
    `Settings: minq ${settings('minq').join(', ')}; ${settings('bullmq').join(', ')}.`,
    `Measured with Node ${node} and Redis ${redis}, seed ${seed}.`,
  ].join('\n');
}

function found({ lost, failed = 0, extraRuns, recoveredMs }: Row): string {
  // JSON has no Infinity: what was waited for in vain comes as null.
  const times = recoveredMs.filter((ms) => Number.isFinite(ms));
  const never = recoveredMs.length - times.length;
  const after = [
    ...(times.length > 0 ? [range(times)] : []),
    ...(never > 0 ? [`in vain ${never} x`] : []),
  ];
  const sound = failed > 0 ? ` (${failed} failed)` : '';
  return `${lost}${sound} / ${extraRuns} / ${after.join(', ') || '-'}`;
}

/** As prettier would have it. */
function grid([head, ...rows]: readonly (readonly string[])[]): string {
  const widths = head!.map((_, i) => Math.max(...[head!, ...rows].map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join(
    '\n',
  );
}

/** @throws where the marks are not there */
export function between(text: string, what: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`there is no ${BEGIN} with a ${END} after it`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${what}\n\n${text.slice(end)}`;
}

const [, program, ...files] = process.argv;
if (program && import.meta.url === pathToFileURL(program).href) {
  const all = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  if (!all[0]) throw new Error('give the file with the JSON of the suite');
  const results = { ...all[0], scenarios: all.flatMap(({ scenarios }) => scenarios) };
  const whats = new Map((await loadScenarios()).map(({ name, what }) => [name, what]));
  writeFileSync(GUIDE, between(readFileSync(GUIDE, 'utf8'), table(results, whats)));
}
