/** minq as it is built: its own `minq worker` in processes, and a queue. */
import { JobFailedError, Queue, ResultNotFoundError } from '../../../dist/index.js';
import { launch } from './launch.ts';
import type { Library } from './library.ts';

export const minq: Library = {
  name: 'minq',
  leaseMs: { full: 15_000, short: 2_000 },
  settings: (leaseMs) => `lease ${leaseMs / 1_000} s`,
  producer(redis, name, { callTimeoutMs } = {}) {
    const queue = new Queue(name, {
      redis,
      ...(callTimeoutMs !== undefined && { callTimeout: callTimeoutMs }),
    });
    return {
      async enqueue(task, args, { id, delayMs, retries }) {
        await queue.enqueue(task, [...args], {
          id,
          unique: 'kept',
          ...(delayMs !== undefined && { delay: delayMs }),
          ...(retries !== undefined && { retries }),
        });
      },
      async finished() {
        const { completed, failed } = await queue.counts();
        return { completed, failed };
      },
      async ended(id) {
        const state = await queue
          .job(id)
          .state()
          .catch((error: Error) => {
            if (error instanceof ResultNotFoundError) return undefined; // lost
            throw error;
          });
        if (state !== 'completed' && state !== 'failed') return undefined;
        return queue
          .job(id)
          .result()
          .then(
            (result) => ({ state, result: String(result) }),
            (error: JobFailedError) => ({ state, error: String(error.cause) }),
          );
      },
      close: () => queue.close(),
    };
  },
  startWorker: (options) => launch('minq-worker.ts', options),
};
