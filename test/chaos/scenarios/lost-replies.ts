/** Requests and replies are lost, and the connection is reset at that moment, all through the work. */
import type { Proxy } from '../../helpers/proxy.ts';
import type { Scenario } from '../scenario.ts';
import { until } from '../../helpers/until.ts';
import { seeded } from '../../helpers/seeded.ts';
import { onStand, QUEUE, sleep } from '../stand.ts';

const JOBS = 1_000;

type Kinds = [string, Parameters<Proxy['cut']>[0]][];

export default {
  name: 'lost-replies',
  what: 'reply or request lost with a reset, all through 1,000 enqueues, claims and settlements',
  libraries: ['minq'],
  run: ({ seed, full, say }) =>
    onStand(async (stand) => {
      const random = seeded(seed);
      const [producing, working] = [await stand.proxy(), await stand.proxy()];
      // A reset is no outage: the deadline must allow for a few in a row.
      const queue = stand.queue({ redis: producing.url, callTimeout: '20s' });
      stand.worker(
        { echo: (n: number) => `result-${n}` },
        { redis: working.url, callTimeout: '20s' },
      );

      let over = false;
      const cuts = new Map<string, number>();
      const accepted: string[] = [];
      let settled = 0;
      /** One cut after the other. What was cut off may get through once before the next, or nothing ever would. */
      const harm = async (proxy: Proxy, kinds: Kinds, done: () => number) => {
        while (!over) {
          const [kind, what] = kinds[random(kinds.length)]!;
          const cut = proxy.cut(what).then(() => cuts.set(kind, (cuts.get(kind) ?? 0) + 1));
          await Promise.race([cut, sleep(500)]); // it may never come, at the end
          const before = done();
          await until(() => over || done() > before);
        }
      };
      const counting = setInterval(() => {
        void stand.redis.client.hlen(`minq:{${QUEUE}}:outcomes`).then((count) => (settled = count));
      }, 20);
      stand.onEnd(async () => clearInterval(counting));
      const harming = [
        harm(
          producing,
          [
            ['enqueue lost', { request: 'job-' }],
            ['reply to enqueue lost', { replyTo: 'job-' }],
          ],
          () => accepted.length,
        ),
        harm(
          working,
          [
            ['claim lost', { request: 'evalsha' }],
            ['reply with a claim lost', { reply: 'job-' }],
            ['settlement lost', { request: '"state":"completed"' }],
            ['reply to a settlement lost', { replyTo: '"state":"completed"' }],
          ],
          () => settled,
        ),
      ];

      const batch = full ? 5 : 40; // calls of one tick share a round trip: it is lost for all of them
      for (let n = 0; n < JOBS; n += batch) {
        const calls = Array.from({ length: batch }, (_, i) =>
          queue.enqueue('echo', [n + i], { id: `job-${n + i}`, unique: 'kept' }),
        );
        for (const call of await Promise.allSettled(calls)) {
          if (call.status === 'rejected')
            stand.broken.push(`enqueue failed: ${String(call.reason)}`);
          else if (call.value.duplicate)
            stand.broken.push(`${call.value.id}: its own repetition counts as a duplicate`); // prettier-ignore
          else accepted.push(call.value.id);
        }
      }
      await stand.within(60_000, 'all jobs are settled', async () => {
        return (await stand.unfinished(accepted)).length === 0;
      });
      over = true;
      await Promise.all(harming);

      say([...cuts].map(([kind, count]) => `${kind} ${count} times`).join(', '));
      stand.ensure(cuts.size >= 5, `only ${cuts.size} kinds of loss were met with`);
      const stats = await stand.redis.client.hgetall(`minq:{${QUEUE}}:stats`);
      stand.ensure(Number(stats['enqueued']) === JOBS, `${stats['enqueued']} jobs were enqueued`);
      stand.ensure(Number(stats['completed']) === JOBS, `${stats['completed']} were settled`);
      stand.ensure(stats['refused'] === undefined, `${stats['refused']} settlements were refused`);
      stand.ensure(stats['recovered'] === undefined, `${stats['recovered']} leases were lost`);
      const twice = [...stand.runs.values()].filter((count) => count > 1).length;
      stand.ensure(twice === 0, `${twice} jobs ran twice: a claim sent again takes the same ones`);
      return { accepted, recoveredMs: [] };
    }),
} satisfies Scenario;
