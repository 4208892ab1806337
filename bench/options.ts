import { parseArgs } from 'node:util';
import { LIBRARIES } from './libraries.ts';
import { SCENARIOS, scenariosNamed, type Scenario } from './scenarios.ts';

export interface Options {
  rounds: number;
  scenarios: readonly Scenario[];
  libraries: readonly string[];
  /** How long each process warms up, and measures in a round. */
  warmUpMs: number;
  roundMs: number;
  json: boolean;
  /** Folder for a CPU profile of each measurement. */
  profile: string | undefined;
}

export const USAGE = `Measures minq beside other queues, each measurement in a process of its own.

  npm run bench -- [options]

  --rounds <n>        how often all is measured, in turn (default 5)
  --only <names>      scenarios, separated by commas: ${SCENARIOS.map(({ name }) => name).join(', ')};
                      or what they begin with: enqueue, process, call
  --libs <names>      libraries, separated by commas: ${Object.keys(LIBRARIES).join(', ')}
  --quick             one short round, to see that it works; its numbers mean little
  --json              the numbers as JSON on standard output
  --profile <folder>  writes a CPU profile of each measurement there
  --help`;

/** @returns undefined when help is asked for */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      libs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
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
  const libraries = list(values.libs) ?? Object.keys(LIBRARIES);
  for (const name of libraries) {
    if (!Object.hasOwn(LIBRARIES, name)) throw new Error(`--libs: there is no library ${name}`);
  }
  return {
    rounds,
    scenarios: named ? SCENARIOS.filter((one) => named.flat().includes(one)) : SCENARIOS,
    libraries: Object.keys(LIBRARIES).filter((name) => libraries.includes(name)),
    ...(values.quick ? { warmUpMs: 40, roundMs: 40 } : { warmUpMs: 1_500, roundMs: 400 }),
    json: values.json,
    profile: values.profile,
  };
}

const list = (text: string | undefined): string[] | undefined => text?.split(',').filter(Boolean);
