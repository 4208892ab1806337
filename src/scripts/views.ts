import { defineScript } from '../script.ts';
import { describe, tickets } from './fragments.ts';

/** Reads: what is known of one job. */
export const infoScript = defineScript({
  name: 'info',
  flags: 'no-writes',
  keys: [],
  args: ['id'],
  uses: [tickets, describe],
  lua: `return describe(id)`,
});

/** Reads: a page of the jobs of one state, in the order in which they run, start or went. */
export const listScript = defineScript({
  name: 'list',
  flags: 'no-writes',
  keys: ['completed', 'failed', 'cancelled', 'dropped', 'waiting'],
  args: ['state', 'offset', 'limit'],
  uses: [tickets, describe],
  lua: `
local found = {}
local skip, room = tonumber(offset), tonumber(limit)
if state == 'queued' then
  for _, list in ipairs({ high, queued, low }) do
    local length = redis.call('LLEN', list)
    if room > 0 and skip < length then
      for _, ticket in ipairs(redis.call('LRANGE', list, skip, skip + room - 1)) do
        room = room - 1
        if redis.call('SISMEMBER', dropped, ticket) == 0 then found[#found + 1] = describe(idOf(ticket)) end
      end
    end
    skip = math.max(0, skip - length)
  end
else
  local sets = { completed = completed, failed = failed, cancelled = cancelled, active = active, scheduled = scheduled,
    waiting = waiting }
  local final = state == 'completed' or state == 'failed' or state == 'cancelled'
  -- What ended last comes first; what starts first comes first.
  local members = redis.call(final and 'ZREVRANGE' or 'ZRANGE', sets[state], skip, skip + room - 1)
  for _, member in ipairs(members) do found[#found + 1] = describe((final or state == 'waiting') and member or idOf(member)) end
end
return found`,
});

/** Reads: how many jobs are in each state, and whether the queue is paused. */
export const countsScript = defineScript({
  name: 'counts',
  flags: 'no-writes',
  keys: [
    'dropped',
    'scheduled',
    'active',
    'completed',
    'failed',
    'cancelled',
    'paused',
    'waiting',
    ...tickets.keys,
  ],
  args: [],
  lua: `
local inLists = redis.call('LLEN', high) + redis.call('LLEN', queued) + redis.call('LLEN', low)
return { redis.call('ZCARD', scheduled), inLists - redis.call('SCARD', dropped), redis.call('ZCARD', active),
  redis.call('ZCARD', completed), redis.call('ZCARD', failed), redis.call('ZCARD', cancelled),
  redis.call('EXISTS', paused), redis.call('ZCARD', waiting) }`,
});

/**
 * Notes who waits for the results of these jobs. Replies for each: the outcome if it is there already,
 * `` (noted), or nothing at all (no such job).
 * Called by: `Job.result`, and again after a reconnect. Sent again it changes nothing.
 */
export const watchScript = defineScript({
  name: 'watch',
  flags: 'allow-oom',
  keys: ['jobs', 'outcomes', 'waiters'],
  args: ['channel'],
  lua: `
local replies = {}
for i = REST, #ARGV do
  local id = ARGV[i]
  local reply = redis.call('HGET', outcomes, id)
  if not reply and redis.call('HEXISTS', jobs, id) == 1 then
    local who = redis.call('HGET', waiters, id)
    if not who then
      redis.call('HSET', waiters, id, channel)
    elseif not string.find(' ' .. who .. ' ', ' ' .. channel .. ' ', 1, true) then
      redis.call('HSET', waiters, id, who .. ' ' .. channel)
    end
    reply = ''
  end
  replies[#replies + 1] = reply
end
return replies`,
});
