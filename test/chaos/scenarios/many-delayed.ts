/** A million jobs that wait for their time, and a hundred thousand that fall due in the same millisecond. */
import { workerProcesses } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, QUEUE, type Stand } from '../stand.ts';

const DUE = 100_000;
const MIB = 1024 ** 2;
/** With arguments of 100 bytes. */
const MEMORY_PER_MILLION = 400 * MIB;
const SLOW_US = 5_000;

export default {
  name: 'many-delayed',
  what: '1,000,000 delayed jobs (short: 100,000), and 100,000 due in the same millisecond',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const { client } = stand.redis;
      const processes = workerProcesses(stand);
      const options = { redis: stand.redis.url, queue: QUEUE, concurrency: 100, lease: 6_000 };
      const worker = await processes.start(options);
      await client.config('SET', 'slowlog-max-len', '10000');
      await client.config('SET', 'slowlog-log-slower-than', String(SLOW_US));

      const waiting = full ? 1_000_000 : 100_000;
      const before = await memoryOf(stand);
      const started = performance.now();
      await enqueue(stand, waiting, { delay: '1h' });
      const msPerJob = (performance.now() - started) / waiting;
      const perMillion = ((await memoryOf(stand)) - before) * (1_000_000 / waiting);
      say(`${waiting} delayed jobs: ${Math.round(perMillion / MIB)} MiB a million`);
      stand.ensure(perMillion < MEMORY_PER_MILLION, `${Math.round(perMillion / MIB)} MiB a million`); // prettier-ignore

      // Far enough away that all are there when it comes.
      const runAt = new Date(Date.now() + 4_000 + 3 * DUE * msPerJob);
      await enqueue(stand, DUE, { runAt });
      const scheduled = () => client.zcard(`minq:{${QUEUE}}:scheduled`);
      stand.ensure((await scheduled()) === waiting + DUE, 'all wait when the time comes');
      await until(() => Date.now() >= runAt.getTime(), { timeoutMs: 60_000 });
      const due = performance.now();
      await stand.within(60_000, 'all that is due is promoted', async () => {
        return (await scheduled()) === waiting;
      });
      const promotedMs = Math.round(performance.now() - due);
      const queue = stand.queue();
      let worst = 0;
      await stand.within(120_000, 'all that was due has run', async () => {
        for (const { loop } of await queue.workers()) worst = Math.max(worst, loop.p99);
        return (await queue.counts()).completed > 0 && (await queue.stats()).completed >= DUE;
      });
      const doneMs = Math.round(performance.now() - due);
      await until(async () => {
        const [info] = await queue.workers();
        worst = Math.max(worst, info?.loop.p99 ?? 0);
        return info?.busy === 0; // a sign of life after the last of the work
      });
      say(`promoted within ${promotedMs} ms, done after ${doneMs} ms; the worker's event loop was late by ${worst} ms at p99`); // prettier-ignore
      // On a machine that does other things, too, the short form only tells apart what is out of all proportion.
      stand.ensure(promotedMs < (full ? 2_000 : 10_000), `promoted within ${promotedMs} ms`);
      stand.ensure(worst < (full ? 50 : 250), `event loop of the worker: ${worst} ms at p99`);
      await boundedScripts(stand, full, say);

      const stats = await queue.stats();
      stand.ensure(stats.completed === DUE, `${stats.completed} jobs ran`);
      stand.ensure(stats.recovered + stats.refused === 0, 'each ran once');
      await worker.stop(5_000);
      const accepted = Array.from({ length: DUE }, () => '');
      return { accepted, lost: DUE - stats.completed, recoveredMs: [promotedMs] };
    }),
} satisfies Scenario;

async function enqueue(stand: Stand, count: number, when: { delay?: '1h'; runAt?: Date }) {
  const queue = stand.queue({ callTimeout: '60s' });
  const text = 'x'.repeat(90);
  for (let n = 0; n < count; n += 1_000) {
    const items = Array.from({ length: 1_000 }, (_, i) => ({
      fn: 'nothing' as const,
      args: [n + i, text],
      ...when,
    }));
    const refused = (await queue.enqueueMany(items)).find(({ status }) => status === 'rejected');
    if (refused) throw new Error('an enqueue was refused', { cause: refused });
  }
}

async function memoryOf({ redis }: Stand): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.client.info('memory'))![1]);
}

/**
 * No script holds Redis up: none longer than 5 ms. A machine that takes the processor away from Redis now and then shows a
 * few that are, whatever they do; so the short form, which shares its machine, only tells. (That one call promotes no more
 * than 500 jobs is a test of the scripts.)
 */
async function boundedScripts(stand: Stand, full: boolean, say: (line: string) => void) {
  type Row = [id: number, at: number, us: number, command: string[]];
  const { client } = stand.redis;
  const rows = (await client.slowlog('GET', '10000')) as Row[];
  const slow = rows.filter(([, , , [command]]) => /^eval/i.test(command!)).map(([, , us]) => us);
  const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))![1]);
  const longest = slow.length > 0 ? `, the longest ${Math.max(...slow) / 1_000} ms` : '';
  const line = `${slow.length} of ${calls} scripts took longer than 5 ms${longest}`;
  say(line);
  stand.ensure(!full || slow.length < calls / 100, line);
}
