/**
 * `npm run bench`: minq, its peers and the floor on one Redis, side by side. Every library has a process of
 * its own for every scenario, and an empty Redis for every round; the rounds interleave (A B C D, A B C D),
 * so that a slow minute of the machine hits all alike.
 */
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { startRedis, type TestRedis } from '../test/helpers/redis.ts';
import type { Measurement } from './measure.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { Subject } from './subject.ts';
import { checkBudgets, compare, summarize, type Row } from './summary.ts';
import { budgetText, comparisonText, resultsText } from './table.ts';

async function measureAll(options: Options, redis: TestRedis, stop: AbortSignal): Promise<Row[]> {
  const plan = options.scenarios.map(({ name, waits }) => ({
    scenario: name,
    // The floor has no results to wait for.
    libraries: options.libraries.filter((library) => !(waits && library === 'floor')),
  }));
  const pairs = plan.flatMap(({ libraries }) => libraries).length;
  const progress = new Progress(pairs * (options.rounds + 1));
  const rows: Row[] = [];
  for (const { scenario, libraries } of plan) {
    const subjects: Subject[] = [];
    for (const library of libraries) {
      progress.step(`${scenario} ${library} warm-up`);
      subjects.push(await Subject.start(library, scenario, redis.url, options, stop));
    }
    const measured = new Map<string, Measurement[]>();
    for (let round = 1; round <= options.rounds; round++) {
      for (const subject of subjects) {
        progress.step(`${scenario} ${subject.library} round ${round}`);
        measured.set(subject.library, [
          ...(measured.get(subject.library) ?? []),
          await subject.round(),
        ]);
      }
    }
    for (const subject of subjects) await subject.end();
    for (const [library, rounds] of measured) rows.push(summarize(scenario, library, rounds));
  }
  progress.end();
  return rows;
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
    stop.abort();
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
