/** Whether a job costs more when many others wait: those behind the ones timed are never run. */
import { gated } from './gated.ts';
import { portions } from './portions.ts';
import type { Scenario } from './scenario.ts';
import { signal } from './signal.ts';

/** The argument of jobs that wait behind those timed; the few that are claimed hold their slot. */
const BEHIND = -2;

/** With a million behind, still fewer than 2^20: there a hash of Redis starts to grow, which is another matter. */
const TIMED = { full: 40_000, quick: 500 };

export const BACKLOG: readonly Scenario[] = [
  backlog('1k', 1_000, 200),
  backlog('100k', 100_000, 1_000),
  backlog('1m', 1_000_000, 2_000),
];

function backlog(name: string, full: number, quick: number): Scenario {
  return {
    name: `backlog-${name}`,
    title: `process no-op, 100 at once, ${full.toLocaleString('en-US')} waiting behind`,
    long: true,
    alone: true,
    size: { full, quick },
    counted: 0,
    async prepare(lib, about) {
      const jobs = about.quick ? TIMED.quick : TIMED.full;
      let hold = signal();
      const batch = await gated(lib, {
        concurrency: 100,
        run(i, ran) {
          if (i === BEHIND) return hold.given;
          ran();
          return i;
        },
        async fill(n) {
          hold = signal(); // not before: one of the last round's may still come, and must not hold a slot
          for (const numbers of portions(jobs)) await lib.enqueueMany(numbers);
          for (const numbers of portions(n)) await lib.enqueueMany(numbers.fill(BEHIND));
          return jobs;
        },
      });
      return async (n, meter) => {
        await batch(n, meter);
        await about.control.del(lib.waitingKey);
        hold.give();
        return { jobs };
      };
    },
  };
}
