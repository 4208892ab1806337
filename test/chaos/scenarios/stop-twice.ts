/** Scenario 3, first half: somebody who asks a worker twice to stop can't wait for its jobs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../helpers/until.ts';
import { nextRun, unfinished } from '../runs.ts';
import type { Scenario } from '../scenario.ts';
import { ended, play } from '../setting.ts';

const SOON_MS = 1_000;
const BETWEEN_MS = 1_200;

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
      const workers = await Promise.all([setting.startWorker(), setting.startWorker()]);
      for (let i = 1; i <= times; i++) {
        const id = await setting.enqueue('sleep', [2_000]);
        const held = () => unfinished(setting.entries()).find((one) => one.id === id);
        await until(held);
        const run = held()!;
        const holder = workers.find(({ pid }) => pid === run.pid)!;
        holder.kill('SIGTERM');
        await sleep(BETWEEN_MS);
        holder.kill('SIGTERM');
        const at = Date.now();
        await until(() => ended(holder));
        stops.push(Date.now() - at);
        if (holder.exitCode !== 1) broken.push(`it exits with ${holder.exitCode}, not with 1`);
        const again = () => nextRun(setting.entries(), run, run.at);
        await until(again);
        recovered.push(again()!.at - at);
        workers[workers.indexOf(holder)] = await setting.startWorker();
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
