/** Jobs at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Setting } from './setting.ts';

const PULSE_MS = 20;
/** The libraries keep 10,000 outcomes: with more, nobody could say what became of the first. */
const MOST = 8_000;

export interface Load {
  /** Ends it. Resolves when all it has sent is accepted. */
  stop(): Promise<void>;
}

/** @param ms how long the next job takes */
export function startLoad(setting: Setting, perSecond: number, ms: () => number): Load {
  const startedAt = performance.now();
  const pending: Promise<string>[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped && !setting.over.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
      while (pending.length < Math.min(due, MOST)) {
        const call = setting.enqueue('sleep', [ms()]);
        call.catch(() => {}); // the scenario is over before its time
        pending.push(call);
      }
      await sleep(PULSE_MS);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      await Promise.all(pending);
    },
  };
}
