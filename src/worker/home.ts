/** What the jobs of a worker may know of it: `currentQueue()` enqueues where they came from. */
import { performance } from '../job/globals.ts';
import type { Home } from '../job/context.ts';
import type { JobFunction } from '../job/define.ts';
import type { Logger } from '../job/log.ts';
import type { Slots } from './slots.ts';

const WARN_EVERY_MS = 60_000;

type Where = Pick<Home, 'queue' | 'redis' | 'prefix' | 'callTimeout'> & {
  routes?: Home['routes'] | undefined;
};

export function homeOf(
  { queue, redis, prefix, callTimeout, routes }: Where,
  functions: ReadonlyMap<string, JobFunction>,
  slots: Slots,
  logger: Logger,
): Home {
  let warnedAt = -Infinity;
  const own = [...functions.values()].flatMap(({ name, options }) =>
    options.queue === undefined ? [] : [[name, options.queue]],
  );
  return {
    queue,
    redis,
    prefix,
    callTimeout,
    routes: { ...Object.fromEntries(own), ...routes },
    producer: undefined,
    waits(awaited) {
      const at = performance.now();
      if (awaited !== queue || at - warnedAt < WARN_EVERY_MS || !slots.allWait()) return;
      warnedAt = at;
      const all = slots.concurrency === 1 ? 'the only slot' : `all ${slots.concurrency} slots`;
      logger.warn(
        `${all} of this worker wait for other jobs of queue ${queue}: without another worker they wait for ever; give a chain or a chord, more concurrency, or a queue of its own to what they wait for`,
      );
    },
  };
}
