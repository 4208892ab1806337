/** Scenario 3, first half: somebody who asks a worker twice to stop can't wait for its jobs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../helpers/until.ts';
import { nextRun, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';

const SOON_MS = 1_000;
const BETWEEN_MS = 200;

const stopTwice: Scenario = {
  name: 'stop-twice',
  what: 'SIGTERM twice: the job is given back at once',
  libraries: ['minq'],
  run: (ground) =>
    play(ground, {}, async (setting) => {
      const times = ground.full ? 10 : 3;
      const recovered: number[] = [];
      const stops: number[] = [];
      const broken: string[] = [];
      let current = await setting.startWorker();
      for (let i = 1; i <= times; i++) {
        const id = await setting.enqueue('sleep', [2_000]);
        await until(() => unfinished(setting.entries()).some((run) => run.id === id));
        const next = await setting.startWorker();
        const run = unfinished(setting.entries(), current.pid).find((one) => one.id === id);
        if (!run) throw new Error(`${id} is not where it was started`);
        current.kill('SIGTERM');
        await sleep(BETWEEN_MS);
        current.kill('SIGTERM');
        const at = Date.now();
        await until(() => ended(current));
        stops.push(Date.now() - at);
        if (current.exitCode !== 1) broken.push(`it exits with ${current.exitCode}, not with 1`);
        await until(() => nextRun(setting.entries(), run, run.at));
        recovered.push(nextRun(setting.entries(), run, run.at)!.at - at);
        current = next;
        ground.say(`${i} of ${times}`);
      }
      await setting.drained();
      for (const ms of stops.filter((each) => each > SOON_MS)) broken.push(`${ms} ms to stop`);
      for (const ms of recovered.filter((each) => each > SOON_MS)) {
        broken.push(`${ms} ms until the job ran again`);
      }
      return setting.outcome(recovered, broken, {
        notes: [`stopped within ${Math.max(...stops)} ms of the second signal`],
      });
    }),
};
export default stopTwice;
