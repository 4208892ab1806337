/** Jobs at a steady rate, from a producer that doesn't give up: a call that fails it makes again, with the same id. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Setting } from './setting.ts';

const PULSE_MS = 20;
const AGAIN_MS = 100;

export interface Load {
  /** Ends it. Resolves when all it has sent is accepted. */
  stop(): Promise<void>;
}

/** @param ms how long the next job takes */
export function startLoad(setting: Setting, perSecond: number, ms: () => number): Load {
  const startedAt = performance.now();
  const pending: Promise<void>[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
      while (pending.length < due) pending.push(surely(setting, `load-${pending.length}`, ms()));
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

/** Enqueues a job that takes so many ms, as often as it takes. */
export async function surely(setting: Setting, id: string, ms: number): Promise<void> {
  for (;;) {
    try {
      await setting.producer.enqueue('sleep', [ms], { id });
      setting.accepted.add(id);
      return;
    } catch {
      await sleep(AGAIN_MS);
    }
  }
}
