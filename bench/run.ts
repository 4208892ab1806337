/**
 * `npm run bench`: minq, its peers and the floor on one Redis, side by side. Every measurement is a process
 * of its own on an empty Redis; the rounds interleave (A B C D, A B C D), so that a slow minute of the
 * machine hits all alike.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { startRedis, type TestRedis } from '../test/helpers/redis.ts';
import type { Measurement } from './measure.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { checkBudgets, compare, summarize, type Row } from './summary.ts';
import { budgetText, comparisonText, resultsText } from './table.ts';

/** No measurement takes nearly as long; one that does is stuck. */
const MEASUREMENT_MS = 60_000;

async function measureAll(options: Options, redis: TestRedis, stop: AbortSignal): Promise<Row[]> {
  const pairs = options.scenarios.flatMap((scenario) =>
    options.libraries
      // The floor has no results to wait for.
      .filter((library) => !(scenario.waits && library === 'floor'))
      .map((library) => ({ scenario: scenario.name, library, rounds: [] as Measurement[] })),
  );
  const progress = new Progress(pairs.length * options.rounds);
  for (let round = 1; round <= options.rounds; round++) {
    for (const { scenario, library, rounds } of pairs) {
      progress.step(`round ${round} ${scenario} ${library}`);
      await redis.client.flushall();
      rounds.push(await measure(library, scenario, redis.url, options, stop));
    }
  }
  progress.end();
  return pairs.map(({ scenario, library, rounds }) => summarize(scenario, library, rounds));
}

async function measure(
  library: string,
  scenario: string,
  url: string,
  { forMs, profile }: Options,
  stop: AbortSignal,
): Promise<Measurement> {
  const timeout = AbortSignal.timeout(MEASUREMENT_MS);
  const args = [library, scenario, url, String(forMs)];
  if (profile) args.push(path.join(profile, `${scenario}-${library}.cpuprofile`));
  const child = fork(path.join(import.meta.dirname, 'measure.ts'), args, {
    signal: AbortSignal.any([stop, timeout]),
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // Heard only if it fails: some libraries warn of their own doings.
  let complaints = '';
  child.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  let measurement: Measurement | undefined;
  child.on('message', (message) => (measurement = message as Measurement));
  // Rejects when the child is ended by the signal given.
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (!measurement) {
    throw new Error(`${library} ${scenario} ended with ${signal ?? code}\n${complaints}`);
  }
  return measurement;
}

async function describeMachine(redis: TestRedis, libraries: readonly string[]) {
  const require = createRequire(import.meta.url);
  const version = (name: string) => {
    if (name === 'floor') return undefined;
    const file = name === 'minq' ? '../package.json' : `${name}/package.json`;
    return (require(file) as { version: string }).version;
  };
  const info = await redis.client.info('server');
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    redis: /^redis_version:(.*?)\r?$/m.exec(info)?.[1] ?? 'unknown',
    libraries: Object.fromEntries(libraries.map((name) => [name, version(name)])),
  };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(USAGE);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  const redis = await startRedis();
  process.on('exit', () => redis.signal('SIGKILL'));
  try {
    const machine = await describeMachine(redis, options.libraries);
    const names = Object.entries(machine.libraries).map(([name, v]) => (v ? `${name} ${v}` : name));
    // What goes to standard output is either for people or for programs.
    const tell = options.json ? console.error : console.log;
    tell(`${machine.cores} cores (${machine.cpu}), Node ${machine.node}, ${names.join(', ')}`);
    tell(`Redis ${machine.redis} at ${redis.url}, nothing written to disk`);
    const startedAt = performance.now();
    const rows = await measureAll(options, redis, stop.signal);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const comparisons = compare(rows, options.scenarios);
    const budgets = checkBudgets(rows);
    const { rounds } = options;
    if (options.json) {
      console.log(
        JSON.stringify({ machine, rounds, seconds, rows, comparisons, budgets }, null, 2),
      );
      return;
    }
    console.log(`${rounds} interleaved rounds, ${seconds} s\n`);
    console.log(resultsText(rows, options.scenarios));
    if (comparisons.length > 0) console.log(`\n${comparisonText(comparisons)}`);
    if (budgets.length > 0) console.log(`\n${budgetText(budgets)}`);
  } finally {
    await redis.stop();
  }
}

try {
  await main();
} catch (thrown) {
  const error = thrown as Error & { cause?: Error };
  console.error(`bench: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
