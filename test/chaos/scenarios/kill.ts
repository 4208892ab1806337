/** Scenario 1: workers are killed at random moments of their work; how long until what they ran runs again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { interrupted, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { play } from '../setting.ts';
import { randomOf } from '../storm/random.ts';

const WORKERS = 3;
const JOBS = 6;
/** Where a job is hit by several of the kills, that is no reason to fail it. */
const RETRIES = 100;

const kill: Scenario = {
  name: 'kill',
  what: 'SIGKILL of a worker at random moments, many times',
  libraries: ['minq', 'bullmq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const random = randomOf(ground.seed, 'kill');
      const kills = ground.full ? 20 : 6;
      const start = () => setting.startWorker();
      const workers = await Promise.all(Array.from({ length: WORKERS }, start));
      const killed: { pid: number; at: number }[] = [];
      for (let i = 1; i <= kills; i++) {
        await sleep(random.below(setting.leaseMs / 4)); // so that the library's own timers are hit at all moments, too
        const jobs = Array.from({ length: JOBS }, () =>
          setting.enqueue('sleep', [random.below(900)], { retries: RETRIES }),
        );
        await Promise.all(jobs);
        await sleep(random.below(300)); // the moment of this kill
        // One that has work to lose, as long as there is one.
        const busy = new Set(unfinished(setting.entries()).map(({ pid }) => pid));
        const victims = workers.filter(({ pid }) => busy.has(pid!));
        const from = victims.length > 0 ? victims : workers;
        const victim = random.pick(from);
        victim.kill('SIGKILL');
        killed.push({ pid: victim.pid!, at: Date.now() });
        workers.splice(workers.indexOf(victim), 1, await start());
        ground.say(`${i} of ${kills} killed`);
      }
      await setting.drained();

      const entries = setting.entries();
      const waits = killed.map(({ pid, at }) =>
        interrupted(entries, pid, at).map(({ waitMs }) => waitMs),
      );
      const worst = waits.filter((each) => each.length > 0).map((each) => Math.max(...each));
      const late = worst.filter((ms) => ms > setting.leaseMs + 1_000);
      const broken = late.map((ms) => `${ms} ms until a killed worker's jobs ran again`);
      if (worst.length === 0) broken.push('no kill cut a run short: nothing was shown');
      const runs = waits.flat().length;
      return setting.outcome(worst, broken, { notes: [`${kills} kills, ${runs} runs cut short`] });
    }),
};
export default kill;
