/** The benchmark itself, as a process: that it runs, says everything, and leaves nothing behind. Its numbers are no matter here. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { bench, redisIsUp, type Report } from './helpers/benchmark.ts';
import { until } from './helpers/until.ts';

t.setTimeout(300_000); // some sixty processes, one after the other: half a minute alone, more beside other tests

const SPEED = ['jobsPerSecond'];
const SCRIPTS = ['longScripts', 'longestScriptMs'];
const COST = ['bytes', 'nodeCpuUs', 'redisCpuUs', ...SCRIPTS];
const COMMANDS = ['inScripts', 'sent'];
const usual = [...SPEED, ...COST, ...COMMANDS];
const uncounted = [...SPEED, ...COST];

/** The figures of each scenario, and whether the floor can do it. */
const SCENARIOS: Record<string, { figures: string[]; floor?: boolean }> = {
  'enqueue-one': { figures: usual, floor: true },
  'enqueue-50': { figures: usual, floor: true },
  'enqueue-concurrent': { figures: usual, floor: true },
  'enqueue-many': { figures: [...usual, 'memoryBytes'], floor: true },
  'process-1': { figures: usual, floor: true },
  'process-10': { figures: usual, floor: true },
  'process-100': { figures: [...usual, 'loopDelayP99Ms'], floor: true },
  'process-1000': { figures: usual, floor: true },
  'call-alone': { figures: [...usual, 'p50Ms', 'p99Ms'] },
  'call-50': { figures: [...usual, 'p50Ms', 'p99Ms'] },
  'io-10ms': { figures: [...usual, 'loopDelayP99Ms', 'ofIdeal'] },
  'io-mixed': { figures: [...usual, 'loopDelayP99Ms', 'ofIdeal'] },
  'args-1k': { figures: usual, floor: true },
  'args-100k': { figures: usual, floor: true },
  retries: { figures: usual },
  'workers-2': { figures: usual },
  'workers-4': { figures: usual },
  'cluster-1': { figures: uncounted },
  'cluster-2': { figures: uncounted },
  'cluster-3': { figures: uncounted },
  'cluster-4': { figures: uncounted },
  'chord-10000': { figures: usual },
  'backlog-1k': { figures: uncounted, floor: true },
  'backlog-100k': { figures: uncounted, floor: true },
  'backlog-1m': { figures: uncounted, floor: true },
  'delayed-1m': { figures: [...usual, 'memoryBytes', 'totalMiB'] },
  'delayed-due': { figures: uncounted },
  idle: { figures: [...COST, ...COMMANDS], floor: true },
};

/** No script may have been slow, and who is idle may send nothing. */
const MAY_BE_NONE = new Set([
  ...SCRIPTS,
  ...['minq', 'floor'].flatMap((library) => COMMANDS.map((name) => `idle ${library} ${name}`)),
]);

void t.test('a quick run gives every row, with every figure, as JSON, and a chart', async (t) => {
  const svg = path.join(t.testdir(), 'chart.svg');
  const { text, ended } = bench(
    t,
    '--quick',
    '--all',
    '--libs',
    'minq,floor',
    '--json',
    '--svg',
    svg,
  );
  t.equal(await ended, 0, text.err);
  t.equal(await redisIsUp(text.err), false, 'its Redis is stopped');

  const report = JSON.parse(text.out) as Report;
  t.match(report.machine, { cores: Number, node: String, redis: String });
  t.same(
    report.rows.map(({ scenario, library }) => `${scenario} ${library}`),
    Object.entries(SCENARIOS).flatMap(([name, { floor }]) =>
      floor ? [`${name} minq`, `${name} floor`] : [`${name} minq`],
    ),
  );
  for (const { scenario, library, figures } of report.rows) {
    t.same(
      Object.keys(figures).toSorted(),
      SCENARIOS[scenario]?.figures.toSorted(),
      `${library} ${scenario}`,
    );
    for (const [name, { median, min, max }] of Object.entries(figures)) {
      const what = `${scenario} ${library} ${name}`;
      const some = min > 0 || ((MAY_BE_NONE.has(name) || MAY_BE_NONE.has(what)) && min === 0);
      t.ok(some && min <= median && median <= max, `${what}: ${median}`);
    }
  }
  t.equal(report.budgets.length, 8);
  t.equal(report.growth.length, 2);
  const speed = report.comparisons.find((one) => one.figure === 'jobsPerSecond');
  t.match(speed, { scenario: 'enqueue-one', ratios: { floor: Number } });

  const [last] = text.err.trim().split('\n').slice(-1);
  t.match(last, /^(\d+)\/\1 idle floor round 1$/, 'the progress came to its end');
  const picture = readFileSync(svg, 'utf8');
  t.match(picture, /^<svg [^]*<\/svg>\n$/);
  for (const { scenario, library, figures } of report.rows) {
    const bar = `<title>${library}, ${scenario}</title>`;
    t.equal(picture.includes(bar), 'jobsPerSecond' in figures, bar);
  }
});

void t.test('it stops everything when it is told to', async (t) => {
  const { child, text, ended } = bench(
    t,
    '--libs',
    'minq,bee-queue',
    '--only',
    'workers-2',
    '--json',
  );
  await until(() => /^2\/12 /m.test(text.err) || child.exitCode !== null, {
    what: 'it measures',
    timeoutMs: 60_000,
  });
  t.equal(await redisIsUp(text.err), true, 'its Redis is up');
  child.kill('SIGINT');
  t.equal(await ended, 1);
  t.match(text.err, 'stopped by SIGINT');
  t.equal(await redisIsUp(text.err), false, 'its Redis is stopped');
});

void t.test('a name that does not exist is refused, and nothing is started', async (t) => {
  for (const [args, message] of [
    [['--libs', 'nope'], '--libs: there is no library nope'],
    [['--only', 'proc'], '--only: there is no scenario proc'],
    [['--rounds', '0'], '--rounds: 0 is no number of rounds'],
  ] as const) {
    const { text, ended } = bench(t, ...args);
    t.equal(await ended, 1);
    t.equal(text.err.trim().split('\n').at(-1), `bench: ${message}`);
    t.equal(text.out, '');
  }
});
