/**
 * `npm run chaos`: does to minq what production does. Progress goes to standard error; what was found out, as a table or
 * as JSON, to standard output.
 */
import { spawnSync } from 'node:child_process';
import { redisProgram } from '../helpers/server-process.ts';
import { loadLibrary, loadScenarios, runMutants } from './catalogue.ts';
import type { LibraryName } from './libraries/library.ts';
import { readOptions, usage, UsageError, type Options } from './options.ts';
import { text } from './report.ts';
import { failuresOf, type Results } from './results.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { soak } from './storm/soak.ts';
import { storm } from './storm/storm.ts';

/** None takes nearly as long; one that hangs is not to keep the others from their turn. */
const SCENARIO_MS = { short: 10 * 60_000, full: 40 * 60_000 };

/** Whatever is left over when all is said is named, and does not keep us: a scenario that was given up, say. */
const LINGER_MS = 10_000;

const startedAt = performance.now();
const say = (line: string) => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(`${seconds.padStart(7)} s  ${line}\n`);
};

async function runScenario(
  scenario: Scenario,
  name: LibraryName,
  { seed, full }: Options,
): Promise<Outcome> {
  const note = (line: string) => say(`${scenario.name}, ${name}: ${line}`);
  note(scenario.what);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const ms = full ? SCENARIO_MS.full : SCENARIO_MS.short;
    timer = setTimeout(() => reject(new Error(`it takes longer than ${ms / 60_000} min`)), ms);
  });
  try {
    const library = await loadLibrary(name);
    return await Promise.race([scenario.run({ library, seed, full, say: note }), late]);
  } catch (error) {
    note((error as Error).stack ?? String(error));
    const why = `it did not come to its end: ${(error as Error).message}`;
    return { accepted: 0, lost: 0, extraRuns: 0, recoveredMs: [], broken: [why] };
  } finally {
    clearTimeout(timer);
  }
}

async function runAll(options: Options): Promise<Results> {
  const { seed, stormSeconds, soakMs } = options;
  const node = process.versions.node;
  const results: Results = { seed, node, redis: redisVersion(), scenarios: [] };
  for (const scenario of options.scenarios) {
    for (const library of scenario.libraries) {
      if (!options.libraries.includes(library)) continue;
      const outcome = await runScenario(scenario, library, options);
      results.scenarios.push({ scenario: scenario.name, library, ...outcome });
    }
  }
  const note = (line: string) => say(`storm: ${line}`);
  if (stormSeconds !== undefined) {
    results.storm = await storm({ seed, seconds: stormSeconds, say: note });
  }
  if (soakMs !== undefined) results.soak = await soak({ seed, ms: soakMs, say: note });
  if (options.mutants) results.mutants = await runMutants({ seed, say });
  return results;
}

/** `7.0.15`, or what another server calls itself. */
function redisVersion(): string {
  const { stdout } = spawnSync(redisProgram(), ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(stdout ?? '')?.[1] ?? 'unknown';
}

async function main(): Promise<number> {
  const scenarios = await loadScenarios();
  const options = readOptions(process.argv.slice(2), scenarios);
  if (!options) {
    console.log(usage(scenarios));
    return 0;
  }
  // What was started is ended on the way out, whatever ends us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error(`chaos: stopped by ${signal}; the seed was ${options.seed}`);
      process.exit(1);
    });
  }
  say(`seed ${options.seed}`);
  const results = await runAll(options);
  const failures = failuresOf(results, options.full);
  if (options.json) console.log(JSON.stringify(results, null, 2));
  else {
    const { seed, node, redis } = results;
    console.log(`seed ${seed}, Node ${node}, Redis ${redis}\n\n${text(results, failures)}`);
  }
  for (const { why, replay } of options.json ? failures : []) {
    console.error(`${why[0]}${why.length > 1 ? ` (and ${why.length - 1} more)` : ''}: ${replay}`);
  }
  return failures.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const { message, stack } = error as Error;
  const usageError = error instanceof UsageError;
  console.error(`chaos: ${usageError ? message : stack}`);
  process.exitCode = usageError ? 2 : 1;
}
setTimeout(() => {
  console.error(`chaos: not ended by itself: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit();
}, LINGER_MS).unref();
