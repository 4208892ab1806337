/**
 * Removes outcomes that are kept too long, and workers that are gone: nothing grows without bound. Notes how things
 * stand, and now and then that this queue is worked on.
 */
import { startLoop, type Loop } from './loop.ts';
import type { Store } from '../store/store.ts';

const EVERY_MS = 60_000;
const ANNOUNCED_EVERY = 60;

export function startPruner(store: Store, onError: (error: unknown) => void): Loop {
  let times = 0;
  const prune = async () => {
    while (await store.prune());
    if (times % ANNOUNCED_EVERY === 0) await store.announce(); // refused by a full Redis: next time
    times++;
  };
  return startLoop(prune, { everyMs: EVERY_MS, onError, immediately: true });
}
