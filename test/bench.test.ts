/** The benchmark itself, as a process: that it runs, says everything, and leaves nothing behind. Its numbers are no matter here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { until } from './helpers/until.ts';

const root = path.join(import.meta.dirname, '..');

function bench(...args: string[]) {
  const child = spawn(process.execPath, ['--import=jiti/register', 'bench/run.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGTERM'));
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, text, ended };
}

/** Whether somebody listens at the address that the benchmark said its Redis has. */
async function redisIsUp(stderr: string): Promise<boolean> {
  const port = Number(/at redis:\/\/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1]);
  const socket = connect(port, '127.0.0.1');
  const up = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return up;
}

interface Report {
  machine: Record<string, unknown>;
  rows: {
    scenario: string;
    library: string;
    figures: Record<string, { median: number; min: number; max: number }>;
  }[];
  comparisons: { scenario: string; figure: string; ratios: Record<string, number> }[];
  budgets: { what: string; is: number; atMost: number; kept: boolean }[];
}

const SCENARIOS = [
  'enqueue-one',
  'enqueue-concurrent',
  'enqueue-many',
  'process-1',
  'process-10',
  'process-100',
  'call-alone',
  'call-50',
];

void t.test('a quick run gives every row, with every figure, as JSON', async (t) => {
  const { text, ended } = bench('--quick', '--libs', 'minq,floor', '--json');
  t.equal(await ended, 0, text.err);
  t.equal(await redisIsUp(text.err), false, 'its Redis is stopped');

  const report = JSON.parse(text.out) as Report;
  t.match(report.machine, { cores: Number, node: String, redis: String });
  t.same(
    report.rows.map(({ scenario, library }) => `${scenario} ${library}`),
    SCENARIOS.flatMap((name) =>
      name.startsWith('call') ? [`${name} minq`] : [`${name} minq`, `${name} floor`],
    ),
  );
  for (const { scenario, library, figures } of report.rows) {
    const more = scenario.startsWith('call')
      ? ['p50Ms', 'p99Ms']
      : scenario === 'enqueue-many'
        ? ['memoryBytes']
        : [];
    t.same(
      Object.keys(figures).toSorted(),
      [
        'bytes',
        'inScripts',
        'jobsPerSecond',
        'nodeCpuUs',
        'redisCpuUs',
        'sent',
        ...more,
      ].toSorted(),
      `${library} ${scenario}`,
    );
    for (const [name, { median, min, max }] of Object.entries(figures)) {
      t.ok(min > 0 && min <= median && median <= max, `${library} ${scenario} ${name}: ${median}`);
    }
  }
  t.equal(report.budgets.length, 3);
  const speed = report.comparisons.find((one) => one.figure === 'jobsPerSecond');
  t.match(speed, { scenario: 'enqueue-one', ratios: { floor: Number } });
});

void t.test('it stops everything when it is told to', async (t) => {
  const { child, text, ended } = bench('--libs', 'minq', '--json');
  await until(() => /^1\/48 /m.test(text.err) || child.exitCode !== null, { what: 'it measures' });
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
    const { text, ended } = bench(...args);
    t.equal(await ended, 1);
    t.equal(text.err.trim().split('\n').at(-1), `bench: ${message}`);
    t.equal(text.out, '');
  }
});
