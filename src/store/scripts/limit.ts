/** Limits of a whole queue, over all workers: how many jobs may begin in a time, and how many may run at once. */
import { defineScript, type Fragment } from '../../redis/script.ts';
import { wakeOne } from './fragments.ts';

/** What is counted is the claim, by Redis's clock; the job begins a little later. So windows are this much longer, in ms. */
export const BEGINS_LATER_MS = 20;

/**
 * `allowance()`: how many may be claimed now; and where the rate is used up, in how many ms one more may. `started(list)`: these
 * were claimed. Any window of the length of the rate holds at most that many of `starts`. Jobs of a worker that died count among the
 * active ones until their leases are over. Needs `clock`.
 *
 * Read before the first write: where somebody broke a key, nothing is taken out of its place.
 */
export const limiting: Fragment = {
  keys: ['limit', 'starts', 'active'],
  lua: `
local most, rate, per
if redis.call('EXISTS', limit) == 1 then
  local given = redis.call('HMGET', limit, 'concurrency', 'rate', 'per')
  most, rate, per = tonumber(given[1] or nil), tonumber(given[2] or nil), tonumber(given[3] or nil)
  per = per and per + ${BEGINS_LATER_MS}
  redis.call('ZCARD', starts)
end
local function allowance()
  local free, inMs = most and most - redis.call('ZCARD', active) or math.huge, nil
  if rate and per then
    local past = redis.call('ZCOUNT', starts, '-inf', text(now - per))
    if past > 0 then redis.call('ZREMRANGEBYRANK', starts, 0, past - 1) end
    local left = rate - redis.call('ZCARD', starts)
    if left <= 0 then
      -- The one with whose leaving there is room again; where the rate was lowered, that is not the first.
      local at = text(0 - left) -- the text of -left may be minus zero
      local leaves = redis.call('ZRANGE', starts, at, at, 'WITHSCORES')[2]
      inMs = math.max(1, (tonumber(leaves) or now) + per + 1 - now)
    end
    free = math.min(free, left)
  end
  return math.max(0, free), inMs
end
local function started(list)
  if not rate or not per or #list == 0 then return end
  local entries = {}
  for i, ticket in ipairs(list) do entries[i * 2 - 1], entries[i * 2] = stamp, ticket end
  redis.call('ZADD', starts, unpack(entries))
end`,
};

/**
 * Moves nothing: how many claims give from now on. Empty arguments: no such limit.
 * Called by: `Queue.limit`. Sent again it changes nothing.
 */
export const limitScript = defineScript({
  name: 'limit',
  keys: ['limit', 'starts'],
  args: ['concurrency', 'rate', 'per'],
  uses: [wakeOne],
  lua: `
redis.call('DEL', limit)
if concurrency ~= '' then redis.call('HSET', limit, 'concurrency', concurrency) end
if rate ~= '' then redis.call('HSET', limit, 'rate', rate, 'per', per) else redis.call('DEL', starts) end
wakeOne() -- sleeping workers know only of what was allowed before
return 'limited'`,
});
