/** What is measured. A scenario runs n jobs at a time: first to warm up, then to be timed, then to be counted. */
import type { Adapter } from './adapters/adapter.ts';
import type { Meter } from './meter.ts';

/**
 * Runs n jobs, the meter being started and stopped around what counts.
 * @returns how long each call took, in ms, where that is what the scenario is about
 */
export type Batch = (n: number, meter: Meter) => Promise<number[] | void>;

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Results are waited for. */
  readonly waits?: boolean;
  /** Also says how much memory a waiting job takes. */
  readonly memory?: boolean;
  prepare(lib: Adapter): Promise<Batch> | Batch;
}

/** Most calls of `enqueue` under way at once, and most jobs in a call of `enqueueMany`. */
const AT_ONCE = 10_000;

export const SCENARIOS: readonly Scenario[] = [
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
  process(1),
  process(10),
  process(100),
  {
    name: 'call-alone',
    title: 'call and wait for the result, alone',
    waits: true,
    prepare: (lib) => calls(lib, { atOnce: 1, concurrency: 10 }),
  },
  {
    name: 'call-50',
    title: 'call and wait for the result, 50 at once',
    waits: true,
    prepare: (lib) => calls(lib, { atOnce: 50, concurrency: 50 }),
  },
];

/** A name stands for itself and for all that begin with it: `process`, `process-10`. */
export const scenariosNamed = (name: string): Scenario[] =>
  SCENARIOS.filter((scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`));

/** The argument of jobs that hold their slot until the gate opens. */
const GATE = -1;

/**
 * The clock starts with the worker running, every slot taken by a job held at the gate, and n jobs waiting:
 * neither the start of the worker nor the filling of the queue is measured.
 */
function process(concurrency: number): Scenario {
  const prepare = async (lib: Adapter): Promise<Batch> => {
    let gate = signal();
    let done = signal();
    let full = signal();
    let held = 0;
    let left = 0;
    await lib.work(concurrency, (i) => {
      if (i === GATE) {
        if (++held === concurrency) full.give();
        return gate.given;
      }
      if (--left === 0) done.give();
      return i;
    });
    return async (n, meter) => {
      [gate, done, full, held, left] = [signal(), signal(), signal(), 0, n];
      await lib.enqueueMany(Array.from({ length: concurrency }, () => GATE));
      await full.given;
      for (const numbers of portions(n)) await lib.enqueueMany(numbers);
      await meter.start();
      gate.give();
      await done.given;
      await meter.stop();
    };
  };
  return {
    name: `process-${concurrency}`,
    title: `process no-op, ${concurrency} at once`,
    prepare,
  };
}

async function calls(
  lib: Adapter,
  { atOnce, concurrency }: { atOnce: number; concurrency: number },
): Promise<Batch> {
  await lib.work(concurrency, (i) => i);
  return async (n, meter) => {
    const took: number[] = [];
    let next = 0;
    const caller = async () => {
      while (next < n) {
        const i = next++;
        const sentAt = performance.now();
        const result = await lib.callAndWait!(i);
        took.push(performance.now() - sentAt);
        if (result !== i) throw new Error(`the result of ${i} is ${String(result)}`);
      }
    };
    await meter.start();
    await Promise.all(Array.from({ length: atOnce }, caller));
    await meter.stop();
    return took;
  };
}

function* portions(n: number): Generator<number[]> {
  for (let from = 0; from < n; from += AT_ONCE) {
    yield Array.from({ length: Math.min(AT_ONCE, n - from) }, (_, i) => from + i);
  }
}

function signal(): { given: Promise<void>; give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}
