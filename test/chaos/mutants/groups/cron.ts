/** Ticks: each once, by whoever sees it. */
import type { Mutant } from '../mutant.ts';

export const CRON: readonly Mutant[] = [
  {
    name: 'tick-without-compare-and-set',
    what: 'a beat that was frozen sets the entry back when it comes back',
    file: 'store/scripts/cron.ts',
    find: `if redis.call('ZSCORE', cron, name) ~= seen then return behind end`,
    replace: ``,
    tests: ['store/cron'],
  },
  {
    name: 'tick-by-the-old-definition',
    what: 'an entry that was changed fires once more as it was',
    file: 'store/scripts/cron.ts',
    find: `if (redis.call('HGET', entries, name) or '') ~= definition then return behind end`,
    replace: ``,
    tests: ['store/cron'],
  },
  {
    name: 'tick-again-after-its-job-ended',
    what: 'a tick whose job has ended is fired again when the clock is set back',
    file: 'store/scripts/cron.ts',
    find: `letter == 'n' and '' or letter, 'kept', 0, ARGV[i + 1])`,
    replace: `letter == 'n' and '' or letter, 'pending', 0, ARGV[i + 1])`,
    tests: ['store/cron'],
  },
  {
    name: 'overlap-ignored',
    what: 'a tick fires though the run before is unfinished and that is not wanted',
    file: 'store/scripts/cron.ts',
    find: `if overlap == '0' and before and unfinished(name, before) then`,
    replace: `if false then`,
    tests: ['store/cron'],
  },
  {
    name: 'dead-beat-kept',
    what: 'nobody takes over from a beat that is frozen',
    file: 'store/scripts/cron.ts',
    find: `local mine = not holder or holder == worker or #dueBy(now - \${TAKEOVER_MS}) > 0`,
    replace: `local mine = not holder or holder == worker`,
    tests: ['store/cron'],
  },
  {
    name: 'beat-released-by-another',
    what: 'a worker that stops gives away the beat of another',
    file: 'store/scripts/cron.ts',
    find: `if redis.call('GET', beat) ~= worker then return 'other' end`,
    replace: ``,
    tests: ['store/cron'],
  },
  {
    name: 'entries-written-unseen',
    what: 'two that change an entry at once write over each other',
    file: 'store/scripts/cron.ts',
    find: `if (redis.call('HGET', entries, ARGV[i]) or '') ~= seen then return 'changed' end`,
    replace: ``,
    tests: ['store/cron', 'cron/schedules'],
  },
  {
    name: 'entries-not-written-again',
    what: 'after Redis was emptied no entry fires any more',
    file: 'worker/beat.ts',
    find: `if (!reply.known && this.#defines) {`,
    replace: `if (false) {`,
    tests: ['cron/faults > that Redis was emptied'],
  },
];
