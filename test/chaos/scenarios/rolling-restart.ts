/**
 * Scenario 2: a deploy. Three workers under load are restarted one after the other: SIGTERM, and SIGKILL for one that is
 * not gone in time, as an orchestrator does. Short jobs may finish; long ones have to be handed over.
 */
import type { ChildProcess } from 'node:child_process';
import { until } from '../../helpers/until.ts';
import { startLoad } from '../load.ts';
import { nextRun, startsOf, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';
import { randomOf } from '../storm/random.ts';

const WORKERS = 3;
const PER_SECOND = 200;
/** Enqueued before each restart. */
const LONG_JOBS = 3;
/** Beyond the time that a worker gives its jobs. */
const GRACE_MS = 2_000;
const HANDED_OVER_MS = 1_000;

const rollingRestart: Scenario = {
  name: 'rolling-restart',
  what: 'SIGTERM of three workers one after the other, under 200 jobs/s and with long jobs',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const random = randomOf(ground.seed, 'rolling-restart');
      const shutdownMs = ground.full ? 10_000 : 1_000;
      const longMs = shutdownMs + GRACE_MS + 1_000;
      const start = () => setting.startWorker({ shutdownMs });
      const old = new Set(await Promise.all(Array.from({ length: WORKERS }, start)));
      const long = new Set<string>();
      const load = startLoad(setting, PER_SECOND, () => random.between(20, 100));
      const cut: { pid: number; at: number }[] = [];
      let killed = 0;
      for (let i = 1; i <= WORKERS; i++) {
        for (let n = 0; n < LONG_JOBS; n++) {
          long.add(await setting.enqueue('sleep', [longMs]));
        }
        const held = () => unfinished(setting.entries()).filter(({ id }) => long.has(id));
        await until(() => [...long].every((id) => startsOf(setting.entries(), id).length > 0));
        // One that has something to hand over, as long as there is one.
        const holders = new Set(held().map(({ pid }) => pid));
        const victim = [...old].find(({ pid }) => holders.has(pid!)) ?? [...old][0]!;
        old.delete(victim);
        const askedAt = Date.now();
        if (!(await stopped(victim, shutdownMs + GRACE_MS))) killed++;
        cut.push({ pid: victim.pid!, at: askedAt + shutdownMs });
        await start();
        ground.say(`${i} of ${WORKERS} restarted`);
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
        (id) => !long.has(id) && startsOf(entries, id).length > 1,
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
