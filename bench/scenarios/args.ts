import type { Scenario } from './scenario.ts';
import { signal } from './signal.ts';

const AT_ONCE = 10;

export const ARGS: readonly Scenario[] = [args('1k', 1_000, 2_000), args('100k', 100_000, 200)];

/** Enqueued by some callers while a worker runs them: from the first call until the last has run. */
function args(name: string, size: number, counted: number): Scenario {
  return {
    name: `args-${name}`,
    title: `enqueue and process, 10 at once, with ${size / 1_000} KB of arguments`,
    long: true,
    counted,
    async prepare(lib) {
      let left = 0;
      let done = signal();
      await lib.work(AT_ONCE, (text) => {
        const { length } = text as string;
        if (length !== size) throw new Error(`${length} characters came instead of ${size}`);
        if (--left === 0) done.give();
        return length;
      });
      // No text twice: nobody may keep what it made of the last one.
      const rest = 'x'.repeat(size - 12);
      return async (n, meter) => {
        [left, done] = [n, signal()];
        let next = 0;
        const caller = async () => {
          while (next < n) await lib.enqueue(String(next++).padStart(12, '0') + rest);
        };
        await meter.start();
        await Promise.all(Array.from({ length: AT_ONCE }, caller));
        await done.given;
        await meter.stop();
      };
    },
  };
}
