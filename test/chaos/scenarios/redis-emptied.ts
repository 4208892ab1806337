/** Redis loses everything under load: FLUSHALL, or a restart without what it had stored. */
import { job, ResultNotFoundError } from '../../../src/index.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep } from '../stand.ts';

/** Work goes on this soon after Redis is there again. */
const RESUMED_MS = 3_000;

export default {
  name: 'redis-emptied',
  what: 'FLUSHALL, and Redis restarted empty, under load: workers go on, who waits is told',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const ticks: number[] = [];
      const jobs = {
        step: () => sleep(20),
        tick: job({ every: '1s' }, () => void ticks.push(Date.now())),
      };
      for (let i = 0; i < 2; i++) stand.worker(jobs, { concurrency: 5, lease: 1_000 });
      const queue = stand.queue({ callTimeout: '20s' });

      let over = false;
      let told = 0;
      let accepted: string[] = [];
      const load = (async () => {
        while (!over) {
          const made = await queue.enqueue('step', [], { retries: 10 }).catch((error: Error) => {
            stand.broken.push(`an enqueue ended with ${String(error)}`);
          });
          if (!made) continue;
          accepted.push(made.id);
          void made.result({ timeout: '60s' }).catch((error: Error) => {
            told++;
            const fit = error instanceof ResultNotFoundError;
            stand.ensure(fit || over, `who waited was told ${String(error)}`);
          });
          await sleep(2);
        }
      })();

      const recoveredMs: number[] = [];
      const wipes = {
        FLUSHALL: () => stand.redis.client.flushall(),
        'empty restart': () => stand.redis.restart({ empty: true }),
      };
      for (const [name, wipe] of Object.entries(wipes)) {
        const from = recoveredMs.length;
        for (let round = 0; round < (full ? 10 : 3); round++) {
          await until(async () => (await queue.counts()).completed > 20);
          await wipe();
          accepted = []; // who was accepted before is gone with the data
          const after = await queue.enqueue('step', [], { retries: 10, priority: 'high' });
          accepted.push(after.id);
          const ms = await stand.within(RESUMED_MS, `${name}: a new job is run`, () => {
            return stand.runs.has(after.id);
          });
          recoveredMs.push(ms);
        }
        say(`${name}: work went on after ${Math.max(...recoveredMs.slice(from))} ms at most`);
      }
      over = true;
      await load;
      const before = ticks.length;
      await stand.within(30_000, 'the cron entry is written down again', () => {
        return ticks.length > before;
      });
      await stand.within(20_000, 'all jobs are done', async () => {
        return (await stand.unfinished(accepted)).length === 0;
      });
      stand.ensure(told > 0, 'nobody lost a job: nothing was shown');
      say(`${told} who waited were told that their job is gone`);
      return { accepted, recoveredMs };
    }),
} satisfies Scenario;
