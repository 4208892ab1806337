/** The storm, a minute of it. */
import t from 'tap';
import { planFaults, REDIS_FAULTS, WORKER_FAULTS } from './storm/faults.ts';
import { planned } from './storm/plan.ts';
import { storm } from './storm/storm.ts';

t.setTimeout(600_000);

const SEED = Number(process.env['MINQ_STORM_SEED'] ?? 20_261_121);
const SECONDS = Number(process.env['MINQ_STORM_SECONDS'] ?? 60);

void t.test(
  `${SECONDS} s of faults by seed ${SEED}: nothing lost, nothing unasked, all settled once`,
  async (t) => {
    const report = await storm({ seed: SEED, seconds: SECONDS, say: (line) => t.comment(line) });
    const { lost, unexpected, broken, ...numbers } = report;
    t.comment(JSON.stringify(numbers));
    t.same([...lost, ...unexpected, ...broken], [], `again: MINQ_STORM_SEED=${SEED}`);
    t.ok(report.accepted > 100, `${report.accepted} calls were accepted`);
    t.ok(report.extraRuns > 0, 'the faults did hit runs');
    t.ok(report.ticks > 5, `cron fired ${report.ticks} times`);
    t.ok(report.checks > 10, `the invariants were looked at ${report.checks} times`);
    const missing = [...WORKER_FAULTS, ...REDIS_FAULTS].filter((name) => !report.faults[name]);
    if (SECONDS >= 30) t.same(missing, [], 'every fault was done');
  },
);

void t.test('the seed fixes the faults and the jobs', async (t) => {
  const cast = { leaseMs: 2_000, workers: 3, spared: 1 };
  const jobs = (seed: number) => Array.from({ length: 200 }, (_, n) => planned(seed, n));
  t.same(planFaults(1, 60, cast), planFaults(1, 60, cast));
  t.notSame(planFaults(1, 60, cast), planFaults(2, 60, cast));
  t.same(jobs(1), jobs(1));
  t.notSame(jobs(1), jobs(2));
  const { workers, redis } = planFaults(3, 60, cast);
  t.same(new Set(redis.map(({ fault }) => fault)), new Set(REDIS_FAULTS), 'all kinds in a minute');
  t.same(new Set(workers.map(({ fault }) => fault)), new Set(WORKER_FAULTS));
  const killed = workers.filter(({ fault }) => fault === 'kill worker');
  t.same(
    new Set(killed.map(({ target }) => target)),
    new Set([1, 2]),
    'who is spared is not killed',
  );
});
