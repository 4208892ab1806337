import { defineScript } from '../../redis/script.ts';
import { flowing } from './flowing.ts';
import { clock, finish, remember, scoreFor, tickets, wakeOne } from './fragments.ts';

/**
 * Moves: queued | scheduled | waiting -> cancelled. A running job's ticket is marked, and its worker told.
 * Refuses when: the job is unknown, or has ended (replies `unknown`, `ended`). Of the last step of a flow that
 * waits for the others it replies `flow`: they are to be cancelled with it.
 * Called by: `Job.cancel`. Sent again it finds the job ended.
 *
 * A waiting ticket is not searched in its list, which may be a million long: it is noted in `dropped`,
 * and left out when a claim meets it.
 */
export const cancelScript = defineScript({
  name: 'cancel',
  flags: 'allow-oom',
  keys: ['active', 'scheduled', 'cancelling', 'dropped'],
  args: ['id', 'control'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
if redis.call('HEXISTS', jobs, id) == 0 then return 'unknown' end
if redis.call('HEXISTS', outcomes, id) == 1 then return 'ended' end
local ticket = ticketOf(id)
if redis.call('ZSCORE', waiting, id) then
  if string.sub(redis.call('HGET', flows, id) or '', 1, 1) == '-' then return 'flow' end
  redis.call('ZREM', waiting, id)
  finishCancelled(id, true)
  goOnWithFlows()
  return 'cancelled'
end
if redis.call('ZSCORE', active, ticket) then
  redis.call('SADD', cancelling, ticket)
  redis.call('PUBLISH', control, ticket)
  return 'cancelling'
end
if redis.call('ZREM', scheduled, ticket) == 0 then redis.call('SADD', dropped, ticket) end
finishCancelled(id)
goOnWithFlows()
return 'cancelled'`,
});

/** Name of the "last error" of a job that somebody runs again: it has been started, or may be late, and knows it. */
export const RETRIED = 'RunAgain';

/** Most jobs one call runs again. */
export const MAX_RETRIED = 100;

/**
 * Moves: failed | cancelled -> queued, with all its attempts before it again; up to 100 jobs. Replies a word for each.
 * Refuses when: the job is in any other state, or is a step that never had its turn (`unknown`, `other`); or what was revived
 * for it was given up meanwhile (`given up`).
 * Arguments: ids; of a step for which others were revived its mark in `building` (see revive.ts).
 * Called by: `Queue.retry`, `Queue.retryAll`. Sent again it finds the jobs queued.
 */
export const retryScript = defineScript({
  name: 'retry',
  keys: ['wake', 'building'],
  args: [],
  uses: [clock, wakeOne, tickets, remember, finish],
  lua: `
local function retry(id, mark)
  local outcome = redis.call('HGET', outcomes, id) or ''
  local over = outcome ~= '' and not kept(id, outcome)
  if over or redis.call('HEXISTS', jobs, id) == 0 then return 'unknown' end
  if not redis.call('ZSCORE', failed, id) and not redis.call('ZSCORE', cancelled, id) then return 'other' end
  -- A step that never had its turn lacks its first argument.
  if string.match(outcome, ',"step":"%S+"}$') then return 'other' end
  if mark ~= id and redis.call('ZREM', building, mark) == 0 then return 'given up' end
  redis.call('ZREM', failed, id)
  redis.call('ZREM', cancelled, id)
  redis.call('HDEL', outcomes, id)
  redis.call('HDEL', progress, id)
  redis.call('HSET', errors, id, '{"name":"${RETRIED}","message":"run again by hand"}')
  remember(id, outcome)
  local run, letter = string.match(ticketOf(id), ':(%d+):%d+(%l?)$')
  local ticket = string.format('%s:%d:1%s', id, run + 1, letter)
  redis.call('HSET', tickets, id, ticket)
  redis.call('RPUSH', lane(ticket), ticket)
  return 'queued'
end
local words = {}
for i = REST, #ARGV do words[#words + 1] = retry(string.match(ARGV[i], '^revive (%S+) ') or ARGV[i], ARGV[i]) end
wakeOne()
return words`,
});

/**
 * Moves: scheduled -> queued, or to another time. Replies where the job is now.
 * Refuses when: the job is in any other state (`unknown`, `other`).
 * Called by: `Queue.runNow`, `Queue.reschedule`. Sent again it finds the job queued (`other`), or at that time.
 */
export const rescheduleScript = defineScript({
  name: 'reschedule',
  keys: ['jobs', 'errors'],
  args: ['id', 'due'],
  uses: [clock, wakeOne, tickets, scoreFor],
  lua: `
if redis.call('HEXISTS', jobs, id) == 0 then return 'unknown' end
local relative = string.match(due, '^%+(.+)$')
local at = relative and now + amount(relative) or amount(due)
local ticket = ticketOf(id)
if not redis.call('ZSCORE', scheduled, ticket) then return 'other' end
-- Somebody wants it at this time, whatever its own options said.
if redis.call('HEXISTS', errors, id) == 0 then
  redis.call('HSET', errors, id, '{"name":"${RETRIED}","message":"put at another time by hand"}')
end
if at > now then
  redis.call('ZADD', scheduled, scoreFor(at), ticket)
  -- Sleeping workers know only of what was due before: the new first one must be heard of.
  if redis.call('ZRANK', scheduled, ticket) == 0 then wakeOne() end
  return 'scheduled'
end
redis.call('RPUSH', lane(ticket), ticket)
redis.call('ZREM', scheduled, ticket)
wakeOne()
return 'queued'`,
  numbers: [],
});

/**
 * Moves: any state but active -> nothing.
 * Refuses when: the job is unknown, or runs (replies `unknown`, `active`).
 * Called by: `Queue.remove`.
 */
export const removeScript = defineScript({
  name: 'remove',
  flags: 'allow-oom',
  keys: ['active', 'scheduled', 'dropped'],
  args: ['id'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
local over = redis.call('HEXISTS', outcomes, id) == 1
if not over and redis.call('HEXISTS', jobs, id) == 0 then return 'unknown' end
local ticket = ticketOf(id)
if over then
  for _, set in pairs(finals) do redis.call('ZREM', set, id) end
elseif redis.call('ZSCORE', active, ticket) then
  return 'active'
elseif redis.call('ZREM', waiting, id) == 0 and redis.call('ZREM', scheduled, ticket) == 0 then
  redis.call('SADD', dropped, ticket)
end
if not over then ended({ id, stamp .. '{"state":"cancelled"}' }) end
goOnWithFlows()
forget({ id })
return 'removed'`,
});

/**
 * Moves: every job of one state -> nothing, up to 1,000 a call; replies how many.
 * Called by: `Queue.purge`, until nothing is left.
 */
export const purgeScript = defineScript({
  name: 'purge',
  flags: 'allow-oom',
  keys: ['scheduled', 'dropped'],
  args: ['state'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
local ids, taken = {}, 0
if state == 'queued' then
  for _, list in ipairs({ high, queued, low }) do
    local popped = taken < 1000 and redis.call('LPOP', list, 1000 - taken)
    for _, ticket in ipairs(popped or {}) do
      taken = taken + 1
      if redis.call('SREM', dropped, ticket) == 0 then ids[#ids + 1] = idOf(ticket) end
    end
  end
else
  local popped = redis.call('ZPOPMIN', finals[state] or scheduled, 1000)
  for i = 1, #popped, 2 do ids[#ids + 1] = finals[state] and popped[i] or idOf(popped[i]) end
  taken = #ids
end
if not finals[state] then
  local entries = {}
  for _, id in ipairs(ids) do
    entries[#entries + 1] = id
    entries[#entries + 1] = stamp .. '{"state":"cancelled"}'
  end
  if #ids > 0 then ended(entries) end
  goOnWithFlows()
end
forget(ids)
return { taken, #ids }`,
});

/** Moves nothing: claims give nothing from now on. What runs goes on; enqueueing goes on. */
export const pauseScript = defineScript({
  name: 'pause',
  keys: ['paused'],
  args: [],
  lua: `
redis.call('SET', paused, '1')
return 'paused'`,
});

export const resumeScript = defineScript({
  name: 'resume',
  flags: 'allow-oom',
  keys: ['paused'],
  args: [],
  uses: [wakeOne],
  lua: `
redis.call('DEL', paused)
wakeOne()
return 'resumed'`,
});
