/** Two turns under way at a time. */
import type { Mutant } from '../mutant.ts';

const tests = ['worker/tracks'];

export const TRACKS: readonly Mutant[] = [
  {
    name: 'one-track',
    what: 'no second turn is ever taken beside the first',
    file: 'worker/slots.ts',
    find: `return worth ? `,
    replace: `return worth && false ? `,
    tests,
  },
  {
    name: 'slots-claimed-twice',
    what: 'both turns claim for the same slots',
    file: 'worker/slots.ts',
    find: `- this.#running.length - claiming);`,
    replace: `- this.#running.length);`,
    tests,
  },
  {
    name: 'one-key-for-both-tracks',
    what: 'the second track takes the numbers of the first for its own',
    file: 'store/store.ts',
    find: '`${worker}:2`',
    replace: 'worker',
    tests: ['store/turn > each track', 'store/model'],
  },
  {
    name: 'failed-track-waits',
    what: 'a turn that failed is not sent again before others',
    file: 'worker/slots.ts',
    find: `return two.failed && !one.failed ? two : one;`,
    replace: `return one;`,
    tests,
  },
  {
    name: 'sent-again-by-halves',
    what: 'a turn is sent again with half of what it settled',
    file: 'worker/slots.ts',
    find: `Math.max(again.length, Math.ceil(many / 2))`,
    replace: `Math.ceil(many / 2)`,
    tests,
  },
];
