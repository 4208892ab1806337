import { defineScript } from '../../redis/script.ts';
import { PAUSED } from './cron.ts';
import { flowing, MOST_MEMBERS } from './flowing.ts';
import {
  BEAT_MS,
  clock,
  FAILED_KEPT_MS,
  finish,
  MAX_KEPT,
  tally,
  tickets,
  wakeOne,
} from './fragments.ts';
import { BUILDING_MS, GONE_MS } from './flow.ts';
import { sample } from './sample.ts';

/** A worker that gave no sign of life for this long is taken off the list. */
export const WORKER_GONE_MS = 60_000;

/**
 * Moves: nothing; puts off the end of the leases of all running jobs, keeps the beat if it is the worker's, and
 * says the worker is alive.
 * Refuses when: a ticket is no longer active; replies with it, with those somebody wants cancelled, with the
 * first tick of cron (-1: none) and whether the app's entries are known: what its timer and its start told the
 * beat may be out of date. Counts what the worker has counted since the last time, and notes the number of that
 * beside its presence: sent again because its reply was lost, it has no other effect than once.
 * Called by: the heartbeat, every third of a lease.
 * If we crash: the leases end when they would have ended.
 */
export const heartbeatScript = defineScript({
  name: 'heartbeat',
  flags: 'allow-oom',
  keys: ['active', 'workers', 'cancelling', 'jobs', 'beat', 'cron', 'apps'],
  args: ['worker', 'presence', 'lease', 'app', 'number', 'held'],
  numbers: ['lease', 'number', 'held'],
  uses: [clock, tickets, tally],
  lua: `
if REST + held > #ARGV + 1 then error('minq: tickets are missing') end
local counted = tally(worker, number, REST + held)
if counted ~= '0' then presence = string.sub(presence, 1, -2) .. ',"counted":' .. counted .. '}' end
redis.call('HSET', workers, worker, stamp .. presence)
if redis.call('GET', beat) == worker then redis.call('SET', beat, worker, 'PX', ${BEAT_MS}) end
local mine, lost, unwanted = {}, {}, {}
for i = REST, REST + held - 1 do mine[#mine + 1] = ARGV[i] end
if #mine > 0 then
  local leases, renewed = redis.call('ZMSCORE', active, unpack(mine)), {}
  local till = text(now + lease)
  for i, ticket in ipairs(mine) do
    if leases[i] then
      renewed[#renewed + 1] = till
      renewed[#renewed + 1] = ticket
    else
      lost[#lost + 1] = ticket
      lost[#lost + 1] = redis.call('HEXISTS', jobs, idOf(ticket)) == 1 and 'lost' or 'gone'
    end
  end
  if #renewed > 0 then redis.call('ZADD', active, 'XX', unpack(renewed)) end
  if redis.call('EXISTS', cancelling) == 1 then
    local marks = redis.call('SMISMEMBER', cancelling, unpack(mine))
    for i, ticket in ipairs(mine) do
      if marks[i] == 1 then unwanted[#unwanted + 1] = ticket end
    end
  end
end
local coming = redis.call('ZRANGE', cron, '-inf', '(${PAUSED}', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
return { lost, unwanted, tonumber(coming[2] or -1), redis.call('HEXISTS', apps, app) }`,
});

/**
 * The worker has stopped: it leaves the list of workers, and its last counts. What it still held comes back by its lease.
 * A worker with much to say says it in several calls. Sent again, one counts nothing twice: the number of the last is
 * kept for a while, where the worker's last turn was.
 */
export const leaveScript = defineScript({
  name: 'leave',
  flags: 'allow-oom',
  keys: ['workers', 'claim'],
  args: ['worker', 'number'],
  numbers: ['number'],
  uses: [tally],
  lua: `
local last = string.match(redis.call('GET', claim) or '', '^left (%d+)$')
if tonumber(number) > tonumber(last or 0) then tally(worker, number, REST) end
redis.call('HDEL', workers, worker)
redis.call('SET', claim, 'left ' .. number, 'PX', ${WORKER_GONE_MS})
return 'left'`,
});

/**
 * Moves: completed | failed | cancelled -> nothing, where the time is up or the count too high. Notes how things stand.
 * Called by: the pruner, with the bounds that its worker was given, if it was. Replies `more` when a call was not enough.
 * If we crash: the rest goes next time.
 */
export const pruneScript = defineScript({
  name: 'prune',
  flags: 'allow-oom',
  keys: ['workers', 'building', 'waiting', 'outbox'],
  args: ['keepCompleted', 'keepFailed', 'keepFailedMs'],
  numbers: [],
  uses: [clock, wakeOne, tickets, finish, flowing, sample],
  lua: `
if keepCompleted ~= '' then
  for _, n in ipairs({ keepCompleted, keepFailed, keepFailedMs }) do whole(n) end
end
sample()
if keepCompleted == '${MAX_KEPT}' and keepFailed == '${MAX_KEPT}' and keepFailedMs == '${FAILED_KEPT_MS}' then
  redis.call('DEL', keep)
elseif keepCompleted ~= '' then
  redis.call('HSET', keep, 'completed', keepCompleted, 'failed', keepFailed, 'failedMs', keepFailedMs)
end
local most = 0
-- Flows of which the last part never came: nothing of them was begun.
for _, each in ipairs(redis.call('ZRANGE', building, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1)) do
  local flow, total, first, queue = string.match(each, '^(%S+) (%d+) ?(%S*) ?(%S*)$')
  local step, node = string.match(each, '^revive (%S+) (%S+)$')
  if step then -- it was to run again, and nobody queued it: what was revived for it fails as before
    redis.call('ZREM', building, each)
    local outcome = redis.call('HGET', outcomes, step)
    if outcome or redis.call('HEXISTS', jobs, step) == 0 then
      openFlows()
      settle(step, outcome or '', node)
      goOn()
    end
  elseif first ~= queue then -- it begins elsewhere, and may have begun
    local ask = 'ask ' .. first .. '|' .. each
    redis.call('LREM', outbox, 0, ask)
    redis.call('RPUSH', outbox, ask)
    redis.call('ZADD', building, text(now + ${BUILDING_MS}), each)
    wakeOne()
  else
    redis.call('ZREM', building, each)
    local last = flow and math.min(tonumber(total), ${MOST_MEMBERS}) or 0
    local ids, groups, still = {}, {}, {}
    for n = math.max(0, last - 500), last - 1 do
      ids[#ids + 1] = flow .. '.' .. n
      groups[#groups + 1] = flow .. '*' .. n
      groups[#groups + 1] = flow .. '*' .. n .. '/'
    end
    for i, at in ipairs(#ids > 0 and redis.call('ZMSCORE', waiting, unpack(ids)) or {}) do
      if at then still[#still + 1] = ids[i] end
    end
    if #still > 0 then
      redis.call('ZREM', waiting, unpack(still))
      forget(still)
      redis.pcall('HINCRBY', stats, 'dropped:waiting', #still)
      redis.pcall('HSET', stats, 'droppedAt:waiting', stamp)
    end
    if #groups > 0 then
      redis.call('HDEL', flows, flow, unpack(groups))
      redis.call('ZADD', building, text(now + ${GONE_MS}), flow .. ' gone')
    end
    if last > 500 and redis.call('EXISTS', waiting, flows) > 0 then
      redis.call('ZADD', building, stamp, flow .. ' ' .. text(last - 500))
    end
  end
  most = 1000
end
for _, set in pairs(finals) do
  local ids = redis.call('ZRANGE', set, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1000)
  if #ids > 0 then
    redis.call('ZREM', set, unpack(ids))
    forget(ids)
  end
  most = math.max(most, #ids, trim(set, true))
end
-- Void tickets whose list was lost lie nowhere.
if redis.call('EXISTS', queued, high, low) == 0 then redis.call('DEL', dropped) end
local seen = redis.call('HGETALL', workers)
for i = 1, #seen, 2 do
  local at = tonumber(string.sub(seen[i + 1], 1, 13))
  if not at or at < now - ${WORKER_GONE_MS} then redis.call('HDEL', workers, seen[i]) end
end
return most == 1000 and 'more' or 'done'`,
});

/** Bytes kept of a job's log; the oldest lines go first. */
export const MAX_LOG = 8_192;

/** Adds to the log of a job, while its ticket is active; an older run's is refused. */
export const keepLogScript = defineScript({
  name: 'keepLog',
  keys: ['active', 'logs'],
  args: ['ticket', 'text'],
  uses: [tickets],
  lua: `
if not redis.call('ZSCORE', active, ticket) then return 'lost' end
local id = idOf(ticket)
local all = (redis.call('HGET', logs, id) or '') .. text
if #all > ${MAX_LOG} then
  all = string.sub(all, -${MAX_LOG})
  all = string.sub(all, (string.find(all, '\\n', 1, true) or 0) + 1)
end
redis.call('HSET', logs, id, all)
return 'stored'`,
});

/** Stores what the job gave to `progress()`, while its ticket is active; an older run's is refused. */
export const progressScript = defineScript({
  name: 'progress',
  keys: ['active', 'progress'],
  args: ['ticket', 'json'],
  uses: [tickets],
  lua: `
if not redis.call('ZSCORE', active, ticket) then return 'lost' end
redis.call('HSET', progress, idOf(ticket), json)
return 'stored'`,
});
