import { defineScript } from '../../redis/script.ts';
import { describe } from './describe.ts';
import { BEAT_MS, clock, finish, tickets, wakeOne } from './fragments.ts';
import { place } from './place.ts';

/** A tick overdue by this is fired by whoever sees it, and the beat is theirs. */
export const TAKEOVER_MS = 1_000;
/** Most cron entries of a queue: nothing grows without bound. */
export const MAX_ENTRIES = 10_000;
/** Most due entries in one reply. */
const MAX_DUE = 50;
/** The next tick of an entry that is paused: further away than all others. */
export const PAUSED = '+inf';
/** Published on the control channel. No ticket looks like it. */
export const CRON_CHANGED = 'cron';

/**
 * Moves: nothing -> queued, a job for each tick, and the entry on to its next one.
 * Refuses when: the entry is no longer as the caller saw it, tick and definition (compare-and-set): somebody
 * fired that tick, or changed the entry. So a beat that was frozen and comes back changes nothing, and the lock
 * only saves work. With `overlap` 0, a tick is skipped while the run of the one before is unfinished.
 * Called by: the beat. Without anything to fire it only looks: who beats, what is due, what comes next.
 * If we crash: the tick is fired and the entry moved on, or neither. Sent again, the entry has moved on.
 *
 * Arguments for each entry: name, the tick and definition seen, next tick, overlap, lane letter (n for
 * normal), the last tick that is due (empty: it is only planned anew), how often it may fire before it is over (empty: always), how many
 * ticks to fire; then tick and JSON for each.
 * Reply: now, whether the beat is the caller's, whether the app is known, the first tick to come (-1: none), due
 * entries (name, tick, definition, how often it fired, ...), what became of the ones given (name, fired, skipped, how many found their id taken, ...).
 */
export const beatScript = defineScript({
  name: 'beat',
  keys: ['cron', 'entries', 'lastTicks', 'apps', 'beat'],
  args: ['worker', 'app'],
  numbers: [],
  uses: [clock, wakeOne, tickets, finish, place],
  lua: `
local done = {}

local function unfinished(id)
  return redis.call('HEXISTS', jobs, id) == 1 and redis.call('HEXISTS', outcomes, id) == 0
end

-- Fires the entry whose arguments begin at ARGV[at]; returns where the next one's begin.
local function fire(at)
  local name, seen, definition, following, overlap, letter, latest, most, count = unpack(ARGV, at, at + 8)
  local first = at + 9
  local behind = first + count * 2
  if redis.call('ZSCORE', cron, name) ~= seen then return behind end
  if (redis.call('HGET', entries, name) or '') ~= definition then return behind end
  local last = redis.call('HGET', lastTicks, name) or ''
  local before = string.match(last, '^%d+ %l+ ([%d:]+)')
  local till, pass = string.match(last, ' again (%d+) (%d+)$')
  local times = tonumber(string.match(last, ' times (%d+)') or 0)
  local fired, skipped, taken, punctual = 0, 0, 0, false
  local left = tonumber(most)
  if left == 0 then following = '' end
  for i = first, behind - 1, 2 do
    if fired == left then break end
    if overlap == '0' and before and unfinished('cron:' .. name .. ':' .. before) then
      skipped = skipped + 1
    else
      -- A time that comes again is another tick.
      local tick = till and tonumber(ARGV[i]) <= tonumber(till) and ARGV[i] .. ':' .. pass or ARGV[i]
      if placeOwn('cron:' .. name .. ':' .. tick, letter == 'n' and '' or letter, 'kept', ARGV[i + 1]) then
        before, fired = tick, fired + 1
        if fired == left then following, latest = '', ARGV[i] end
        punctual = ARGV[i] == latest
      else
        taken = taken + 1
      end
    end
  end
  if following == '' then redis.call('ZREM', cron, name) else redis.call('ZADD', cron, following, name) end
  local again = till and ' again ' .. till .. ' ' .. pass or ''
  if latest ~= '' then
    local word = punctual and 'fired' or taken > 0 and 'taken' or skipped > 0 and 'skipped' or 'missed'
    local ran = ' times ' .. text(times + fired)
    redis.call('HSET', lastTicks, name, latest .. ' ' .. word .. ' ' .. (before or '') .. ran .. again)
  elseif last ~= '' then -- planned anew, for the clock was set back
    till = text(math.max(tonumber(till or 0), tonumber(string.match(last, '^%d+') or 0)))
    last = string.gsub(last, ' again .*$', '')
    redis.call('HSET', lastTicks, name, last .. ' again ' .. till .. ' ' .. text(tonumber(pass or 1) + 1))
  end
  done[#done + 1] = name
  done[#done + 1] = fired
  done[#done + 1] = skipped
  done[#done + 1] = taken
  return behind
end

local function dueBy(till)
  return redis.call('ZRANGE', cron, '-inf', text(till), 'BYSCORE', 'LIMIT', 0, ${MAX_DUE}, 'WITHSCORES')
end

-- All of them before the first write.
local at = REST
while at <= #ARGV do
  if ARGV[at + 3] ~= '' then whole(ARGV[at + 3]) end
  if ARGV[at + 6] ~= '' then whole(ARGV[at + 6]) end
  if ARGV[at + 7] ~= '' then whole(ARGV[at + 7]) end
  local count = whole(ARGV[at + 8])
  if not string.find(ARGV[at + 5], '^[hnl]$') or at + 8 + count * 2 > #ARGV then error('minq: a firing can not be read') end
  for i = at + 9, at + 8 + count * 2, 2 do whole(ARGV[i]) end
  at = at + 9 + count * 2
end
at = REST
while at <= #ARGV do at = fire(at) end

local holder = redis.call('GET', beat)
local mine = not holder or holder == worker or #dueBy(now - ${TAKEOVER_MS}) > 0
local due = {}
if mine and redis.call('EXISTS', cron) == 1 then
  redis.call('SET', beat, worker, 'PX', ${BEAT_MS})
  local found = dueBy(now)
  for i = 1, #found, 2 do
    local definition, tick = redis.call('HGET', entries, found[i]), found[i + 1]
    if definition then
      local last = redis.call('HGET', lastTicks, found[i]) or ''
      if tonumber(tick) < 0 then -- before all time: there is no such tick
        tick = '0'
        redis.call('ZADD', cron, tick, found[i])
      end
      due[#due + 1] = found[i]
      due[#due + 1] = tick
      due[#due + 1] = definition
      due[#due + 1] = string.match(last, ' times (%d+)') or '0'
    else
      redis.call('ZREM', cron, found[i]) -- no entry: somebody wrote it there
    end
  end
end
local coming = redis.call('ZRANGE', cron, mine and '(' .. stamp or '-inf', '(${PAUSED}', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
return { now, mine and 1 or 0, redis.call('HEXISTS', apps, app), tonumber(coming[2] or -1), due, done }`,
});

/** The worker beats no more; the others are told, and one of them takes over before the next tick. */
export const releaseBeatScript = defineScript({
  name: 'releaseBeat',
  flags: 'allow-oom',
  keys: ['beat'],
  args: ['worker', 'control'],
  lua: `
if redis.call('GET', beat) ~= worker then return 'other' end
redis.call('DEL', beat)
redis.call('PUBLISH', control, '${CRON_CHANGED}')
return 'released'`,
});

/**
 * Writes, changes and removes cron entries; notes, where one is named, that the app has written down its own.
 * Refuses when: one of them is no longer as the caller saw it (`changed`: look again; nothing was written), or
 * there would be too many (`full`).
 * Called by: a worker when it starts, for the entries beside its functions; `Queue.schedule`, `unschedule`.
 * If we crash: all is written, or nothing. Sent again it finds the entries changed, as the caller wished.
 *
 * Arguments for each entry: name, definition seen (empty: none), new definition (empty: remove), next tick
 * (empty: it keeps the one it has, and with it what was missed; `PAUSED`: none, until it is resumed; `-`: none will come).
 */
export const writeEntriesScript = defineScript({
  name: 'writeEntries',
  keys: ['cron', 'entries', 'lastTicks', 'apps'],
  args: ['app', 'control'],
  numbers: [],
  uses: [clock],
  lua: `
local count = redis.call('HLEN', entries)
for i = REST, #ARGV, 4 do
  local seen, new = ARGV[i + 1], ARGV[i + 2]
  if not string.find(ARGV[i + 3], '^%-?$') and ARGV[i + 3] ~= '${PAUSED}' then whole(ARGV[i + 3]) end
  if (redis.call('HGET', entries, ARGV[i]) or '') ~= seen then return 'changed' end
  count = count + (new == '' and 0 or 1) - (seen == '' and 0 or 1)
end
if #ARGV >= REST and count > ${MAX_ENTRIES} then return 'full' end
for i = REST, #ARGV, 4 do
  local name, seen, new, tick = unpack(ARGV, i, i + 3)
  if new == '' then
    redis.call('HDEL', entries, name)
    redis.call('HDEL', lastTicks, name)
    redis.call('ZREM', cron, name)
  else
    redis.call('HSET', entries, name, new)
    -- What has other rules is counted from now on.
    local last = new ~= seen and redis.call('HGET', lastTicks, name)
    if last then redis.call('HSET', lastTicks, name, (string.gsub(last, ' times %d+', ''))) end
    if tick == '-' then redis.call('ZREM', cron, name) elseif tick ~= '' then redis.call('ZADD', cron, tick, name) end
  end
end
if app ~= '' then redis.call('HSET', apps, app, stamp) end
if #ARGV >= REST then redis.call('PUBLISH', control, '${CRON_CHANGED}') end
return 'written'`,
});

/**
 * Reads: the cron entries of these names. Reply: now, and for each entry that is there: name, definition, next
 * tick, last tick with what became of it, and the state of the last job fired (`unknown` when it is forgotten).
 */
export const entriesScript = defineScript({
  name: 'entries',
  flags: 'no-writes',
  keys: ['cron', 'entries', 'lastTicks'],
  args: [],
  uses: [clock, tickets, describe],
  lua: `
local found = {}
for i = REST, #ARGV do
  local name = ARGV[i]
  local text = redis.call('HGET', entries, name)
  if text then
    local last = redis.call('HGET', lastTicks, name) or ''
    local fired = string.match(last, '^%d+ %l+ ([%d:]+)')
    local job = fired and describe('cron:' .. name .. ':' .. fired) or { '', 'unknown' }
    local state = job[2] == 'ended' and string.match(job[6], '"state":"(%l+)"') or job[2]
    found[#found + 1] = { name, text, redis.call('ZSCORE', cron, name) or '', last, state }
  end
end
return { now, found }`,
});
