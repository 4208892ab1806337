/** The command line of the suite. */
import { parseArgs } from 'node:util';
import { toMs } from '../../src/job/duration.ts';
import type { LibraryName } from './libraries/library.ts';
import type { Scenario } from './scenario.ts';

export interface Options {
  readonly seed: number;
  readonly scenarios: readonly Scenario[];
  readonly libraries: readonly LibraryName[];
  readonly full: boolean;
  /** Of the storm; undefined: none. */
  readonly stormSeconds: number | undefined;
  readonly soakMs: number | undefined;
  readonly mutants: boolean;
  readonly json: boolean;
}

/** What is wrong with the command line, in a line. */
export class UsageError extends Error {}

export const LIBRARIES: readonly LibraryName[] = ['minq', 'bullmq'];
const STORM_SECONDS = 60;
const SHORTEST_SOAK_MS = 20_000;

export const usage = (scenarios: readonly Scenario[]): string =>
  `Does to minq what production does, and checks that it keeps its promises.

  npm run chaos -- [options]

Without options: every scenario, for minq and its peers, then a storm of ${STORM_SECONDS} s. With --scenario, --storm,
--mutants or --soak: what these name, and nothing else.

  --scenario <name>  one scenario; may be given several times
  --storm            faults drawn by the seed, under load, and a checker that looks on
  --seconds <n>      how long the storm lasts (default ${STORM_SECONDS})
  --soak <time>      a storm for '1h' or '5m', say; memory, handles and keys must not grow
  --mutants          plants bugs, and says which test notices each of them
  --seed <n>         fixes the faults and the jobs; not the timing of processes (default: another each time)
  --full             scenarios as long and as often as in the reference, not in their short form
  --libs <names>     libraries, separated by commas: ${LIBRARIES.join(', ')}
  --json             the results as JSON on standard output
  --help

Scenarios:
${scenarios.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join('\n')}

Exit codes: 0 minq kept its promises, 1 it did not, or a mutant survived, 2 wrong usage.`;

/**
 * @returns undefined when help is asked for
 * @throws {UsageError}
 */
export function readOptions(args: string[], all: readonly Scenario[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const named = values.scenario?.map((name) => {
    const found = all.find((one) => one.name === name);
    return found ?? wrong(`--scenario: there is no ${name}; there are ${names(all)}`);
  });
  const libraries = values.libs?.split(',').map((name) => {
    const found = LIBRARIES.find((one) => one === name);
    return found ?? wrong(`--libs: there is no ${name}; there are ${LIBRARIES.join(', ')}`);
  });
  const soakMs = values.soak === undefined ? undefined : duration(values.soak);
  const everything = !named && !values.storm && !values.mutants && soakMs === undefined;
  const seconds = values.seconds === undefined ? STORM_SECONDS : whole('--seconds', values.seconds);
  if (seconds === 0) wrong('--seconds: a storm lasts at least a second');
  if (values.seconds !== undefined && !everything && !values.storm) {
    wrong('--seconds: it goes with --storm');
  }
  return {
    seed: values.seed === undefined ? Date.now() % 1_000_000 : whole('--seed', values.seed),
    scenarios: named ?? (everything ? all : []),
    libraries: libraries ?? LIBRARIES,
    full: values.full,
    stormSeconds: everything || values.storm ? seconds : undefined,
    soakMs,
    mutants: values.mutants,
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        scenario: { type: 'string', multiple: true },
        storm: { type: 'boolean', default: false },
        seed: { type: 'string' },
        seconds: { type: 'string' },
        soak: { type: 'string' },
        mutants: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        libs: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    // Node's own words, without the advice on how to pass an argument that begins with a dash.
    return wrong((error as Error).message.split(/\.\s/)[0]!);
  }
}

function wrong(what: string): never {
  throw new UsageError(`${what} (--help says more)`);
}

function whole(name: string, text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return Number.isNaN(value) ? wrong(`${name}: ${text} is no whole number`) : value;
}

function duration(text: string): number {
  try {
    return toMs(text, '--soak', SHORTEST_SOAK_MS);
  } catch (error) {
    return wrong((error as Error).message);
  }
}

const names = (all: readonly Scenario[]) => all.map(({ name }) => name).join(', ') || 'none yet';
