/** Jobs claimed ahead of a free slot. */
import type { Mutant } from '../mutant.ts';

const tests = ['worker/ahead'];

export const AHEAD: readonly Mutant[] = [
  {
    name: 'ahead-charged',
    what: 'a crash charges jobs that had not begun: without an attempt to spare they fail unseen',
    file: 'store/scripts/turn.ts',
    find: `successor(ticket, unsure and 0 or 1)`,
    replace: `successor(ticket, 1)`,
    tests: ['store/turn', ...tests],
  },
  {
    name: 'ahead-unmarked',
    what: 'jobs claimed ahead look as if they had begun',
    file: 'store/scripts/fragments.ts',
    find: `i <= want and till or ahead, ticket`,
    replace: `till, ticket`,
    tests: ['store/turn', ...tests],
  },
  {
    name: 'ahead-without-want',
    what: 'a worker with no free slot claims',
    file: 'store/scripts/plain-turn.ts',
    find: `local most = want ~= '0' and want + ahead or 0`,
    replace: `local most = want + ahead`,
    tests: ['store/plain-turn', 'store/model', 'store/model.long'],
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
    find: `this.#giveBack(this.#slots.leftAhead(), this.#slots.claimedAt);`,
    replace: `this.#slots.leftAhead();`,
    tests,
  },
  {
    name: 'ahead-begun-untold',
    what: 'one that goes on is taken for one that has not begun until the next heartbeat',
    file: 'worker/processor.ts',
    find: `if (this.#slots.begun > 0 && this.#slots.busy > 0) this.#options.onBegun();`,
    replace: ``,
    tests,
  },
  {
    name: 'ahead-on-the-last-attempt',
    what: 'a job that must run once at most runs again after a crash',
    file: 'worker/processor.ts',
    find: `if (run.job.attempt <= run.retries && !run.job.lastError) {`,
    replace: `if (!run.job.lastError) {`,
    tests,
  },
  {
    name: 'ahead-after-a-loss',
    what: 'a job that kills its worker is never charged',
    file: 'worker/processor.ts',
    find: `if (run.job.attempt <= run.retries && !run.job.lastError) {`,
    replace: `if (run.job.attempt <= run.retries) {`,
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
