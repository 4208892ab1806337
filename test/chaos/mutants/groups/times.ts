import type { Mutant } from '../mutant.ts';

/** Times beyond 24.8 days: a timer that is set for longer fires at once. */
export const TIMES: readonly Mutant[] = [
  {
    name: 'stop-beyond-a-timer',
    what: 'a worker that is given 30 days to stop gives its jobs back at once',
    file: 'worker/worker.ts',
    find: `Math.min(ms, LONGEST_TIMER_MS)`,
    replace: `ms`,
    tests: ['worker/long-times > 30 days'],
  },
  {
    name: 'timeout-beyond-a-timer',
    what: 'a job whose timeout is 30 days times out as it starts',
    file: 'worker/executor.ts',
    find: `Math.min(leftMs, LONGEST_TIMER_MS)`,
    replace: `leftMs`,
    tests: ['worker/long-times > a timeout'],
  },
  {
    name: 'tick-beyond-a-timer',
    what: 'a tick that is due in months makes a worker ask without pause',
    file: 'worker/loop.ts',
    find: `Math.min(inMs ?? jittered, LONGEST_TIMER_MS)`,
    replace: `inMs ?? jittered`,
    tests: ['worker/long-times > due in months'],
  },
  {
    name: 'due-beyond-a-timer',
    what: 'a job that is due in months makes a worker claim without pause',
    file: 'worker/idle.ts',
    find: `Math.min(nextIn, LONGEST_TIMER_MS)`,
    replace: `nextIn`,
    tests: ['worker/long-times > due in months'],
  },
  {
    name: 'result-beyond-a-timer',
    what: 'who would wait 30 days for a result waits a millisecond',
    file: 'queue/waiter.ts',
    find: `Math.min(timeout, LONGEST_TIMER_MS)`,
    replace: `timeout`,
    tests: ['worker/long-times > a timeout'],
  },
  {
    name: 'wait-beyond-a-timer',
    what: 'a worker that is given 30 days to stop waits a millisecond',
    file: 'worker/loop.ts',
    find: `Math.min(ms, LONGEST_TIMER_MS)`,
    replace: `ms`,
    tests: ['worker/long-times > 30 days'],
  },
];
