/** What becomes of the tickets that a turn has claimed. */
import type { Fragment } from '../../redis/script.ts';

/**
 * `hold(list)`: the tickets are active for the time of a lease. That nobody knows yet whether they have begun is told by the
 * half millisecond by which their lease ends earlier (`Store.begun` takes it away).
 *
 * Redis keeps a sorted set of up to 128 short members as a plain list, and looks for each from its beginning. One long
 * member, the first to come, makes it a tree for as long as it isn't empty: a third of the work of a turn with many jobs.
 */
export const hold: Fragment = {
  keys: ['active'],
  lua: `
local function hold(list)
  local till = text(now + lease - 1) .. '.5'
  local long = #list > 16 and string.rep('-', 65)
  local leases = long and { till, long } or {}
  local last = #leases
  for i, ticket in ipairs(list) do
    leases[last + i * 2 - 1], leases[last + i * 2] = till, ticket
  end
  redis.call('ZADD', active, 'GT', unpack(leases)) -- sent again, a turn takes nothing back
  if long then redis.call('ZREM', active, long) end
end`,
};

/** How many records are read at a time, until it is known how long they are. */
const SLICE = 25;

/**
 * `fit(got, room)`: records of the tickets, as many as have room, one at least; and how many that are. Without any room the
 * first one's is replaced by its length.
 */
export const fit: Fragment = {
  keys: ['jobs'],
  lua: `
local function fit(got, room)
  local records, count, size, fits = {}, 0, 0, 0
  while count < #got and (count == 0 or size <= room) do
    local most = count == 0 and ${SLICE} or math.max(${SLICE}, math.min(1000, math.floor((room - size) * count / (size + 1))))
    local ids = {}
    for i = count + 1, math.min(#got, count + most) do ids[#ids + 1] = idOf(got[i]) end
    for _, record in ipairs(redis.call('HMGET', jobs, unpack(ids))) do
      count = count + 1
      records[count] = record
      size = size + (record and #record or 0)
      if size <= room or count == 1 then fits = count end
    end
  end
  for i = fits + 1, count do records[i] = nil end
  if room == 0 and records[1] then records[1] = #records[1] end
  return records, fits
end`,
};
