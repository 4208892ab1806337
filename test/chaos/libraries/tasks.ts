/** The tasks, for whichever library runs them in this process. */
import { openSync, writeSync } from 'node:fs';
import type { Tasks } from './library.ts';

/** The run that asks. */
export interface Run {
  readonly id: string;
  readonly attempt: number;
}

/** A writer of evidence. Each line is one write to a file opened with O_APPEND: no other process's line gets into it. */
export function witness(file: string): (what: string, run?: Run) => void {
  const evidence = openSync(file, 'a');
  return (what, { id, attempt } = { id: '-', attempt: 0 }) =>
    void writeSync(evidence, `${what} ${id} ${attempt} ${process.pid} ${Date.now()}\n`);
}

/** @param run tells which run is asking */
export function tasks(write: ReturnType<typeof witness>, run: () => Run): Tasks {
  const begin = () => {
    const here = run();
    write('start', here);
    return here;
  };
  const end = (here: Run) => {
    write('end', here);
    return `${here.attempt} ${process.pid}`;
  };
  return {
    async sleep(ms) {
      const here = begin();
      await new Promise((resolve) => setTimeout(resolve, ms));
      return end(here);
    },
    async block(ms, times) {
      const here = begin();
      await new Promise((resolve) => setTimeout(resolve, 100)); // it is known by then to have begun
      const until = performance.now() + ms;
      while (here.attempt <= times && performance.now() < until);
      return end(here);
    },
    exit() {
      begin();
      process.exit(1);
    },
    flaky(times) {
      const here = begin();
      if (here.attempt <= times) throw new Error(`attempt ${here.attempt} fails on purpose`);
      return end(here);
    },
  };
}
