/** What an operator does to a Redis in use, and callers are not to notice but by the time it takes. */
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep } from '../stand.ts';

export default {
  name: 'interruptions',
  what: 'SCRIPT FLUSH x 50, CLIENT KILL x 50, CLIENT PAUSE 3 s, under load: no call fails',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const { client } = stand.redis;
      const times = full ? 50 : 12;
      const queue = stand.queue();
      stand.worker({ add: (n: number) => n + 1 }, { concurrency: 5 });
      const accepted: string[] = [];
      let completed = 0;
      let over = false;
      const call = async (n: number) => {
        try {
          const job = await queue.enqueue('add', [n], { retries: 10 });
          accepted.push(job.id);
          const result = await job.result();
          stand.ensure(result === n + 1, `job ${n} gave ${String(result)}`);
          completed++;
          await queue.counts();
          await job.info();
        } catch (error) {
          stand.broken.push(`a caller met with ${String(error)}`);
        }
      };
      const callers = Array.from({ length: 4 }, async (_, caller) => {
        for (let n = caller * 1_000_000; !over; n++) {
          await call(n);
          await sleep(5);
        }
      });
      await until(() => completed > 20);

      const recoveredMs: number[] = [];
      const interrupt = async (what: () => Promise<unknown>) => {
        await what();
        const [at, before] = [performance.now(), completed];
        // Answers that were under way may still come: more than there are callers.
        await until(() => completed > before + callers.length);
        recoveredMs.push(Math.round(performance.now() - at));
      };
      const rounds = {
        'SCRIPT FLUSH': () => client.script('FLUSH'),
        'CLIENT KILL': async () => {
          await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        },
      };
      for (const [name, what] of Object.entries(rounds)) {
        const from = recoveredMs.length;
        for (let i = 0; i < times; i++) await interrupt(what);
        const worst = Math.max(...recoveredMs.slice(from));
        say(`${name} ${times} times: work went on after ${worst} ms at most`);
      }
      for (const mode of ['WRITE', 'ALL']) {
        const before = completed;
        await client.call('CLIENT', 'PAUSE', '3000', mode);
        await until(() => completed > before + callers.length);
        await sleep(500); // the connections that the deadline of an idle wait may have cost are made anew
      }
      over = true;
      await Promise.all(callers);
      say(`${completed} jobs, their results and the looks at them`);
      return { accepted, recoveredMs };
    }),
} satisfies Scenario;
