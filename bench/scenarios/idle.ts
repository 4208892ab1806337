import { setTimeout as sleep } from 'node:timers/promises';
import { CommandCounter, together } from '../meter.ts';
import type { Scenario } from './scenario.ts';

/** MONITOR may run along: there is nothing that it could slow down. */
export const IDLE: Scenario = {
  name: 'idle',
  title: 'a worker idle for a minute: figures per second',
  long: true,
  alone: true,
  cold: true,
  size: { full: 60, quick: 1 },
  counted: 0,
  async prepare(lib, { control }) {
    await lib.work(100, (i) => i);
    await sleep(1_000); // until it has started
    return async (seconds, meter) => {
      const counter = new CommandCounter(control);
      const meters = together(counter, meter);
      await meters.start();
      await sleep(seconds * 1_000);
      await meters.stop();
      return { ...counter.perJob(seconds), jobsPerSecond: undefined };
    };
  },
};
