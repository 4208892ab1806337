/**
 * Lua that several transitions share. Rules for all of it: read and validate, then write (Redis does not
 * roll back); time only from Redis; user JSON is never decoded; lists of at most 1,000 (Lua's `unpack`). A count
 * that somebody broke stops nothing: `stats` is counted up with pcall.
 */
import type { Fragment } from '../../redis/script.ts';

/** Most jobs kept per final state, unless a worker says otherwise; the ones whose time is up first go first. */
export const MAX_KEPT = 10_000;
/** How many more go of the completed ones when there are too many: else it would be each turn's business. */
export const TRIMMED_AHEAD = 500;
/** How long a cancelled job stays readable: 1 h. */
export const CANCELLED_KEPT_MS = 3_600_000;
/** How long failed jobs are kept: 7 days, so that a weekend doesn't hide them. */
export const FAILED_KEPT_MS = 7 * 24 * 3_600_000;
/** How long the beat is a worker's without a sign of life. */
export const BEAT_MS = 15_000;

/** Keys that plain jobs don't need. Redis removes what is empty: one look says whether there is any of it. */
export const RARE = [
  'high',
  'low',
  'scheduled',
  'paused',
  'limit',
  'dropped',
  'cancelling',
  'errors',
  'flows',
  'flowing',
  'outbox',
] as const;

/**
 * `now`: Redis's clock in epoch ms; clocks of other hosts play no role in any transition. `stamp`: the same
 * as text, and `text(n)` for others: formatting a number costs more than the command it is for.
 */
export const clock: Fragment = {
  keys: [],
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(n) return string.format('%.0f', n) end -- %d has but 32 bits on some servers
local stamp = text(now)`,
};

/** `wakeOne()`: one token, one worker. More than one token would only make workers look in vain. */
export const wakeOne: Fragment = {
  keys: ['wake'],
  lua: `
local function wakeOne()
  if redis.call('EXISTS', wake) == 0 then redis.call('LPUSH', wake, '1') end
end`,
};

/** `idOf(ticket)`: the job it is a run of. */
export const idOf: Fragment = {
  keys: [],
  lua: `
local function idOf(ticket)
  if string.sub(ticket, -4) == ':1:1' then return string.sub(ticket, 1, -5) end
  return string.match(ticket, '^(.+):%d+:%d+%l?$') or ticket
end`,
};

/**
 * Tickets: `id:run:attempt` and a lane letter (h, l; none for normal). A ticket never comes back once its run
 * was settled, lost or given back: its successor has a higher run. That makes it the fencing token.
 */
export const tickets: Fragment = {
  keys: ['tickets', 'queued', 'high', 'low'],
  lua: `${idOf.lua}
local function ticketOf(id)
  return redis.call('HGET', tickets, id) or id .. ':1:1'
end
local function lane(ticket)
  if string.sub(ticket, -4) == ':1:1' then return queued end
  local letter = string.match(ticket, '%d(%l)$')
  return letter == 'h' and high or letter == 'l' and low or queued
end
-- The ticket of the next run, written down as the job's current one. charge: 1 uses up an attempt.
local function successor(ticket, charge)
  local id, run, attempt, letter = string.match(ticket, '^(.+):(%d+):(%d+)(%l?)$')
  if not id then id, run, attempt, letter = ticket, 1, 1, '' end
  local nextOne = string.format('%s:%d:%d%s', id, run + 1, attempt + charge, letter)
  redis.call('HSET', tickets, id, nextOne)
  return nextOne
end`,
};

/** Jobs due in one millisecond stand this far apart: fine enough for 1,024 of them, coarse enough for a score in 100 years. */
const APART = '1/1024';
/** How many milliseconds further a place is looked for, where a millisecond is full. */
const MAX_FURTHER = 100;

/**
 * `scoreFor(due)`: where in `scheduled` a job stands that is due then: behind those that were due in the same millisecond
 * before. Without it their ids would decide which runs first.
 */
export const scoreFor: Fragment = {
  keys: ['scheduled'],
  lua: `
local behind = {} -- the last score given for a time in this call
local function scoreFor(due)
  local score = behind[due]
  local ms = math.floor(score or due)
  for _ = 1, ${MAX_FURTHER} do
    if not score then
      local from = text(ms)
      score = redis.call('ZRANGE', scheduled, '(' .. text(ms + 1), from, 'BYSCORE', 'REV', 'LIMIT', '0', '1', 'WITHSCORES')[2]
      if not score then
        behind[due] = ms
        return from
      end
    end
    score = score + ${APART}
    if score < ms + 1 then break end
    ms, score = ms + 1, nil
  end
  behind[due] = score or ms
  return string.format('%.4f', behind[due])
end`,
};

/**
 * `kept(id, outcome)`: whether the outcome is still kept. What is past its time is unknown from that moment, whenever the
 * pruner comes. Needs `clock`.
 */
export const kept: Fragment = {
  keys: ['completed', 'failed', 'cancelled'],
  lua: `
local finals = { completed = completed, failed = failed, cancelled = cancelled }
local function kept(id, outcome)
  local set = finals[string.match(outcome, '^%d+{"state":"(%l+)"')]
  local till = set and redis.call('ZSCORE', set, id)
  return not till or tonumber(till) > now
end`,
};

/**
 * `firstTicket(id, letter, run)`: the ticket a new job begins with, written down where it isn't the plain one.
 *
 * An id may come again after it was forgotten: a user's, or one whose enqueue is sent again after the job was removed.
 * Its tickets must not: a void one may still lie in a list, an old one in a call on its way.
 */
export const firstTicket: Fragment = {
  keys: ['tickets', 'dropped', 'stats'],
  lua: `
local function highestRun()
  return tonumber(redis.pcall('HGET', stats, 'highestRun') or 1) or 1
end
local function firstTicket(id, letter, run)
  local ticket = string.format('%s:%d:1%s', id, run, letter)
  if redis.call('SISMEMBER', dropped, ticket) == 1 then
    ticket = string.format('%s:%d:1%s', id, highestRun() + 1, letter)
  end
  if ticket ~= id .. ':1:1' then redis.call('HSET', tickets, id, ticket) end
  return ticket
end`,
};

/**
 * `tell(ids, texts)`: those who wait for the jobs get the outcome texts (empty: the job is gone), each client in one
 * message of a line a job; a text is JSON, and has no line breaks.
 */
export const tell: Fragment = {
  keys: ['waiters'],
  lua: `
local function tell(ids, texts)
  if #ids == 0 or redis.call('EXISTS', waiters) == 0 then return end
  local who = redis.call('HMGET', waiters, unpack(ids))
  local told, lines = {}, {}
  for i, id in ipairs(ids) do
    if who[i] then
      told[#told + 1] = id
      local line = id .. ' ' .. (texts[i] or '')
      for channel in string.gmatch(who[i], '%S+') do
        local of = lines[channel]
        if of then of[#of + 1] = line else lines[channel] = { line } end
      end
    end
  end
  for channel, of in pairs(lines) do redis.call('PUBLISH', channel, table.concat(of, '\\n')) end
  if #told > 0 then redis.call('HDEL', waiters, unpack(told)) end
end`,
};

/**
 * `watch(ids, channel)`: outcomes that are there already; '' where the channel will be told; false for an unknown job.
 * Needs `kept`.
 */
export const watch: Fragment = {
  keys: ['jobs', 'outcomes', 'waiters'],
  lua: `
local function watch(ids, channel)
  local replies = redis.call('HMGET', outcomes, unpack(ids))
  local who = redis.call('HMGET', waiters, unpack(ids))
  local new = {}
  for i, id in ipairs(ids) do
    if replies[i] == '' then
      replies[i] = '-' -- garbage, and no word of ours
    elseif replies[i] then
      if not kept(id, replies[i]) then replies[i] = false end
    elseif redis.call('HEXISTS', jobs, id) == 1 then
      replies[i] = ''
      local known = who[i] and string.find(' ' .. who[i] .. ' ', ' ' .. channel .. ' ', 1, true)
      if not known then
        new[#new + 1] = id
        new[#new + 1] = who[i] and who[i] .. ' ' .. channel or channel
      end
    end
  end
  if #new > 0 then redis.call('HSET', waiters, unpack(new)) end
  return replies
end`,
};

/** Bytes kept of a job's failed attempts; the oldest lines go first, and one that is longer has no place. */
const MAX_HISTORY = 8_192;

/** `remember(id, line)`: one more attempt of the job failed. */
export const remember: Fragment = {
  keys: ['attempts'],
  lua: `
local function remember(id, line)
  if #line >= ${MAX_HISTORY} then return end
  local all = (redis.call('HGET', attempts, id) or '') .. line .. '\\n'
  while #all > ${MAX_HISTORY} do all = string.sub(all, string.find(all, '\\n', 1, true) + 1) end
  redis.call('HSET', attempts, id, all)
end`,
};

/**
 * `tally(worker, number, at)`: adds to the counters of functions: pairs of field and increment, from ARGV[at] on. A worker
 * numbers what it sends: what comes again, because the answer was lost, is not counted again. What can't be counted,
 * because somebody broke the key, costs nobody a heartbeat.
 */
export const tally: Fragment = {
  keys: ['timings', 'workers'],
  lua: `
local function tally(worker, number, at)
  local last = string.match(redis.call('HGET', workers, worker) or '', '"counted":(%d+)}$') or '0'
  if tonumber(number) <= tonumber(last) then return last end
  for i = at, #ARGV, 2 do redis.pcall('HINCRBY', timings, ARGV[i], ARGV[i + 1]) end
  return number
end`,
};

/** `forget(ids)`: no trace is left of the jobs. The caller has taken them out of their structure. */
export const forget: Fragment = {
  keys: [
    'jobs',
    'outcomes',
    'tickets',
    'errors',
    'attempts',
    'progress',
    'logs',
    'stats',
    'flows',
    'again',
    ...tell.keys,
    ...firstTicket.keys,
  ],
  lua: `${tell.lua}
${firstTicket.lua}
-- A job of the user's id begins above the highest run that was forgotten.
local function rememberRuns(ids)
  local highest, before = 0, highestRun()
  for _, ticket in ipairs(redis.call('HMGET', tickets, unpack(ids))) do
    local run = ticket and string.match(ticket, ':(%d+):%d+%l?$')
    highest = math.max(highest, tonumber(run or 0))
  end
  if highest > before then redis.pcall('HSET', stats, 'highestRun', highest) end
end
local function forgetSteps(ids)
  for i, how in ipairs(redis.call('HMGET', flows, unpack(ids))) do
    -- With this queue's last step of a flow, its shape is forgotten.
    if how and string.sub(how, -1) == '*' then redis.call('HDEL', flows, (string.gsub(ids[i], '%.%d+$', ''))) end
  end
  redis.call('HDEL', flows, unpack(ids))
end
local function forgetAgain(ids)
  if redis.call('EXISTS', again) == 0 then return end
  for _, id in ipairs(ids) do
    local first = string.match(id, '^(.+):again:%d+$')
    if first and redis.pcall('HGET', again, first) == id then redis.call('HDEL', again, first) end
  end
end
local function forget(ids)
  if #ids == 0 then return end
  redis.call('HDEL', jobs, unpack(ids))
  redis.call('HDEL', outcomes, unpack(ids))
  if redis.call('EXISTS', tickets, errors, progress, logs, flows) > 0 then
    rememberRuns(ids)
    redis.call('HDEL', tickets, unpack(ids))
    redis.call('HDEL', errors, unpack(ids))
    redis.call('HDEL', attempts, unpack(ids)) -- whoever has some has a ticket too
    redis.call('HDEL', progress, unpack(ids))
    redis.call('HDEL', logs, unpack(ids))
    forgetSteps(ids)
    forgetAgain(ids)
  end
  tell(ids, {})
end`,
};

/**
 * `finish(state, entries, untils)`: records final outcomes; `trim(set, closely)`: keeps the count cap, and counts what it
 * drops before its time. A cap below the default is looked at closely only, by the pruner: so that most turns ask for none.
 * `failedTill()`: until when a job is kept that fails now. `entries` is a flat list for HSET (id, text, ...), `untils` one
 * for ZADD (kept until, id, ...).
 */
export const finish: Fragment = {
  keys: [...kept.keys, 'stats', 'keep', ...forget.keys],
  lua: `${kept.lua}
${forget.lua}
local ended -- what flows do when something has ended; scripts that can't end a step have none
local function bound(name)
  local n = tonumber(redis.pcall('HGET', keep, name) or nil)
  return n and n >= 0 and n <= ${Number.MAX_SAFE_INTEGER} and math.floor(n)
end
local function failedTill() return text(now + (bound('failedMs') or ${FAILED_KEPT_MS})) end
local function trim(set, closely)
  local many = redis.call('ZCARD', set)
  if many <= ${MAX_KEPT} and not closely then return 0 end
  local state = set == completed and 'completed' or set == failed and 'failed' or 'cancelled'
  local over = many - (bound(state) or ${MAX_KEPT})
  if over <= 0 then return 0 end
  local ahead = set == completed and many > ${MAX_KEPT} and ${TRIMMED_AHEAD} or 0
  local last = math.min(over + ahead, 1000) - 1
  local ids = redis.call('ZRANGE', set, 0, last)
  -- Counted, not read: to write a score as text costs more than to forget its job.
  local early = #ids - redis.call('ZCOUNT', set, '-inf', stamp)
  redis.call('ZREMRANGEBYRANK', set, 0, last)
  if early > 0 then
    redis.pcall('HINCRBY', stats, 'dropped:' .. state, early)
    redis.pcall('HSET', stats, 'droppedAt:' .. state, stamp)
  end
  forget(ids)
  return #ids
end
local function finish(state, entries, untils)
  redis.call('HSET', outcomes, unpack(entries))
  redis.call('ZADD', finals[state], unpack(untils))
  redis.pcall('HINCRBY', stats, state, #entries / 2)
  if redis.call('EXISTS', errors, waiters) > 0 then
    local ids, texts = {}, {}
    for i = 1, #entries, 2 do
      ids[#ids + 1] = entries[i]
      texts[#texts + 1] = entries[i + 1]
    end
    redis.call('HDEL', errors, unpack(ids))
    tell(ids, texts)
  end
  if ended then ended(entries) end
  trim(finals[state])
end
-- early: it is a step of a flow whose turn has not come.
local function finishCancelled(id, early)
  local outcome = stamp .. '{"state":"cancelled","reason":"cancelled"' .. (early and ',"step":"' .. id .. '"}' or '}')
  finish('cancelled', { id, outcome }, { text(now + ${CANCELLED_KEPT_MS}), id })
end`,
};
