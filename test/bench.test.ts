/** The benchmark itself, as a process: that it runs, and leaves nothing behind. (All of it: `bench.long.test.ts`.) */
import t from 'tap';
import { bench, redisIsUp, type Report } from './helpers/benchmark.ts';
import { until } from './helpers/until.ts';

t.setTimeout(120_000);

void t.test('a quick run of one scenario, as JSON', async (t) => {
  const { text, ended } = bench(
    t,
    '--quick',
    '--only',
    'call-alone',
    '--libs',
    'minq,floor',
    '--json',
  );
  t.equal(await ended, 0, text.err);
  t.equal(await redisIsUp(text.err), false, 'its Redis is stopped');
  const { machine, rows } = JSON.parse(text.out) as Report;
  t.match(machine, { cores: Number, node: String, redis: String });
  t.match(rows, [
    { scenario: 'call-alone', library: 'minq', figures: { p50Ms: { median: Number } } },
  ]);
  t.equal(rows.length, 1, 'the floor does not call');
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
