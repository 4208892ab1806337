import { portions } from './portions.ts';
import type { Scenario } from './scenario.ts';

export const ENQUEUE: readonly Scenario[] = [
  {
    name: 'enqueue-one',
    title: 'enqueue, one by one, each awaited',
    prepare: (lib) => async (n, meter) => {
      await meter.start();
      for (let i = 0; i < n; i++) await lib.enqueue(i);
      await meter.stop();
    },
  },
  {
    name: 'enqueue-50',
    title: 'enqueue, 50 in flight',
    prepare: (lib) => async (n, meter) => {
      let next = 0;
      const caller = async () => {
        while (next < n) await lib.enqueue(next++);
      };
      await meter.start();
      await Promise.all(Array.from({ length: 50 }, caller));
      await meter.stop();
    },
  },
  {
    name: 'enqueue-concurrent',
    title: 'enqueue, 10,000 at once',
    prepare: (lib) => async (n, meter) => {
      await meter.start();
      for (const numbers of portions(n)) await Promise.all(numbers.map((i) => lib.enqueue(i)));
      await meter.stop();
    },
  },
  {
    name: 'enqueue-many',
    title: 'enqueue, 10,000 in a bulk call',
    memory: true,
    prepare: (lib) => async (n, meter) => {
      await meter.start();
      for (const numbers of portions(n)) await lib.enqueueMany(numbers);
      await meter.stop();
    },
  },
];
