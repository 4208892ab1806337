/**
 * Jobs in limbo: they lie in no place, because a key was evicted, deleted, or mended by hand. No transition makes one,
 * and none finds one. Counting them costs nothing; which they are is asked only where there are some.
 */
import { defineScript } from '../../redis/script.ts';
import { CANCELLED_KEPT_MS, clock, tickets, wakeOne } from './fragments.ts';

const PLACES = ['scheduled', 'active', 'waiting', 'completed', 'failed', 'cancelled'] as const;

/**
 * Reads: the time, how many jobs lie in no place, how many tickets lie in lists, how many jobs there are; how many completed and failed
 * ones a bound has dropped, and when it did last; the same of steps of flows that were given up, and of jobs whose id was taken.
 */
export const auditScript = defineScript({
  name: 'audit',
  flags: 'no-writes',
  keys: ['jobs', 'dropped', 'stats', ...PLACES, ...tickets.keys],
  args: [],
  uses: [clock],
  lua: `
local lists = redis.call('LLEN', high) + redis.call('LLEN', queued) + redis.call('LLEN', low)
-- Void tickets whose list was lost are in none.
local placed = lists - math.min(lists, redis.call('SCARD', dropped))
for _, set in ipairs({ ${PLACES.join(', ')} }) do placed = placed + redis.call('ZCARD', set) end
local all = redis.call('HLEN', jobs)
local reply = { now, math.max(0, all - placed), lists, all }
for _, state in ipairs({ 'completed', 'failed', 'waiting', 'taken' }) do
  for _, field in ipairs({ 'dropped:', 'droppedAt:' }) do
    local value = redis.pcall('HGET', stats, field .. state)
    reply[#reply + 1] = type(value) == 'string' and value or '0'
  end
end
return reply`,
});

/** Most jobs looked at in a call. */
const LOOKED_A_CALL = 200;

/**
 * Reads: of some jobs those that lie in no sorted set, with their tickets; of those that have ended, the ticket is empty.
 * Replies with the cursor to go on with, as HSCAN does. Whether a ticket lies in a list is for the caller to know: to
 * look for it there takes as long as the list is.
 */
export const unplacedScript = defineScript({
  name: 'unplaced',
  flags: 'no-writes',
  keys: ['jobs', 'outcomes', ...PLACES, ...tickets.keys],
  args: ['cursor'],
  uses: [tickets],
  lua: `
local reply, ids = redis.call('HSCAN', jobs, cursor, 'COUNT', ${LOOKED_A_CALL}), {}
for i = 1, #reply[2], 2 do ids[#ids + 1] = reply[2][i] end
local found = {}
for from = 1, #ids, 1000 do
  local some = { unpack(ids, from, math.min(from + 999, #ids)) }
  local over, current = redis.call('HMGET', outcomes, unpack(some)), redis.call('HMGET', tickets, unpack(some))
  for i, id in ipairs(some) do current[i] = current[i] or id .. ':1:1' end
  local has = {}
  for _, set in ipairs({ scheduled, active }) do has[set] = redis.call('ZMSCORE', set, unpack(current)) end
  for _, set in ipairs({ waiting, completed, failed, cancelled }) do has[set] = redis.call('ZMSCORE', set, unpack(some)) end
  for i, id in ipairs(some) do
    local placed = over[i] and (has[completed][i] or has[failed][i] or has[cancelled][i])
      or not over[i] and (has[scheduled][i] or has[active][i] or has[waiting][i])
    if not placed then
      found[#found + 1] = id
      found[#found + 1] = over[i] and '' or current[i]
    end
  end
end
return { reply[1], found }`,
});

/** Most jobs put back by a call, and most tickets passed in lists for them. */
export const MAX_RESTORED = 100;
export const MAX_PASSED = 200_000;

/**
 * Moves: no place -> the back of its lane in the queue; one that has ended -> where ended ones are, for an hour.
 * Refuses when: the job lies somewhere after all, is gone, or is a step of a flow of which nobody knows whether its turn
 * has come, for those that wait were lost as well. Replies how many it moved, and how many such steps there are.
 * Called by: `Queue.repair`, and the pruner. Sent again, or by two, it finds the jobs where they were put.
 */
export const restoreScript = defineScript({
  name: 'restore',
  flags: 'allow-oom',
  keys: ['jobs', 'outcomes', 'flows', ...PLACES, ...tickets.keys],
  args: [],
  uses: [clock, wakeOne, tickets],
  lua: `
local finals = { completed = completed, failed = failed, cancelled = cancelled }
local moved, steps = 0, 0
local function restore(id)
  if redis.call('HEXISTS', jobs, id) == 0 then return end
  local outcome, ticket = redis.call('HGET', outcomes, id), ticketOf(id)
  if outcome then
    for _, set in pairs(finals) do
      if redis.call('ZSCORE', set, id) then return end
    end
    local state = string.match(outcome, '^%d+{"state":"(%l+)"')
    redis.call('ZADD', finals[state] or failed, text(now + ${CANCELLED_KEPT_MS}), id)
    moved = moved + 1
    return
  end
  if redis.call('ZSCORE', active, ticket) or redis.call('ZSCORE', scheduled, ticket) then return end
  if redis.call('ZSCORE', waiting, id) then return end
  if redis.call('EXISTS', waiting) == 0 and redis.call('HEXISTS', flows, id) == 1
    and redis.call('HEXISTS', tickets, id) == 0 then
    steps = steps + 1
    return
  end
  -- One that came meanwhile stands near the end: once more to the end, and no ticket is there twice.
  local list = lane(ticket)
  local there = redis.call('LREM', list, 0, ticket)
  redis.call('RPUSH', list, ticket)
  if there == 0 then moved = moved + 1 end
end
for i = REST, #ARGV do restore(ARGV[i]) end
if moved > 0 then wakeOne() end
return { moved, steps }`,
});
