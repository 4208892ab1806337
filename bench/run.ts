/**
 * `npm run bench`: minq, its peers and the floor on one Redis, side by side. Every library has a process of
 * its own for every scenario, and an empty Redis for every round; the rounds interleave (A B C D, A B C D),
 * so that a slow minute of the machine hits all alike.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { startRedis, type TestRedis } from '../test/helpers/redis.ts';
import { chart } from './chart.ts';
import type { Measurement } from './measurement.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { Subject } from './subject.ts';
import { checkBudgets, checkGrowth, compare, summarize, type Row } from './summary.ts';
import { budgetText, comparisonText, growthText, resultsText } from './table.ts';

/** One library in one scenario, and what its rounds gave. */
interface Series {
  scenario: string;
  library: string;
  rounds: Measurement[];
}

async function measureAll(options: Options, redis: TestRedis, stop: AbortSignal): Promise<Row[]> {
  const plan = options.scenarios.map(({ name, alone, without }) => ({
    alone,
    series: options.libraries
      .filter((library) => !without?.includes(library))
      .map((library): Series => ({ scenario: name, library, rounds: [] })),
  }));
  const together = plan.filter(({ alone }) => !alone).map(({ series }) => series);
  const alone = plan.filter((one) => one.alone).flatMap(({ series }) => series);
  const steps = together.flat().length * (options.rounds + 1) + alone.length * 2 * options.rounds;
  const progress = new Progress(steps);
  const start = ({ scenario, library }: Series) => {
    progress.step(`${scenario} ${library} warm-up`);
    return Subject.start(library, scenario, redis.url, options, stop);
  };
  const measure = async ({ scenario, library, rounds }: Series, subject: Subject) => {
    progress.step(`${scenario} ${library} round ${rounds.length + 1}`);
    rounds.push(await subject.round());
  };

  for (const series of together) {
    const subjects: Subject[] = [];
    // One after the other, that none warms up in another's heat; in a quick run that is no matter.
    if (options.quick) subjects.push(...(await Promise.all(series.map(start))));
    else for (const one of series) subjects.push(await start(one));
    for (let round = 1; round <= options.rounds; round++) {
      for (const [i, one] of series.entries()) await measure(one, subjects[i]!);
    }
    for (const subject of subjects) await subject.end();
  }
  // These are compared with each other, too: a backlog of a million with one of a thousand.
  for (let round = 1; round <= options.rounds; round++) {
    for (const one of alone) {
      const subject = await start(one);
      await measure(one, subject);
      await subject.end();
    }
  }
  progress.end();
  return plan.flatMap(({ series }) =>
    series.map(({ scenario, library, rounds }) => summarize(scenario, library, rounds)),
  );
}

async function describeMachine(redis: TestRedis, libraries: readonly string[]) {
  const require = createRequire(import.meta.url);
  const version = (name: string) => {
    if (name === 'floor' || name === 'before') return undefined;
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
    const growth = checkGrowth(rows);
    const { rounds, svg } = options;
    if (options.json) {
      console.log(
        JSON.stringify({ machine, rounds, seconds, rows, comparisons, budgets, growth }, null, 2),
      );
    } else {
      console.log(`${rounds} interleaved rounds, ${seconds} s\n`);
      console.log(resultsText(rows, options.scenarios));
      if (comparisons.length > 0) console.log(`\n${comparisonText(comparisons)}`);
      if (budgets.length > 0) console.log(`\n${budgetText(budgets)}`);
      if (growth.length > 0) console.log(`\n${growthText(growth)}`);
    }
    if (svg) {
      const made = `Node ${machine.node}, Redis ${machine.redis}, ${machine.cores} cores, median of ${rounds} rounds`;
      writeFileSync(svg, chart(rows, options.scenarios, names, made));
    }
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
