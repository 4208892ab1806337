/** The storm, a minute of it. */
import t from 'tap';
import { REDIS_FAULTS, WORKER_FAULTS } from './storm/faults.ts';
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
