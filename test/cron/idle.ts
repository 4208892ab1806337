import { job } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** What a worker with cron entries may send while nothing is due. */
export function idlesWithin(
  { seconds, most }: { seconds: number; most: number },
  options = {},
): void {
  scene(`with ten entries an idle worker stays within its ${most} commands in ${seconds} s`, async (t, stage) => {
  const queue = stage.queue();
  for (let i = 0; i < 5; i++) await queue.schedule(`run-${i}`, { cron: `${i} 3 29 2 *`, fn: 'f' });
  const crons = Array.from({ length: 5 }, (_, i) => [`f${i}`, job({ cron: `${i} 4 29 2 *` }, () => 1)] as const); // prettier-ignore
  stage.worker({ f: () => 1, ...Object.fromEntries(crons) });
  await until(async () => (await queue.workers())[0]?.beat && (await queue.schedules()).length === 10); // prettier-ignore
  const window = () => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)); // what the budget is counted over
  const sent = await commandsDuring(stage.redis, window);
  t.comment(`in ${seconds} s: ${sent.length} commands: ${sent.map(([name]) => name).join(', ')}`);
  t.ok(sent.length <= most, `${sent.length} commands`);
  t.match((await queue.workers())[0], { beat: true }, 'and still holds the beat');
}, options); // prettier-ignore
}
