/** Removes outcomes that are kept too long, and workers that are gone: nothing grows without bound. */
import { startLoop, type Loop } from '../loop.ts';
import type { Store } from '../store.ts';

const EVERY_MS = 60_000;

export function startPruner(store: Store, onError: (error: unknown) => void): Loop {
  const prune = async () => {
    while (await store.prune());
  };
  return startLoop(prune, { everyMs: EVERY_MS, onError });
}
