import type { Adapter } from '../adapters/adapter.ts';
import type { Batch, Scenario } from './scenario.ts';

export const CALL: readonly Scenario[] = [
  {
    name: 'call-alone',
    title: 'call and wait for the result, alone',
    uses: 'results',
    without: ['floor'],
    prepare: (lib) => calls(lib, { atOnce: 1, concurrency: 10 }),
  },
  {
    name: 'call-50',
    title: 'call and wait for the result, 50 at once',
    uses: 'results',
    without: ['floor'],
    prepare: (lib) => calls(lib, { atOnce: 50, concurrency: 50 }),
  },
];

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
    return percentiles(took);
  };
}

function percentiles(took: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
