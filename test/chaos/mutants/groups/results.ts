/** Waiting for results: pushed, and looked up where the push was lost. */
import type { Mutant } from '../mutant.ts';

export const RESULTS: readonly Mutant[] = [
  {
    name: 'results-not-looked-up-after-a-reconnect',
    what: 'a result that came while the connection was down is not found when it is back',
    file: 'queue/results.ts',
    find: `for (const awaited of this.#queues.values()) this.#renew(subscriber, awaited);`,
    replace: ``,
    tests: ['queue/results'],
  },
  {
    name: 'results-looked-up-once',
    what: 'a result whose message was lost is never found',
    file: 'queue/results.ts',
    find: `if (awaited.waiters.size > 0) this.#renew(subscriber, awaited);`,
    replace: ``,
    tests: ['queue/results'],
  },
  {
    name: 'results-looked-up-before-subscribing',
    what: 'a result that comes between the look and the subscription is missed',
    file: 'queue/results.ts',
    find: `awaited.subscribed.then(\n      () =>`,
    replace: `Promise.resolve().then(\n      () =>`,
    tests: ['queue/results'],
  },
  {
    name: 'results-told-to-one',
    what: 'of several who wait for a job in other processes only the first is told',
    file: 'store/scripts/views.ts',
    find: `who[i] and who[i] .. ' ' .. channel or channel`,
    replace: `who[i] or channel`,
    tests: ['queue/results'],
  },
  {
    name: 'results-first-of-a-message',
    what: 'of several jobs that end together only the first is heard of',
    file: 'queue/results.ts',
    find: `message.split('\\n')`,
    replace: `message.split('\\n', 1)`,
    tests: ['queue/results'],
  },
  {
    name: 'results-untold-at-the-end',
    what: 'nobody is told when a job ends',
    file: 'store/scripts/fragments.ts',
    find: `    tell(ids, texts)\n`,
    replace: ``,
    tests: ['store/control', 'queue/results'],
  },
];
