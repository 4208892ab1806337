/** Heartbeats and what they carry. */
import type { Mutant } from '../mutant.ts';

export const LEASE: readonly Mutant[] = [
  {
    name: 'heartbeat-revives-a-lost-lease',
    what: 'a worker that was away takes back a job that another has by now',
    file: 'scripts/upkeep.ts',
    find: `local leases, renewed = redis.call('ZMSCORE', active, unpack(mine)), {}`,
    replace: `for _, ticket in ipairs(mine) do redis.call('ZADD', active, 'NX', text(now + lease), ticket) end
  local leases, renewed = redis.call('ZMSCORE', active, unpack(mine)), {}`,
    tests: ['scripts.control', 'worker.lease'],
  },
  {
    name: 'heartbeat-renews-nothing',
    what: 'jobs longer than a lease run twice',
    file: 'scripts/upkeep.ts',
    find: `if #renewed > 0 then redis.call('ZADD', active, 'XX', unpack(renewed)) end`,
    replace: ``,
    tests: ['scripts.control', 'worker.lease'],
  },
  {
    name: 'heartbeat-renews-the-first',
    what: 'of the jobs a worker runs only one keeps its lease',
    file: 'worker/heartbeat.ts',
    find: `.map(([ticket]) => ticket);`,
    replace: `.map(([ticket]) => ticket).slice(0, 1);`,
    tests: ['worker.lease'],
  },
  {
    name: 'heartbeat-ends-with-the-claiming',
    what: 'a worker that stops lets the leases of what still runs go',
    file: 'worker.ts',
    find: `    const leaveBy = await this.#finish(processor, timeoutMs);`,
    replace: `    await heartbeat.stop();\n    const leaveBy = await this.#finish(processor, timeoutMs);`,
    tests: ['worker.stop', 'worker.lease'],
  },
  {
    name: 'heartbeat-refused-when-full',
    what: 'a Redis that has reached maxmemory lets all leases end',
    file: 'scripts/upkeep.ts',
    find: `name: 'heartbeat',\n  flags: 'allow-oom',`,
    replace: `name: 'heartbeat',`,
    tests: ['faults.memory'],
  },
  {
    name: 'heartbeat-brings-no-cancel',
    what: 'a cancel that was not heard is never obeyed',
    file: 'worker/heartbeat.ts',
    find: `for (const ticket of unwanted) held.get(ticket)?.cancel();`,
    replace: ``,
    tests: ['handles', 'worker.lease'],
  },
  {
    name: 'lost-lease-untold',
    what: 'a run that lost its lease never hears of it',
    file: 'worker/heartbeat.ts',
    find: `run.loseLease();`,
    replace: ``,
    tests: ['worker.lease'],
  },
  {
    name: 'counters-sent-twice',
    what: 'what a worker counted is counted again when the answer was lost',
    file: 'scripts/fragments.ts',
    find: `if tonumber(number) <= tonumber(last) then return last end`,
    replace: ``,
    tests: ['statistics'],
  },
  {
    name: 'progress-of-a-lost-run',
    what: 'a run that lost its lease writes over the progress of the newer one',
    file: 'scripts/upkeep.ts',
    find: `if not redis.call('ZSCORE', active, ticket) then return 'lost' end`,
    replace: ``,
    tests: ['scripts.control'],
  },
];
