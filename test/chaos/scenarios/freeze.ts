/**
 * Scenario 4: workers that are still there but show no sign of life for two leases: frozen by SIGSTOP, or with an event
 * loop that a job holds up. Their jobs run anew elsewhere; then they come back and want to record what they did.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../helpers/until.ts';
import { nextRun, startsOf, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';

const freeze: Scenario = {
  name: 'freeze',
  what: 'event loop blocked, and SIGSTOP, for two leases: which run is recorded',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const { leaseMs } = setting;
      // A slot each: three workers have a job, the other three are there to take over.
      const start = () => setting.startWorker({ concurrency: 1 });
      const workers = await Promise.all(Array.from({ length: 6 }, start));
      const ids = await Promise.all([
        setting.enqueue('sleep', [leaseMs / 2]), // its newer run is over when the first comes back
        setting.enqueue('sleep', [leaseMs * 1.5]), // its newer run is under way then
        setting.enqueue('block', [leaseMs * 2, 1]),
      ]);
      await until(() => unfinished(setting.entries()).length === ids.length);
      const first = unfinished(setting.entries());
      const at = Date.now();
      const old = workers.filter(({ pid }) => first.some((run) => run.pid === pid));
      const frozen = old.filter(({ pid }) =>
        first.some((run) => run.pid === pid && run.id.startsWith('sleep')),
      );
      for (const worker of frozen) worker.kill('SIGSTOP');
      ground.say('frozen');
      await sleep(Math.max(0, at + 2 * leaseMs - Date.now()));
      for (const worker of frozen) worker.kill('SIGCONT');
      // The old runs come to their ends. What a worker has to record, it has recorded when it stops.
      const over = () =>
        first.every((run) => !unfinished(setting.entries(), run.pid).some((r) => r.id === run.id));
      await until(over, { timeoutMs: 4 * leaseMs + 10_000, everyMs: 20 });
      for (const worker of old) worker.kill('SIGTERM');
      await until(() => old.every(ended), { timeoutMs: 60_000 });
      ground.say('the old workers have stopped');
      await setting.drained();

      const entries = setting.entries();
      const broken: string[] = [];
      const waits: number[] = [];
      for (const run of first) {
        const again = nextRun(entries, run, at);
        if (again) waits.push(again.at - at);
        const starts = startsOf(entries, run.id).length;
        if (starts !== 2) broken.push(`${run.id} ran ${starts} times, not twice`);
        const last = startsOf(entries, run.id).at(-1)!;
        const recorded = (await setting.producer.ended(run.id))?.result;
        if (recorded !== `${last.attempt} ${last.pid}`) {
          broken.push(
            `${run.id}: "${recorded}" is recorded, the newer run was "${last.attempt} ${last.pid}"`,
          );
        }
      }
      for (const ms of waits.filter((each) => each > leaseMs + 1_000)) {
        broken.push(`${ms} ms until a frozen worker's job ran again`);
      }
      return setting.outcome(waits, broken);
    }),
};
export default freeze;
