import { defineScript } from '../../redis/script.ts';
import { describe } from './describe.ts';
import { clock, idOf, kept, tickets, watch } from './fragments.ts';

/** Reads: what is known of one job, its failed attempts, and its log. */
export const infoScript = defineScript({
  name: 'info',
  flags: 'no-writes',
  keys: ['attempts', 'logs'],
  args: ['id'],
  uses: [clock, tickets, describe],
  lua: `
local found = describe(id)
if found[2] == 'unknown' then return { found } end
return { found, redis.call('HGET', attempts, id), redis.call('HGET', logs, id) }`,
});

/** Bytes of records and outcomes a call reads: keeps it below 5 ms. */
const MAX_READ = 500_000;
/** Bytes of JSON: more than any error takes as minq writes it (24 K characters, of six bytes at most). */
const MAX_ERROR = 160_000;

/**
 * Reads: a page of the jobs of one state, in the order in which they run, start or went. With a function (`fn`, or ``)
 * or a piece of an error or of the arguments (`piece`, `inArgs`, in lower case, as JSON writes it), those jobs only, among the next `most`.
 * Values of more than `bytes` (0: none) are left where they are, and told by their length; errors come whole, for they are
 * what is searched and read. Replies with how many were looked through, and the jobs: fewer than were asked for where they
 * are large.
 */
export const listScript = defineScript({
  name: 'list',
  flags: 'no-writes',
  keys: ['completed', 'failed', 'cancelled', 'dropped', 'waiting'],
  args: ['state', 'offset', 'limit', 'fn', 'piece', 'inArgs', 'most', 'bytes'],
  uses: [clock, tickets, describe],
  lua: `
local found, seen, read = {}, 0, 0
local skip, room, most = tonumber(offset), tonumber(limit), tonumber(most)
local head = '{"fn":"' .. fn .. '",'

local function wanted(id)
  if fn ~= '' or inArgs ~= '' then
    local record = redis.call('HGET', jobs, id) or ''
    read = read + #record
    if fn ~= '' and string.sub(record, 14, 13 + #head) ~= head then return false end
    local from = inArgs ~= '' and string.find(record, '"args":', 1, true)
    if inArgs ~= '' and not (from and string.find(string.lower(record), inArgs, from, true)) then return false end
  end
  if piece ~= '' then
    local trouble = redis.call('HGET', outcomes, id) or redis.call('HGET', errors, id) or ''
    read = read + #trouble
    local at = string.find(trouble, '"error":', 1, true) or string.find(trouble, '^{') or 0
    if at == 0 or not string.find(string.lower(trouble), piece, at, true) then return false end
  end
  return true
end

-- The facts around a value stay: what stands in front of it, and what behind.
local function shortened(row)
  local longest = tonumber(bytes)
  local function isLong(value, most) return longest > 0 and value and #value > (most or longest) end
  local function instead(value) return '"' .. #value .. ' bytes: more than a list shows"' end
  local function errorInstead(value) return '{"name":"Error","message":' .. instead(value) .. '}' end
  local record, outcome = row[5], row[6]
  if isLong(record) then
    local first = string.match(string.sub(record, 1, 200), '^%d+{"fn":"[^"]*",')
    row[5] = first and first .. '"args":[' .. instead(record) .. ']}' or string.sub(record, 1, 13)
  end
  local isFailed = outcome and string.sub(outcome, 14, 31) == '{"state":"failed",'
  if isLong(outcome, isFailed and ${MAX_ERROR}) then
    local first, how = string.match(string.sub(outcome, 1, 200), '^(%d+{"state":"(%l+)",)')
    local last = string.match(string.sub(outcome, -200), ',"attempt":%d+,"startedAt":%d+,"ranMs":[%d.]+}$') or '}'
    local value = how == 'completed' and '"result":' .. instead(outcome) or '"error":' .. errorInstead(outcome)
    row[6] = first and first .. value .. last or ''
  end
  if isLong(row[7], ${MAX_ERROR}) then row[7] = errorInstead(row[7]) end
  if isLong(row[8]) then row[8] = instead(row[8]) end
  return row
end
local function tellOf(id)
  local row = describe(id)
  for i = 5, 8 do read = read + #(row[i] or '') end
  found[#found + 1] = shortened(row)
end

local plain = fn == '' and piece == '' and inArgs == ''
if plain then most = room end
local function look(ids)
  for _, id in ipairs(ids) do
    if seen == most or #found == room or read > ${MAX_READ} then return end
    seen = seen + 1
    if plain or wanted(id) then tellOf(id) end
  end
end

if state == 'queued' then
  for _, list in ipairs({ high, queued, low }) do
    local length = redis.call('LLEN', list)
    if seen < most and skip < length then
      local ids, marks = redis.call('LRANGE', list, skip, skip + most - seen - 1), {}
      local void = redis.call('EXISTS', dropped) == 1 and redis.call('SMISMEMBER', dropped, unpack(ids)) or marks
      for i, ticket in ipairs(ids) do
        if #found == room or read > ${MAX_READ} then break end
        if void[i] == 1 then seen = seen + 1 else look({ idOf(ticket) }) end
      end
    end
    skip = math.max(0, skip - length)
  end
else
  local sets = { completed = completed, failed = failed, cancelled = cancelled, active = active, scheduled = scheduled,
    waiting = waiting }
  local final = state == 'completed' or state == 'failed' or state == 'cancelled'
  -- What ended last comes first; what starts first comes first.
  local members = final
    and redis.call('ZRANGE', sets[state], '+inf', '(' .. stamp, 'BYSCORE', 'REV', 'LIMIT', skip, most)
    or redis.call('ZRANGE', sets[state], skip, skip + most - 1)
  if not final and state ~= 'waiting' then
    for i, ticket in ipairs(members) do members[i] = idOf(ticket) end
  end
  look(members)
end
return { seen, found }`,
});

/** Most tickets looked through in each lane for one that has not run. */
const MAX_HEADS = 1_000;

/**
 * Reads: the record of the job that stands first in each lane and has not run before, and the time. Those before it
 * that run again, after a failure or by hand, don't count: since when they stand there isn't known.
 */
export const headsScript = defineScript({
  name: 'heads',
  flags: 'no-writes',
  keys: ['jobs', 'dropped', 'errors'],
  args: [],
  uses: [clock, tickets],
  lua: `
local function isNew(ticket)
  return string.find(ticket, ':1%l?$') and redis.call('SISMEMBER', dropped, ticket) == 0
    and redis.call('HEXISTS', errors, idOf(ticket)) == 0
end
-- The first one, nearly always.
local function firstNew(list, from, to)
  for _, ticket in ipairs(redis.call('LRANGE', list, from, to)) do
    if isNew(ticket) then return ticket end
  end
end
local heads = {}
for _, list in ipairs({ high, queued, low }) do
  local ticket = firstNew(list, 0, 9) or firstNew(list, 10, ${MAX_HEADS - 1})
  if ticket then
    local record = redis.call('HGET', jobs, idOf(ticket)) or ''
    heads[#heads + 1] = #record < 10000 and record or string.sub(record, 1, 13)
  end
end
return { now, heads }`,
});

/** Reads: every nth of the last samples that are not older than that, the oldest first and the newest always. */
export const historyScript = defineScript({
  name: 'history',
  flags: 'no-writes',
  keys: ['history'],
  args: ['last', 'nth', 'within'],
  uses: [clock],
  lua: `
local rows, picked = redis.call('LRANGE', history, -last, -1), {}
for i = #rows, 1, -nth do
  if now - (string.match(rows[i], '^%d+') or 0) > tonumber(within) then break end
  table.insert(picked, 1, rows[i])
end
return picked`,
});

/** Reads: how many jobs are in each state, whether the queue is paused, and, where there are any, its limits: concurrency, rate, per. */
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
    'limit',
    ...tickets.keys,
  ],
  args: [],
  uses: [clock],
  lua: `
local function ofFinal(set) return redis.call('ZCOUNT', set, '(' .. stamp, '+inf') end
local limits = redis.pcall('HMGET', limit, 'concurrency', 'rate', 'per')
local inLists = redis.call('LLEN', high) + redis.call('LLEN', queued) + redis.call('LLEN', low)
return { redis.call('ZCARD', scheduled), inLists - redis.call('SCARD', dropped), redis.call('ZCARD', active),
  ofFinal(completed), ofFinal(failed), ofFinal(cancelled),
  redis.call('EXISTS', paused), redis.call('ZCARD', waiting), (limits[1] or limits[2]) and limits or nil }`,
});

/**
 * Notes who waits for the results of these jobs. Replies for each: the outcome if it is there already,
 * `` (noted), or nothing at all (no such job).
 * Called by: `Job.result`, and again after a reconnect. Sent again it changes nothing.
 */
export const watchScript = defineScript({
  name: 'watch',
  flags: 'allow-oom',
  keys: [],
  args: ['channel'],
  uses: [clock, kept, watch],
  lua: `
return watch({ unpack(ARGV, REST) }, channel)`,
});

/** Most jobs looked at, and how far ahead: no job is put off for longer because its function is unknown. */
const MAX_STRANGERS = 1_000;
const STRANGERS_WITHIN_MS = 61_000;

/** Reads: of the jobs due soon those that met a worker that doesn't know their function: ticket and last error of each. */
export const strangersScript = defineScript({
  name: 'strangers',
  flags: 'no-writes',
  keys: ['scheduled', 'errors'],
  args: [],
  uses: [clock, idOf],
  lua: `
if redis.call('EXISTS', errors) == 0 then return {} end
local till = text(now + ${STRANGERS_WITHIN_MS})
local tickets = redis.call('ZRANGE', scheduled, '-inf', till, 'BYSCORE', 'LIMIT', 0, ${MAX_STRANGERS})
local ids, found = {}, {}
for i, ticket in ipairs(tickets) do ids[i] = idOf(ticket) end
for i, failure in ipairs(#ids > 0 and redis.call('HMGET', errors, unpack(ids)) or {}) do
  if failure and string.find(failure, '{"name":"UnknownFunctionError"', 1, true) == 1 then
    found[#found + 1] = tickets[i]
    found[#found + 1] = failure
  end
end
return found`,
});
