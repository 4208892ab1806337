/** Scenario 3, second half: a worker is told to stop while Redis is down, or hangs. What "recovered" counts here is the time to its end. */
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { unfinished } from '../runs.ts';
import { ended, play } from '../setting.ts';

const JOB_MS = 1_000;
const GRACE_MS = 2_000;
/** When it is given up as hanging. */
const PATIENCE_MS = 30_000;

const stopWithoutRedis: Scenario = {
  name: 'stop-without-redis',
  what: 'SIGTERM while Redis is down, and while it hangs: time until the worker has stopped',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, { redisFlags: ['--appendonly', 'yes'] }, async (setting) => {
      const shutdownMs = ground.full ? 25_000 : 2_000;
      const stops: number[] = [];
      const broken: string[] = [];
      for (const how of ['down', 'hung'] as const) {
        const worker = await setting.startWorker({ shutdownMs });
        const id = await setting.enqueue('sleep', [JOB_MS]);
        await until(() => unfinished(setting.entries()).some((run) => run.id === id));
        if (how === 'down') await setting.redis.kill();
        else setting.redis.signal('SIGSTOP');
        const at = Date.now();
        worker.kill('SIGTERM');
        await until(() => ended(worker) || Date.now() - at > shutdownMs + PATIENCE_MS, {
          timeoutMs: shutdownMs + PATIENCE_MS + 5_000,
        });
        stops.push(ended(worker) ? Date.now() - at : Infinity);
        if (!ended(worker)) {
          broken.push(`Redis ${how}: still there ${shutdownMs + PATIENCE_MS} ms after SIGTERM`);
          worker.kill('SIGKILL');
        }
        if (how === 'down') await setting.redis.restart();
        else setting.redis.signal('SIGCONT');
        ground.say(`Redis ${how}: done`);
      }
      await setting.startWorker();
      await setting.drained();
      const late = stops.filter((ms) => ms > shutdownMs + GRACE_MS && ms < Infinity);
      for (const ms of late) broken.push(`${ms} ms to stop`);
      return setting.outcome(stops, broken, { notes: [`${shutdownMs / 1_000} s to finish`] });
    }),
};
export default stopWithoutRedis;
