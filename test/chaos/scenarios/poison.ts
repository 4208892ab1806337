/** Scenario 5: a job that takes its worker down, beside good ones; a supervisor starts the worker again each time. */
import { until } from '../../helpers/until.ts';
import { interrupted, startsOf } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';

const GOOD = 500;
const GOOD_MS = 50;
const RETRIES = 2;
/** For the good ones, beyond the leases that the crashes cost. */
const MOST_MS = 30_000;

const poison: Scenario = {
  name: 'poison',
  what: 'a job that ends its process, among 500 good ones, one worker under a supervisor',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const bad = await setting.enqueue('exit', [], { retries: RETRIES });
      const good = await Promise.all(
        Array.from({ length: GOOD }, () => setting.enqueue('sleep', [GOOD_MS])),
      );
      const startedAt = Date.now();
      const crashes: { pid: number; at: number }[] = [];
      let over = false;
      const supervisor = (async () => {
        while (!over) {
          const worker = await setting.startWorker();
          await until(() => over || ended(worker), { timeoutMs: 30 * 60_000 });
          if (ended(worker)) crashes.push({ pid: worker.pid!, at: Date.now() });
          ground.say(over ? 'done' : 'the worker is down');
        }
      })();
      await setting.drained();
      over = true;
      await supervisor;

      const entries = setting.entries();
      const ends = entries.filter(({ what, id }) => what === 'end' && good.includes(id));
      const goodMs = Math.max(...ends.map(({ at }) => at)) - startedAt;
      const waits = crashes
        .map(({ pid, at }) => interrupted(entries, pid, at).filter(({ run }) => run.id !== bad))
        .filter((runs) => runs.length > 0)
        .map((runs) => Math.max(...runs.map(({ waitMs }) => waitMs)));
      const starts = startsOf(entries, bad).length;
      const verdict = await setting.producer.ended(bad);
      const broken: string[] = [];
      if (starts > RETRIES + 1) broken.push(`the bad one was started ${starts} times`);
      if (verdict?.state !== 'failed')
        broken.push(`the bad one is ${verdict?.state ?? 'not over'}`);
      else if (!verdict.error) broken.push('the bad one failed without a reason');
      if (goodMs > MOST_MS + crashes.length * setting.leaseMs)
        broken.push(`${goodMs} ms until the good ones were done`);
      return setting.outcome(waits, broken, {
        meant: new Set([bad]),
        notes: [
          `${starts} starts of the bad one, then: ${verdict?.error ?? 'nothing'}`,
          `the good ones done after ${goodMs} ms`,
        ],
      });
    }),
};
export default poison;
