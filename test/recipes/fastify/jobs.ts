/** The work that a request must not wait for. */
import { setTimeout } from 'node:timers/promises';
import { currentJob } from 'minq';

export async function makeReport(month: string) {
  for (let done = 0; done < 10; done++) {
    currentJob().progress({ done, of: 10 });
    await setTimeout(100, undefined, { signal: currentJob().signal });
  }
  return { month, rows: 310 };
}
