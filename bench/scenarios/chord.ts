import type { Scenario } from './scenario.ts';
import { signal } from './signal.ts';

/** The argument of the job that runs when all others have. */
const LAST = -3;

export const CHORD: Scenario = {
  name: 'chord-10000',
  title: 'a group of 10,000, 100 at once, and the job that gets their results',
  without: ['bee-queue', 'floor'],
  long: true,
  size: { full: 10_000, quick: 100 },
  counted: 1_000,
  async prepare(lib) {
    let ran = 0;
    let done = signal();
    await lib.work(100, (i) => {
      if (i === LAST) done.give();
      else ran++;
      return i;
    });
    return async (n, meter) => {
      [ran, done] = [0, signal()];
      await meter.start();
      await lib.enqueueChord!(
        Array.from({ length: n }, (_, i) => i),
        LAST,
      );
      await done.given;
      await meter.stop();
      if (ran !== n) throw new Error(`the last ran after ${ran} of ${n}`);
    };
  },
};
