/** The plain turn: what it does, and what it must leave to the whole one. */
import type { Mutant } from '../mutant.ts';

const tests = ['store/plain-turn'];
const file = 'store/scripts/plain-turn.ts';

export const PLAIN: readonly Mutant[] = [
  {
    name: 'plain-past-the-fence',
    what: 'of several settlements, one that comes too late is recorded',
    file,
    find: `if not till then return false end`,
    replace: ``,
    tests,
  },
  {
    name: 'plain-past-the-fence-alone',
    what: 'a settlement alone in its turn is recorded, though it comes too late',
    file,
    find: `if redis.call('ZREM', active, unpack(held)) == 0 then return false end`,
    replace: `redis.call('ZREM', active, unpack(held))`,
    tests,
  },
  {
    name: 'plain-twice',
    what: 'a turn sent again claims other jobs: the first ones lie until their lease ends',
    file,
    find: `if number and tonumber(number) >= tonumber(turn) then return false end`,
    replace: ``,
    tests,
  },
  {
    name: 'plain-blind',
    what: 'lanes, pauses, cancels and delayed jobs are not seen while there are plain jobs',
    file,
    find: `if there > (awaited and 1 or 0) or (earliestLease()`,
    replace: `if (earliestLease()`,
    tests,
  },
  {
    name: 'plain-recovers-nothing',
    what: 'jobs of a killed worker lie while there are plain jobs',
    file,
    find: ` or (earliestLease() or now + 1) <= now then return false end`,
    replace: ` then return false end`,
    tests,
  },
  {
    name: 'plain-keeps-all',
    what: 'outcomes of plain jobs are kept without a limit',
    file,
    find: `if total > \${MAX_KEPT} and total > (tonumber(redis.pcall('HGET', keep, 'completed') or nil) or 0) then return false end`,
    replace: ``,
    tests,
  },
  {
    name: 'plain-tells-nobody',
    what: 'who waits for a plain job waits until he looks again',
    file,
    find: `if awaited then tell(ids, texts) end`,
    replace: ``,
    tests,
  },
  {
    name: 'plain-wakes-nobody',
    what: 'one worker alone works off what others could help with',
    file,
    find: `if left == 1 then wakeOne() end`,
    replace: ``,
    tests,
  },
  {
    name: 'plain-cut-forgotten',
    what: 'jobs that had no room in a reply wait though slots are free',
    file: 'store/scripts/plain-turn.ts',
    find: `most = most or fits < #got -- what has no room is left in the list\n`,
    replace: `\n`,
    tests: ['worker/concurrency'],
  },
];
