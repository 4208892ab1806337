/** New jobs into their places, one by one. */
import type { Fragment } from '../../redis/script.ts';
import { finish, scoreFor, tickets, wakeOne } from './fragments.ts';

/**
 * `place(id, letter, mode, due, json)`: a new job into its lane, or into `scheduled`.
 * Refuses when the id is taken: `mode` '-' (an id no two clients make: it can only be the same call sent
 * again), 'pending' (taken while the first waits or runs), 'kept' (also while its outcome is kept).
 * `placeOwn(id, letter, mode, json)`: one that a user can't ask for.
 */
export const place: Fragment = {
  keys: [...scoreFor.keys, ...wakeOne.keys, ...tickets.keys, ...finish.keys, 'active', 'again'],
  lua: `${scoreFor.lua}
local function place(id, letter, mode, due, json)
  local old = redis.call('HGET', jobs, id)
  if old then
    -- The same call, sent again because its reply was lost: the job is there already. Accepted.
    if mode == '-' or string.sub(old, 14) == json then return true end
    local outcome = redis.call('HGET', outcomes, id)
    if not outcome then return false end
    -- Where no result was to be kept, a failure is, but it keeps no id.
    local free = string.find(outcome, '^%d+{"state":"failed","free":true')
    if mode == 'kept' and not free and kept(id, outcome) then return false end
    for _, set in pairs(finals) do redis.call('ZREM', set, id) end
    forget({ id })
  end
  redis.pcall('HINCRBY', stats, 'enqueued', 1)
  local ticket = firstTicket(id, letter, mode == '-' and 1 or highestRun() + 1)
  redis.call('HSET', jobs, id, stamp .. json)
  if due > now then
    redis.call('ZADD', scheduled, scoreFor(due), ticket)
    -- Sleeping workers know only of what was due before: the new first one must be heard of.
    if redis.call('ZRANK', scheduled, ticket) == 0 then wakeOne() end
  else
    redis.call('RPUSH', lane(ticket), ticket)
    wakeOne()
  end
  return true
end
-- Refused while one waits that was enqueued under this id; while one runs, the next is a job of its own: <id>:again:<n>.
-- Replies whether it is accepted, and the id of the job that is meant.
local function placeWaiting(id, letter, due, json)
  local last = redis.call('HGET', again, id) or id
  local old = redis.call('HGET', jobs, last)
  if old and string.sub(old, 14) == json then return true, last end
  local function goesOn(job) return redis.call('HEXISTS', jobs, job) == 1 and redis.call('HEXISTS', outcomes, job) == 0 end
  if goesOn(last) and not redis.call('ZSCORE', active, ticketOf(last)) then return false, last end
  local own, n = id, 0
  while goesOn(own) do
    n = n + 1
    own = id .. ':again:' .. n
  end
  local accepted = place(own, letter, 'pending', due, json)
  if own == id then redis.call('HDEL', again, id) else redis.call('HSET', again, id, own) end
  return accepted, own
end
-- A job that minq itself makes, with an id that no user may give. Where somebody took it all the same, it is counted.
local function placeOwn(id, letter, mode, json)
  local old = mode == '-' and redis.call('HGET', jobs, id)
  if (not old or string.sub(old, 14) == json) and place(id, letter, mode, 0, json) then return true end
  redis.pcall('HINCRBY', stats, 'dropped:taken', 1)
  redis.pcall('HSET', stats, 'droppedAt:taken', stamp)
  return false
end`,
};
