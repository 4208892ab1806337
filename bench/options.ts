import { parseArgs } from 'node:util';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { BEFORE, LIBRARIES } from './libraries.ts';
import { SCENARIOS, scenariosNamed } from './scenarios.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Options {
  rounds: number;
  scenarios: readonly Scenario[];
  libraries: readonly string[];
  /** How long each process warms up, and measures in a round. */
  warmUpMs: number;
  roundMs: number;
  /** Small sizes. */
  quick: boolean;
  json: boolean;
  /** File for a chart. */
  svg: string | undefined;
  /** Folder for a CPU profile of each measurement. */
  profile: string | undefined;
}

/** The names of these, indented, no line too long. */
function lines(scenarios: readonly Scenario[]): string {
  const wrapped = [''];
  for (const { name } of scenarios) {
    if (wrapped.at(-1)!.length + name.length > 60) wrapped.push('');
    wrapped.push(`${wrapped.pop()}${name}, `);
  }
  return wrapped
    .map((line) => `${' '.repeat(24)}${line.trim()}`)
    .join('\n')
    .replace(/,$/, '');
}

export const USAGE = `Measures minq beside other queues, each measurement in a process of its own.

  npm run bench -- [options]

  --rounds <n>        how often all is measured, in turn (default 5)
  --only <names>      scenarios, separated by commas, or what they begin with (enqueue, backlog):
${lines(SCENARIOS.filter(({ long }) => !long))}
                      and these, which take longer and are left out unless named:
${lines(SCENARIOS.filter(({ long }) => long))}
  --all               all of them: half an hour and more
  --libs <names>      libraries, separated by commas: ${Object.keys(LIBRARIES).join(', ')}
  --before <folder>   measures beside it another build of minq, of the checkout in that folder (npm ci, npm run build)
  --quick             one short round, to see that it works; its numbers mean little
  --json              the numbers as JSON on standard output
  --svg <file>        writes a chart of the speeds there
  --profile <folder>  writes a CPU profile of each measurement there
  --help`;

/** @returns undefined when help is asked for */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      all: { type: 'boolean', default: false },
      only: { type: 'string' },
      libs: { type: 'string' },
      before: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      svg: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds: ${values.rounds} is no number of rounds`);
  }
  const named = list(values.only)?.map((name) => {
    const found = scenariosNamed(name);
    if (found.length === 0) throw new Error(`--only: there is no scenario ${name}`);
    return found;
  });
  if (values.before !== undefined) {
    if (!existsSync(path.join(values.before, 'dist/index.js'))) {
      throw new Error(
        `--before: there is no build of minq in ${values.before}; run npm run build there`,
      );
    }
    process.env[BEFORE] = path.resolve(values.before);
  }
  const known = Object.keys(LIBRARIES).filter((name) => name !== 'before' || process.env[BEFORE]);
  const libraries = list(values.libs) ?? known;
  for (const name of libraries) {
    if (name === 'before' && !known.includes(name)) {
      throw new Error('--libs: before needs --before <folder>');
    }
    if (!known.includes(name)) throw new Error(`--libs: there is no library ${name}`);
  }
  return {
    rounds,
    scenarios: SCENARIOS.filter((one) =>
      named ? named.flat().includes(one) : values.all || !one.long,
    ),
    libraries: Object.keys(LIBRARIES).filter((name) => libraries.includes(name)),
    ...(values.quick ? { warmUpMs: 40, roundMs: 40 } : { warmUpMs: 1_500, roundMs: 400 }),
    quick: values.quick,
    json: values.json,
    svg: values.svg,
    profile: values.profile,
  };
}

const list = (text: string | undefined): string[] | undefined => text?.split(',').filter(Boolean);
