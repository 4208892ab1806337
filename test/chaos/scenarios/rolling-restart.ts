/**
 * Scenario 2: a deploy. Three workers under load are restarted one after the other: SIGTERM, and SIGKILL for one that is
 * not gone in time, as an orchestrator does. Short jobs may finish; long ones have to be handed over.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../helpers/seeded.ts';
import { until } from '../../helpers/until.ts';
import { startLoad } from '../load.ts';
import { nextRun, startsOf, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';

const WORKERS = 3;
const PER_SECOND = 200;
const LONG_JOBS = 6;
/** Beyond the time that a worker gives its jobs. */
const GRACE_MS = 2_000;
const HANDED_OVER_MS = 1_000;

const rollingRestart: Scenario = {
  name: 'rolling-restart',
  what: 'SIGTERM of three workers one after the other, under 200 jobs/s and with long jobs',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const random = seeded(ground.seed);
      const shutdownMs = ground.full ? 10_000 : 1_000;
      const start = () => setting.startWorker({ shutdownMs });
      const workers = await Promise.all(Array.from({ length: WORKERS }, start));
      const long = await Promise.all(
        Array.from({ length: LONG_JOBS }, () => setting.enqueue('sleep', [2 * shutdownMs + 1_000])),
      );
      const load = startLoad(setting, PER_SECOND, () => 20 + random(80));
      const cut: { pid: number; at: number }[] = [];
      let killed = 0;
      for (const [i, old] of workers.entries()) {
        await sleep(1_000); // all three at work
        const askedAt = Date.now();
        if (!(await stopped(old, shutdownMs + GRACE_MS))) killed++;
        cut.push({ pid: old.pid!, at: askedAt + shutdownMs });
        workers[i] = await start();
        ground.say(`${i + 1} of ${WORKERS} restarted`);
      }
      await load.stop();
      await setting.drained();

      const entries = setting.entries();
      const handedOver = cut.flatMap(({ pid, at }) =>
        unfinished(entries, pid).map((run) => (nextRun(entries, run, at)?.at ?? Infinity) - at),
      );
      const broken = handedOver
        .filter((ms) => ms > HANDED_OVER_MS)
        .map((ms) => `${ms} ms until an unfinished job ran again`);
      if (killed > 0) broken.push(`${killed} workers had to be killed`);
      if (handedOver.length === 0) broken.push('nothing was handed over: nothing was shown');
      const again = [...setting.accepted].filter(
        (id) => !long.includes(id) && startsOf(entries, id).length > 1,
      );
      if (again.length > 0) broken.push(`${again.length} short jobs ran twice`);
      return setting.outcome(handedOver, broken, {
        notes: [
          `${shutdownMs / 1_000} s to finish`,
          `${handedOver.length} runs of long jobs handed over`,
        ],
      });
    }),
};
export default rollingRestart;

/** @returns false when it had to be killed */
async function stopped(worker: ChildProcess, timeoutMs: number): Promise<boolean> {
  worker.kill('SIGTERM');
  const inTime = await until(() => ended(worker), { timeoutMs, everyMs: 20 }).then(
    () => true,
    () => false,
  );
  worker.kill('SIGKILL');
  await until(() => ended(worker));
  return inTime;
}
