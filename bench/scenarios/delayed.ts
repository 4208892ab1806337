import { setTimeout as sleep } from 'node:timers/promises';
import { usedMemory } from '../meter.ts';
import { portions } from './portions.ts';
import type { Scenario } from './scenario.ts';
import { signal } from './signal.ts';

const HOUR = 3_600_000;

export const DELAYED: readonly Scenario[] = [
  {
    name: 'delayed-1m',
    title: 'enqueue a million delayed jobs, 10,000 in a bulk call',
    uses: 'delays',
    without: ['floor'],
    long: true,
    alone: true,
    size: { full: 1_000_000, quick: 2_000 },
    prepare:
      (lib, { control }) =>
      async (n, meter) => {
        const dueAt = Date.now() + HOUR;
        const before = await usedMemory(control);
        await meter.start();
        for (const numbers of portions(n)) await lib.delayMany!(numbers, dueAt);
        await meter.stop();
        const grown = (await usedMemory(control)) - before;
        return { memoryBytes: grown / n, totalMiB: grown / 2 ** 20 };
      },
  },
  {
    name: 'delayed-due',
    title: '100,000 delayed jobs that fall due at once, 100 at once',
    uses: 'delays',
    without: ['floor'],
    long: true,
    alone: true,
    size: { full: 100_000, quick: 500 },
    counted: 0,
    async prepare(lib) {
      let left = 0;
      let done = signal();
      let firstAt = 0;
      await lib.work(100, (i) => {
        firstAt ||= Date.now();
        if (--left === 0) done.give();
        return i;
      });
      return async (n, meter) => {
        [left, done, firstAt] = [n, signal(), 0];
        // Time enough to put them in, for the slowest.
        const dueAt = Date.now() + 500 + n * 0.15;
        for (const numbers of portions(n)) await lib.delayMany!(numbers, dueAt);
        const early = dueAt - Date.now();
        if (early < 0) throw new Error(`they fell due ${-early} ms before all were put in`);
        await sleep(early - 20);
        await meter.start();
        await done.given;
        const doneAt = Date.now();
        await meter.stop();
        if (firstAt < dueAt) throw new Error(`one ran ${dueAt - firstAt} ms before it fell due`);
        return { jobsPerSecond: (n / (doneAt - dueAt)) * 1_000 };
      };
    },
  },
];
