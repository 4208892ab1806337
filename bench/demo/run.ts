/**
 * `npm run demo [-- --files n] [--json]`: a real workload through a real worker process. Every text file of the
 * installed packages becomes a job; some fail and are retried, some fail for good, some are delayed.
 * Exit codes: 0 all numbers add up, 1 something doesn't, 2 wrong usage, 130 interrupted.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue } from 'minq';
import { findContradictions } from './check.ts';
import { findFiles } from './files.ts';
import { summarize } from './numbers.ts';
import { startProgress } from './progress.ts';
import { findRedis, type DemoRedis } from './redis.ts';
import { table } from './report.ts';
import { Interrupted, startWorker } from './worker.ts';
import { callEach, planWork, runAll, untilWorkerIsThere } from './workload.ts';

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const FILES = 4_000;
const FILES_ON_SLOW_REDIS = 300;
const BINARY_FILES = 5;
const CALLS = 50;

const say = (text: string) => void process.stderr.write(`${text}\n`);

const HELP = `Usage: npm run demo -- [options]

  --files n   how many files (default: all there are, up to ${FILES})
  --json      print the closing numbers as JSON
`;

interface Options {
  files: number | undefined;
  json: boolean;
}

async function demo(redis: DemoRedis, name: string, options: Options, stop: AbortController) {
  const { signal } = stop;
  const queue = new Queue<typeof import('./jobs.ts')>(name, { redis: redis.url });
  const worker = startWorker(redis.url, name, (error) => stop.abort(error));
  try {
    const most = options.files ?? (redis.slow ? FILES_ON_SLOW_REDIS : FILES);
    const files = await findFiles(PACKAGES, { text: most, binary: BINARY_FILES }, signal);
    const plan = planWork(files);
    await untilWorkerIsThere(queue, signal);

    say(
      `  jobs    ${plan.items.length.toLocaleString('en')}: read a file, count its words, hash and compress it\n`,
    );
    const progress = startProgress(plan.items.length);
    const infos = await runAll(queue, plan.items, progress.tick, signal).finally(progress.stop);
    const calls = await callEach(queue, files.text.slice(0, CALLS), signal);

    const numbers = summarize(plan, infos, calls, redis.what);
    const [counts, stats] = await Promise.all([queue.counts(), queue.stats()]);
    const wrong = await findContradictions({
      plan,
      infos,
      numbers,
      calls: calls.length,
      counts,
      stats,
    });
    return { numbers, wrong };
  } finally {
    await worker.stop().finally(() => queue.close());
  }
}

/** @returns the exit code */
async function main(options: Options): Promise<number> {
  const stop = new AbortController();
  // Every wait of the demo ends with this signal; what was started is then stopped on the usual way out.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Interrupted()));
  }
  const redis = await findRedis();
  const name = `demo-${randomUUID().slice(0, 8)}`;
  say(`\n  minq demo\n\n  Redis   ${redis.what}`);
  try {
    const { numbers, wrong } = await demo(redis, name, options, stop);
    const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
    process.stdout.write(
      options.json ? `${JSON.stringify(numbers)}\n` : `${table(numbers, PACKAGES, colour)}\n`,
    );
    for (const line of wrong) say(`  does not add up: ${line}`);
    if (wrong.length === 0) say('\n  All numbers add up.\n');
    return wrong.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    say('  interrupted');
    return 130;
  } finally {
    await redis.stop(name);
  }
}

/** @returns undefined when the arguments can't be used */
function readOptions(argv: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { files: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (values.files !== undefined && !/^[1-9]\d{0,5}$/.test(values.files)) return undefined;
    return {
      files: values.files === undefined ? undefined : Number(values.files),
      json: values.json,
    };
  } catch {
    return undefined; // an option there isn't
  }
}

const options = readOptions(process.argv.slice(2));
try {
  if (!options) say(HELP);
  process.exitCode = options ? await main(options) : 2;
} catch (error) {
  say(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
}
