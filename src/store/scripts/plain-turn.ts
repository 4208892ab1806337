import type { Fragment } from '../../redis/script.ts';
import { fit, hold } from './claimed.ts';
import { clock, idOf, MAX_KEPT, RARE, tell, wakeOne } from './fragments.ts';

const uses = [clock, wakeOne, idOf, fit, hold, tell];

/**
 * `plainTurn()`: a turn with nothing but plain jobs, all of which ended well: a shorter way through the same moves, with
 * half the commands. Where there is anything else it has done nothing and returns false: the whole turn follows.
 *
 * Moves: active -> completed; queued -> active.
 * Refuses when: a key is there that a plain job doesn't need; a run ended otherwise, or nothing is to be kept of it; a
 * lease is over; a ticket to settle is no longer active; the turn was taken before; too many outcomes are kept.
 *
 * Numbers are given to commands as texts: turning one into text costs half as much as the command.
 */
export const plainTurn: Fragment = {
  keys: [
    'active',
    'claim',
    'queued',
    'jobs',
    'outcomes',
    'completed',
    'stats',
    'keep',
    ...RARE,
    ...uses.flatMap(({ keys }) => keys),
  ],
  lua: `${uses.map(({ lua }) => lua.trim()).join('\n')}
local function earliestLease()
  return tonumber(redis.call('ZRANGE', active, '0', '0', 'WITHSCORES')[2])
end
local function plainTurn()
  if followUps ~= '0' then return false end
  local many = tonumber(settled)
  local number = string.match(redis.call('GET', claim) or '', '^%d+')
  if number and tonumber(number) >= tonumber(turn) then return false end
  local there = redis.call('EXISTS', waiters, ${RARE.join(', ')})
  local awaited = there > 0 and redis.call('EXISTS', waiters) == 1
  if there > (awaited and 1 or 0) or (earliestLease() or now + 1) <= now then return false end

  if many > 0 then
    local held, ids, entries, untils, texts = {}, {}, {}, {}, {}
    local at = REST
    while #ids < many do
      if ARGV[at] ~= 'completed' or ARGV[at + 1] == '0' then return false end
      local till, last = text(now + ARGV[at + 1]), at + 1 + ARGV[at + 2] * 2
      for i = at + 3, last, 2 do
        local n, ticket = #ids + 1, ARGV[i]
        local id, outcome = idOf(ticket), stamp .. ARGV[i + 1]
        held[n], ids[n], texts[n] = ticket, id, outcome
        entries[n * 2 - 1], entries[n * 2] = id, outcome
        untils[n * 2 - 1], untils[n * 2] = till, id
      end
      at = last + 2
    end
    redis.call('HLEN', outcomes) -- of another type it stops us here, and not behind the fence
    local total = redis.call('ZCARD', completed) + many
    if total > ${MAX_KEPT} and total > (tonumber(redis.pcall('HGET', keep, 'completed') or nil) or 0) then return false end
    if many > 1 then
      for _, till in ipairs(redis.call('ZMSCORE', active, unpack(held))) do
        if not till then return false end
      end
    end
    -- The fence: of one ticket alone it tells by itself.
    if redis.call('ZREM', active, unpack(held)) == 0 then return false end
    redis.call('HSET', outcomes, unpack(entries))
    redis.call('ZADD', completed, unpack(untils))
    redis.pcall('HINCRBY', stats, 'completed', settled)
    if awaited then tell(ids, texts) end
  end

  local got = want ~= '0' and redis.call('LPOP', queued, want) or {}
  local records, fits, most = {}, 0, #got == tonumber(want)
  if #got > 0 then
    records, fits = fit(got, tonumber(room))
    most = most or fits < #got -- what has no room is left in the list
    for i = #got, fits + 1, -1 do
      redis.call('LPUSH', queued, got[i])
      got[i] = nil
    end
    hold(got)
  end
  redis.call('SET', claim, turn .. ' ' .. settled .. ' ' .. table.concat(got, ' '), 'PX', text(lease * 2))

  -- Who got less than it wanted has emptied the list. Of list and token both are there, most of the time.
  local left = most and redis.call('EXISTS', queued, wake) or 0
  if left == 2 or left == 1 and redis.call('EXISTS', queued) == 1 then
    if left == 1 then wakeOne() end
    return { now, 0, {}, got, records, {}, {} }
  end
  local over = earliestLease()
  return { now, over and math.max(0, math.ceil(over - now)) or -1, {}, got, records, {}, {} }
end
if amount(lease) == 0 then error('minq: a lease takes some time') end -- no key can expire at once
local plain = plainTurn()
if plain then return plain end -- before the whole turn's functions are made`,
};
