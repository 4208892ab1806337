import { gated, inBulk } from './gated.ts';
import type { Scenario } from './scenario.ts';

export const RETRIES: Scenario = {
  name: 'retries',
  title: 'process, 100 at once, each fails once and is retried at once',
  without: ['floor'],
  long: true,
  async prepare(lib) {
    let failed = new Set<number>();
    const put = inBulk((numbers) => lib.enqueueRetried!(numbers));
    return gated(lib, {
      concurrency: 100,
      fill(n) {
        failed = new Set();
        return put(n);
      },
      run(i, ran) {
        if (!failed.has(i)) {
          failed.add(i);
          throw new Error('the first time it fails');
        }
        ran();
        return i;
      },
    });
  },
};
