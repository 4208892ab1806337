/**
 * Removes outcomes that are kept too long, and workers that are gone: nothing grows without bound. Notes how things
 * stand, and now and then that this queue is worked on. Puts jobs back that lie in no place.
 */
import type { Logger } from '../job/log.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Store } from '../store/store.ts';

const EVERY_MS = 60_000;
const ANNOUNCED_EVERY = 60;
/** More than so many are for `minq repair` to look through. */
const MOST_LISTED = 10_000;
const MOST_JOBS = 100_000;
/** After a search that found none to put back. */
const SEARCHED_EVERY = 60;

export function startPruner(store: Store, logger: Logger, onError: (error: unknown) => void): Loop {
  let times = 0;
  let searchAt = 0;
  const repair = async () => {
    if (times < searchAt) return;
    const { limbo, listed, jobs } = await store.repairs.audit();
    if (limbo === 0 || listed > MOST_LISTED || jobs > MOST_JOBS) return;
    const { repaired } = await store.repairs.repair();
    if (repaired === 0) searchAt = times + SEARCHED_EVERY;
    else
      logger.warn('jobs that lay in no place are queued again', {
        queue: store.queue,
        jobs: repaired,
      });
  };
  const prune = async () => {
    while (await store.prune());
    if (times % ANNOUNCED_EVERY === 0) await store.announce(); // refused by a full Redis: next time
    await repair();
    times++;
  };
  return startLoop(prune, { everyMs: EVERY_MS, onError, immediately: true });
}
