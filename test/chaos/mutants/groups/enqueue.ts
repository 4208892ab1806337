/** Enqueueing: one job for each call, however often it is sent; one for each id. */
import type { Mutant } from '../mutant.ts';

export const ENQUEUE: readonly Mutant[] = [
  {
    name: 'enqueue-sent-twice',
    what: 'an enqueue whose reply was lost makes two jobs',
    file: 'scripts/enqueue.ts',
    find: `  if not there[i] then
    entries[#entries + 1] = id`,
    replace: `  if true then
    entries[#entries + 1] = id`,
    tests: ['producer.enqueue', 'faults.reply-lost'],
  },
  {
    name: 'delayed-sent-twice',
    what: 'an enqueue with a delay or a lane, whose reply was lost, makes two jobs',
    file: 'scripts/enqueue.ts',
    find: `    if not there[i] then
      entries[#entries + 1] = id`,
    replace: `    if true then
      entries[#entries + 1] = id`,
    tests: ['producer.enqueue', 'faults.reply-lost', 'model'],
  },
  {
    name: 'delayed-wakes-nobody',
    what: 'a sleeping worker does not hear of a job that is due earlier than all it knows of',
    file: 'scripts/enqueue.ts',
    find: `if redis.call('ZRANK', scheduled, first) == 0 then wakeOne() end`,
    replace: ``,
    tests: ['scripts.turn'],
  },
  {
    name: 'enqueue-with-an-id-sent-twice',
    what: 'a job whose id is taken is enqueued all the same',
    file: 'scripts/fragments.ts',
    find: `local old = redis.call('HGET', jobs, id)`,
    replace: `local old = false`,
    tests: ['producer.unique', 'faults.reply-lost'],
  },
  {
    name: 'own-repetition-is-a-duplicate',
    what: 'a call whose reply was lost is told that somebody else had its id',
    file: 'scripts/fragments.ts',
    find: `if mode == '-' or string.sub(old, 14) == json then return true end`,
    replace: `if mode == '-' then return true end`,
    tests: ['faults.reply-lost', 'producer.unique'],
  },
  {
    name: 'kept-id-free-at-the-end',
    what: 'an id to be unique while its result is kept is free when the job ends',
    file: 'scripts/fragments.ts',
    find: `if mode == 'kept' or redis.call('HEXISTS', outcomes, id) == 0 then return false end`,
    replace: `if redis.call('HEXISTS', outcomes, id) == 0 then return false end`,
    tests: ['producer.unique'],
  },
  {
    name: 'pending-id-free-at-the-first-failure',
    what: 'an id is free while its job waits for a retry',
    file: 'scripts/fragments.ts',
    find: `if mode == 'kept' or redis.call('HEXISTS', outcomes, id) == 0 then return false end`,
    replace: `if mode == 'kept' or redis.call('HEXISTS', outcomes, id) + redis.call('HEXISTS', errors, id) == 0 then return false end`,
    tests: ['producer.unique', 'scripts.control'],
  },
  {
    name: 'id-again-with-old-tickets',
    what: 'an id that comes again begins with tickets that were used: an old run can settle it',
    file: 'scripts/fragments.ts',
    find: `firstTicket(id, letter, mode == '-' and 1 or highestRun() + 1)`,
    replace: `firstTicket(id, letter, 1)`,
    tests: ['scripts.turn', 'producer.unique'],
  },
  {
    name: 'void-ticket-comes-back',
    what: 'an enqueue that is sent again after its job was removed gets the ticket that lies there void: it never runs',
    file: 'scripts/fragments.ts',
    find: `if redis.call('SISMEMBER', dropped, ticket) == 1 then`,
    replace: `if false then`,
    tests: ['scripts.control', 'producer.unique', 'model'],
  },
  {
    name: 'highest-run-forgotten',
    what: 'of a job that ran often and was removed, the next of its id gets a ticket again',
    file: 'scripts/fragments.ts',
    find: `if highest > before then`,
    replace: `if false then`,
    tests: ['scripts.control', 'producer.unique'],
  },
  {
    name: 'earlier-due-untold',
    what: 'a delayed job that is the next one due wakes nobody: it runs late',
    file: 'scripts/fragments.ts',
    find: `if redis.call('ZRANK', scheduled, ticket) == 0 then wakeOne() end`,
    replace: ``,
    tests: ['scripts.turn', 'worker.waiting > an earlier one wakes the sleeper'],
  },
  {
    name: 'enqueue-wakes-nobody',
    what: 'an enqueue leaves no token: an idle worker sees the job a lease later',
    file: 'scripts/enqueue.ts',
    find: `  wakeOne()\nend\nreturn {}`,
    replace: `end\nreturn {}`,
    tests: ['scripts.turn', 'worker.waiting > one token wakes one worker'],
  },
  {
    name: 'enqueue-into-a-full-redis',
    what: 'a Redis that has reached maxmemory takes new jobs',
    file: 'scripts/enqueue.ts',
    find: `name: 'enqueuePlain',`,
    replace: `name: 'enqueuePlain',\n  flags: 'allow-oom',`,
    tests: ['faults.memory', 'producer.many'],
  },
];
