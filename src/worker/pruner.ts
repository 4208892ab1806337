/**
 * Removes outcomes that are kept too long, and workers that are gone: nothing grows without bound. Notes how things
 * stand, and now and then that this queue is worked on. Puts jobs back that lie in no place.
 */
import type { Logger } from '../job/log.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Audit } from '../store/repair.ts';
import type { Keep, Store } from '../store/store.ts';

const EVERY_MS = 60_000;
const ANNOUNCED_EVERY = 60;
/** More than so many are for `minq repair` to look through. */
const MOST_LISTED = 10_000;
const MOST_JOBS = 100_000;
const TOLD_EVERY = 60;
/** After a search that found none to put back. */
const SEARCHED_EVERY = 60;

export function startPruner(
  store: Store,
  keep: Keep,
  logger: Logger,
  onError: (error: unknown) => void,
): Loop {
  let times = 0;
  let searchAt = 0;
  const told: Record<keyof Keep, number> = { completed: -TOLD_EVERY, failed: -TOLD_EVERY };
  /** Outcomes were dropped because too many were kept. */
  const tell = ({ now, dropped }: Audit, state: keyof Keep) => {
    const { count, at } = dropped[state];
    if (now - at > TOLD_EVERY * EVERY_MS || times < told[state] + TOLD_EVERY) return;
    told[state] = times;
    const option = state === 'failed' ? 'keepFailed' : 'keepCompleted';
    const fields = { queue: store.queue, jobs: count, count: keep[state].count };
    logger.warn(
      `too many ${state} jobs: some were dropped before their time, see ${option}`,
      fields,
    );
  };
  const repair = async ({ limbo, listed, jobs }: Audit) => {
    if (times < searchAt || limbo === 0 || listed > MOST_LISTED || jobs > MOST_JOBS) return;
    const { repaired } = await store.repairs.repair();
    if (repaired === 0) searchAt = times + SEARCHED_EVERY;
    const fields = { queue: store.queue, jobs: repaired };
    if (repaired > 0) logger.warn('jobs that lay in no place are queued again', fields);
  };
  const prune = async () => {
    while (await store.prune(keep));
    const audit = await store.repairs.audit();
    tell(audit, 'completed');
    tell(audit, 'failed');
    await repair(audit);
    if (times % ANNOUNCED_EVERY === 0) await store.announce(); // refused by a full Redis: next time
    times++;
  };
  return startLoop(prune, { everyMs: EVERY_MS, onError, immediately: true });
}
