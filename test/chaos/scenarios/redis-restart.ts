/** Scenario 6: Redis crashes under load and is started again with its append-only file, five times. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../load.ts';
import { startsOf } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { msToResume, play } from '../setting.ts';
import { randomOf } from '../storm/random.ts';

const TIMES = 5;
/** With what a job takes, more than one worker can do. */
const PER_SECOND = 100;
const RESUMED_MS = 2_000;
/** A run that ended this long before Redis went may not have been recorded. */
const UNRECORDED_MS = 500;

const redisRestart: Scenario = {
  name: 'redis-restart',
  what: 'Redis killed (SIGKILL) and restarted with its append-only file, five times under 100 jobs/s',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, { redisFlags: ['--appendonly', 'yes'] }, async (setting) => {
      const random = randomOf(ground.seed, 'redis-restart');
      const workers = await Promise.all([setting.startWorker(), setting.startWorker()]);
      const load = startLoad(setting, PER_SECOND, () => random.between(100, 240));
      const resumed: number[] = [];
      const kills: number[] = [];
      for (let i = 1; i <= TIMES; i++) {
        await sleep(ground.full ? random.between(4_000, 5_000) : random.between(500, 1_000));
        await setting.redis.kill();
        kills.push(Date.now());
        await sleep(random.below(500));
        resumed.push(await msToResume(setting, workers));
        ground.say(`${i} of ${TIMES}: resumed after ${resumed.at(-1)} ms`);
      }
      await load.stop();
      const loadOverAt = Date.now();
      await setting.drained();
      const lastMs = Date.now() - loadOverAt;

      const broken = resumed
        .filter((ms) => ms > RESUMED_MS)
        .map((ms) => `${ms} ms until both workers were at work again`);
      const entries = setting.entries();
      for (const id of setting.accepted) {
        const starts = startsOf(entries, id);
        if (starts.length < 2) continue;
        const lastAt = (run: (typeof starts)[number]) =>
          entries.find((e) => e.what === 'end' && e.id === id && e.attempt === run.attempt)?.at ??
          Infinity;
        const hit = starts.filter((run) =>
          kills.some((at) => run.at <= at && at <= lastAt(run) + UNRECORDED_MS),
        ).length;
        if (starts.length > 1 + hit) {
          broken.push(`${id} ran ${starts.length} times, and was under way at ${hit} of the kills`);
        }
      }
      return setting.outcome(resumed, broken, {
        notes: [`the last job done ${lastMs} ms after the load`],
      });
    }),
};
export default redisRestart;
