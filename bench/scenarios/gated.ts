import type { Adapter } from '../adapters/adapter.ts';
import { portions } from './portions.ts';
import type { Batch } from './scenario.ts';
import { signal } from './signal.ts';

/** The argument of jobs that hold their slot until the gate opens. */
export const GATE = -1;

interface Work {
  concurrency: number;
  /** What a job does; it calls `ran` when it is done for good. */
  run?: (i: number, ran: () => void) => unknown;
  /** Puts the jobs in. @returns how many will call `ran` */
  fill?: (n: number) => Promise<number>;
}

/**
 * The clock starts with the worker running, every slot taken by a job held at the gate, and n jobs waiting:
 * neither the start of the worker nor the filling of the queue is measured.
 */
export async function gated(lib: Adapter, work: Work): Promise<Batch> {
  const { concurrency, run = noop, fill = inBulk((numbers) => lib.enqueueMany(numbers)) } = work;
  let gate = signal();
  let done = signal();
  let full = signal();
  let held = 0;
  let left = 0;
  const ran = () => {
    if (--left === 0) done.give();
  };
  await lib.work(concurrency, (arg) => {
    const i = arg as number;
    if (i !== GATE) return run(i, ran);
    if (++held === concurrency) full.give();
    return gate.given;
  });
  return async (n, meter) => {
    [gate, done, full, held] = [signal(), signal(), signal(), 0];
    await lib.enqueueMany(Array.from({ length: concurrency }, () => GATE));
    await full.given;
    left = await fill(n);
    await meter.start();
    gate.give();
    await done.given;
    await meter.stop();
  };
}

const noop = (i: number, ran: () => void) => {
  ran();
  return i;
};

export const inBulk =
  (put: (numbers: readonly number[]) => Promise<unknown>) =>
  async (n: number): Promise<number> => {
    for (const numbers of portions(n)) await put(numbers);
    return n;
  };
