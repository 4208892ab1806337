import { gated } from './gated.ts';
import type { Scenario } from './scenario.ts';

export const PROCESS: readonly Scenario[] = [1, 10, 100, 1_000].map((concurrency) => ({
  name: `process-${concurrency}`,
  title: `process no-op, ${concurrency.toLocaleString('en-US')} at once`,
  loopDelay: concurrency === 100,
  prepare: (lib) => gated(lib, { concurrency }),
}));
