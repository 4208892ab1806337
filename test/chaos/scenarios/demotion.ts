/** Redis is made a replica for a while, as in a failover by hand, and refuses writes: READONLY. */
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep } from '../stand.ts';

const RESUMED_MS = 3_000;

export default {
  name: 'demotion',
  what: 'Redis made a replica (READONLY) and a master again, under load: no call fails, no job is lost',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const queue = stand.queue({ callTimeout: '20s' });
      const sleepy = stand.queue({ callTimeout: '20s' }, 'idle');
      stand.worker({ step: () => sleep(20) }, { concurrency: 5 });
      stand.worker({ step: () => sleep(20) }, { queue: 'idle' });
      const accepted: string[] = [];
      let over = false;
      const load = (async () => {
        while (!over) {
          await queue.enqueue('step').then(
            (job) => accepted.push(job.id),
            (error: Error) => stand.broken.push(`an enqueue ended with ${String(error)}`),
          );
          await sleep(5);
        }
      })();
      await until(() => stand.runs.size > 20);
      const recoveredMs: number[] = [];
      for (let round = 0; round < (full ? 10 : 3); round++) {
        await until(async () => String(await stand.redis.client.client('LIST')).includes('cmd=blpop')); // prettier-ignore
        await stand.redis.client.replicaof('127.0.0.1', '1'); // who blocks there is sent away: UNBLOCKED
        await sleep(full ? 2_000 : 700); // how long the fault lasts
        await stand.redis.client.replicaof('NO', 'ONE');
        const runs = stand.runs.size;
        recoveredMs.push(
          await stand.within(RESUMED_MS, 'work goes on', () => stand.runs.size > runs + 5),
        );
        const rare = await sleepy.enqueue('step');
        await stand.within(RESUMED_MS, 'an idle worker is awake', () => stand.runs.has(rare.id));
      }
      over = true;
      await load;
      await stand.within(20_000, 'all jobs are done', async () => {
        return (await stand.unfinished(accepted)).length === 0;
      });
      say(`${accepted.length} jobs; work went on after ${recoveredMs.join(', ')} ms`);
      return { accepted, recoveredMs };
    }),
} satisfies Scenario;
