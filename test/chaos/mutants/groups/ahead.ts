/** Jobs claimed ahead of a free slot. */
import type { Mutant } from '../mutant.ts';

const tests = ['worker/ahead'];

export const AHEAD: readonly Mutant[] = [
  {
    name: 'ahead-without-a-free-slot',
    what: 'a worker with no free slot claims',
    file: 'worker/processor.ts',
    find: `const want = free > 0 ? free + ahead : 0;`,
    replace: `const want = free + ahead + 1;`,
    tests,
  },
  {
    name: 'ahead-after-a-loss',
    what: 'a job that kills its worker is never charged',
    file: 'worker/processor.ts',
    find: `if (!run.lostBefore) {`,
    replace: `if (true) {`,
    tests,
  },
  {
    name: 'ahead-hoarded',
    what: 'what was claimed ahead waits for a long job',
    file: 'worker/processor.ts',
    find: `if (this.#slots.waiting > 0) this.lookAgain();`,
    replace: ``,
    tests,
  },
  {
    name: 'ahead-lost',
    what: 'what could not begin in time is forgotten until its lease ends',
    file: 'worker/processor.ts',
    find: `this.#giveBack(this.#slots.leftAhead());`,
    replace: `this.#slots.leftAhead();`,
    tests,
  },
  {
    name: 'ahead-after-long-ones',
    what: 'jobs are claimed ahead while a long one runs',
    file: 'worker/slots.ts',
    find: `if (this.busy > 0 || this.#pausing > 0) this.#size = 0;`,
    replace: `if (this.#pausing > 0) this.#size = 0;`,
    tests,
  },
];
