/** Redis can't write its disk: a snapshot fails, and from then on it refuses all writes, MISCONF. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { gate } from '../../helpers/gate.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, QUEUE, sleep } from '../stand.ts';

const RUNNING = 10;

export default {
  name: 'save-failed',
  what: 'a snapshot fails, Redis refuses all writes (MISCONF): jobs run on, are settled after it',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const { client } = stand.redis;
      const held = gate();
      stand.worker({ held: held.pass, echo: (n: number) => n }, { concurrency: RUNNING });
      const queue = stand.queue({ callTimeout: 1_000 });
      const patient = stand.queue({ callTimeout: '60s' });
      const handles = await Promise.all(
        Array.from({ length: RUNNING }, (_, n) => queue.enqueue('held', [n])),
      );
      await until(() => held.running === RUNNING);

      const [, folder] = (await client.config('GET', 'dir')) as [string, string];
      await client.config('SET', 'save', '3600 1');
      const saved = async (word: string) => {
        await until(async () => (await client.info('persistence')).includes('rdb_bgsave_in_progress:0')); // prettier-ignore
        await client.bgsave();
        await until(async () => (await client.info('persistence')).includes(`rdb_last_bgsave_status:${word}`)); // prettier-ignore
      };
      mkdirSync(path.join(folder, 'dump.rdb')); // a snapshot can't be put where a folder stands
      await saved('err');

      const refused = await queue.enqueue('echo', [1], { id: 'refused' }).then(
        () => undefined,
        (error: Error) => error,
      );
      stand.ensure(
        refused?.name === 'RedisUnavailableError' && refused.message.includes('MISCONF'),
        `an enqueue ended with ${String(refused)}`,
      );
      const counts = await queue.counts().catch((error: Error) => error);
      stand.ensure(
        'active' in counts && counts.active === RUNNING,
        `counts: ${JSON.stringify(counts)}`,
      );
      const late = patient.enqueue('echo', [7]); // its deadline allows for the fault
      held.open(); // these end while nothing can be written
      await sleep(full ? 10_000 : 2_000); // how long the fault lasts
      const still = await client.hlen(`minq:{${QUEUE}}:outcomes`);
      stand.ensure(still === 0, `${still} settlements got through: the fault was none`);

      rmSync(path.join(folder, 'dump.rdb'), { recursive: true });
      await saved('ok');
      const mended = performance.now();
      await stand.within(20_000, 'all that ran are settled', async () => {
        return (await stand.unfinished(handles.map(({ id }) => id))).length === 0;
      });
      const recoveredMs = Math.round(performance.now() - mended);
      const accepted = [...handles.map(({ id }) => id), (await late).id];
      stand.ensure((await (await late).result({ timeout: '20s' })) === 7, 'who waited is served');
      const next = await queue.enqueue('echo', [2], { id: 'refused' });
      stand.ensure(!next.duplicate, 'what was refused left nothing');
      await next.result({ timeout: '20s' });
      const stats = await queue.stats();
      stand.ensure(stats.refused === 0, `${stats.refused} settlements were refused`);
      say(`settled ${recoveredMs} ms after Redis could write again`);
      return { accepted: [...accepted, next.id], recoveredMs: [recoveredMs] };
    }),
} satisfies Scenario;
