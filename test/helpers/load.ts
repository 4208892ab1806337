/** A producer that enqueues one job after another, each again under its id until it is accepted. */
import type { Queue } from '../../src/index.ts';

export interface Load {
  /** Jobs whose enqueue resolved. `at`: when, by performance.now(). */
  readonly accepted: { id: string; at: number }[];
  /** What single calls ended with. */
  readonly refused: Error[];
  stop(): Promise<void>;
  /**
   * Of the accepted ones: how many are there and unfinished, and which Redis knows nothing of.
   * @param asked made after the fault: who is still connected to a master that was replaced is told old stories
   */
  fate(asked: Queue): Promise<{ unfinished: number; gone: string[] }>;
}

const PAUSE_MS = 2;

export function produce(queue: Queue, fn: string, prefix: string): Load {
  const accepted: Load['accepted'] = [];
  const refused: Error[] = [];
  let going = true;
  const done = (async () => {
    for (let n = 0; going; n++) {
      const id = `${prefix}${n}`;
      while (going) {
        try {
          await queue.enqueue(fn, [], { id, unique: 'kept', retries: 10 });
          accepted.push({ id, at: performance.now() });
          break;
        } catch (error) {
          refused.push(error as Error);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  return {
    accepted,
    refused,
    stop() {
      going = false;
      return done;
    },
    async fate(asked) {
      const states = await Promise.all(
        accepted.map(async ({ id }) => {
          const state = await asked.job(id).state().catch((error: Error & { code?: string }) => {
            if (error.code === 'RESULT_NOT_FOUND') return 'gone';
            throw error;
          }); // prettier-ignore
          return { id, state };
        }),
      );
      const gone = states.filter(({ state }) => state === 'gone').map(({ id }) => id);
      const completed = states.filter(({ state }) => state === 'completed').length;
      return { unfinished: states.length - gone.length - completed, gone };
    },
  };
}
