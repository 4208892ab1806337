import { defineScript } from '../../redis/script.ts';
import { flowing } from './flowing.ts';
import { finish, remember, tickets } from './fragments.ts';
import { place } from './place.ts';
import { limiting } from './limit.ts';
import { plainTurn } from './plain-turn.ts';

/** Most tickets one call moves from `scheduled`, and takes back from `active`: keeps a call below 5 ms. */
const MAX_PROMOTED = 500;
const MAX_RECOVERED = 100;
/** Most messages to other queues in one reply. */
const MAX_POST = 20;
/** Most void tickets one call sweeps out of the lists. */
const MAX_SWEPT = 1_000;
/** What becomes of a lease that ended: of a run that had begun (without its end), and where nobody knows whether it had. */
const LOST = '{"name":"WorkerLostError","message":"the worker died or lost its lease"';
const LOST_IN_HAND =
  '{"name":"WorkerLostError","message":"the worker died or lost its lease before it had said that the job began","inHand":true}';

/**
 * One turn of a worker, one round trip: settle what it finished, take back what others lost, promote what
 * is due, claim as many as it wants. Most turns are plain, and end before the rest of this script begins.
 *
 * Moves: active -> completed | failed | cancelled | scheduled (retry) | queued (released);
 *        active -> queued (lease over); scheduled -> queued (due); queued -> active;
 *        waiting -> queued, scheduled or failed: what follows a step of a flow that has ended.
 * Refuses when: a ticket to settle is no longer active: its lease was lost, or it was settled before.
 * Called by: the processor, whenever jobs have finished or slots are free.
 * If we crash: claimed jobs come back when their lease ends. Sent again, the turn gives the same tickets
 * again, and what it settled the first time is no news; a turn older than the last does nothing.
 *
 * `room`: bytes of records that the reply may have; see `fit`. What has no room goes back to where it was.
 *
 * Arguments: the settlements in groups that end alike (word, ms, count; then ticket and JSON for each), then
 * three for each job to enqueue with one (ticket it depends on, id or ` queue|id`, JSON); then tickets that are to be
 * claimed though they aren't due.
 * Reply: now, ms until something falls due (-1: nothing in sight), refused (ticket, lost | gone, ...),
 * and three lists of one length for what was claimed: tickets, records, JSON of the last failed attempts (the
 * last one empty where no job waits or runs again), and what flows have to tell other queues.
 */
export const turnScript = defineScript({
  name: 'turn',
  flags: 'allow-oom',
  keys: ['active', 'claim', 'cancelling', 'dropped', 'paused'],
  args: ['turn', 'lease', 'want', 'settled', 'followUps', 'named', 'room'],
  numbers: ['turn', 'lease', 'want', 'settled', 'followUps', 'named', 'room'],
  uses: [plainTurn, tickets, remember, finish, place, flowing, limiting],
  lua: `
settled, want, lease = tonumber(settled), tonumber(want), tonumber(lease)
local followed = followUps ~= '0'
-- The worker's last turn: its number, how many settlements it had, the tickets it claimed.
local number, known, list = string.match(redis.call('GET', claim) or '', '^(%d+) (%d+) ?(.*)$')
local resent = number == turn
if number and tonumber(turn) < tonumber(number) then return { now, -1, {}, {}, {}, {}, {} } end
local refused = {}

-- Before the first write: a group that can't be read must not stop the script half-way.
local WORDS = { completed = true, failed = true, cancelled = true, released = true, retry = true, postponed = true }
local function checkGroups()
  local at, done = REST, 0
  while done < settled do
    local count = whole(ARGV[at + 2])
    amount(ARGV[at + 1])
    if count == 0 or not WORDS[ARGV[at]] then error('minq: a group of settlements can not be read') end
    at, done = at + 3 + count * 2, done + count
  end
  if done ~= settled or at + followUps + named ~= #ARGV + 1 then error('minq: settlements are missing') end
end
checkGroups()

-- So must a key of another type: jobs wait until it is mended, and none is taken out of its place meanwhile.
local function checkTypes()
  for _, hash in ipairs({ outcomes, tickets }) do redis.call('HLEN', hash) end
  for _, set in ipairs({ completed, failed, scheduled }) do redis.call('ZCARD', set) end
  redis.call('SCARD', cancelling)
  if followed then redis.call('LLEN', outbox) end
end
if settled > 0 then checkTypes() end

-- Settles one group: count pairs of ticket and JSON, from ARGV[at] on.
local function settleGroup(word, ms, at, count, news, accepted, released)
  local cancels = redis.call('EXISTS', cancelling) == 1
  local till, entries, untils = text(now + ms), {}, {}
  for i = at, at + count * 2 - 1, 2 do
    local ticket = ARGV[i]
    local id = idOf(ticket)
    -- The fence: only a ticket that is still active can be settled, and only once.
    local mine = redis.call('ZREM', active, ticket) == 1
    local unwanted = cancels and redis.call('SREM', cancelling, ticket) == 1
    if not mine then
      if i >= news then
        refused[#refused + 1] = ticket
        refused[#refused + 1] = redis.call('HEXISTS', jobs, id) == 1 and 'lost' or 'gone'
      end
    elseif finals[word] then
      local n = #entries
      entries[n + 1], entries[n + 2] = id, stamp .. ARGV[i + 1]
      untils[n + 1], untils[n + 2] = till, id
      if followed then accepted[ticket] = true end
    elseif unwanted then
      finishCancelled(id)
    elseif word == 'released' then
      released[#released + 1] = successor(ticket, 0)
    else -- retry: an attempt is used up; postponed: none is
      local again = successor(ticket, word == 'retry' and 1 or 0)
      redis.call('ZADD', scheduled, scoreFor(now + ms), again)
      redis.call('HSET', errors, id, ARGV[i + 1])
      if word == 'retry' then remember(id, stamp .. ARGV[i + 1]) end
      redis.pcall('HINCRBY', stats, 'retried', 1)
      if redis.call('ZRANK', scheduled, again) == 0 then wakeOne() end
    end
  end
  if #entries == 0 then return end
  local ids = {}
  for i = 1, ms == '0' and #entries or 0, 2 do ids[#ids + 1] = entries[i] end
  tell(ids, {}) -- nobody gets what nobody keeps: whether somebody waits already makes no difference
  finish(word, entries, untils)
  if #ids > 0 then
    redis.call('ZREM', finals[word], unpack(ids))
    forget(ids)
  end
end

local function settle()
  local at, done, accepted, released = REST, 0, {}, {}
  while done < settled do
    local word, ms, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    at = at + 3
    -- A turn sent again begins with the settlements it had: these were answered, though nobody heard it.
    local news = at + math.max(0, (resent and known or 0) - done) * 2
    settleGroup(word, ms, at, count, news, accepted, released)
    at = at + count * 2
    done = done + count
  end
  -- The last first: in front of the queue they stand in their old order.
  for i = #released, 1, -1 do redis.call('LPUSH', lane(released[i]), released[i]) end
  if #refused > 0 then redis.pcall('HINCRBY', stats, 'refused', #refused / 2) end
  for i = at, #ARGV - named, 3 do
    -- An id has no blank: this one is for another queue.
    local elsewhere = accepted[ARGV[i]] and string.sub(ARGV[i + 1], 1, 1) == ' '
    if elsewhere then
      redis.call('RPUSH', outbox, 'enqueue' .. ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    elseif accepted[ARGV[i]] and not placeOwn(ARGV[i + 1], '', '-', ARGV[i + 2]) then
      refused[#refused + 1] = ARGV[i + 1]
      refused[#refused + 1] = 'taken'
    end
  end
end

-- Score of the first member of a sorted set.
local function earliest(set)
  return tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2])
end

local function upTo(set, last, limit)
  return redis.call('ZRANGE', set, '-inf', last, 'BYSCORE', 'LIMIT', 0, limit)
end

-- To the back of its lane with each. Before they leave where they are: a push that fails, because somebody
-- broke a key, must lose none.
local function push(list)
  local lines = { [high] = {}, [queued] = {}, [low] = {} }
  for _, ticket in ipairs(list) do table.insert(lines[lane(ticket)], ticket) end
  for key, line in pairs(lines) do
    if #line > 0 then redis.call('RPUSH', key, unpack(line)) end
  end
end

local function recover()
  local ended, again, unwanted, unknown = upTo(active, stamp, ${MAX_RECOVERED}), {}, {}, {}
  for _, ticket in ipairs(ended) do
    local id = idOf(ticket)
    if redis.call('SISMEMBER', cancelling, ticket) == 1 then
      unwanted[#unwanted + 1] = ticket
    elseif redis.call('HEXISTS', jobs, id) == 0 then
      unknown[#unknown + 1] = id
    else
      -- It may not have begun: nothing is charged, but who claims it next knows.
      local unsure = string.find(redis.call('ZSCORE', active, ticket), '.', 1, true)
      again[#again + 1] = successor(ticket, unsure and 0 or 1)
      local attempt = string.match(ticket, ':(%d+)%l?$') or '1'
      local lost = unsure and '${LOST_IN_HAND}' or '${LOST}' .. ',"attempt":' .. attempt .. '}'
      redis.call('HSET', errors, id, lost)
      if not unsure then remember(id, stamp .. lost) end
    end
  end
  push(again)
  redis.call('ZREM', active, unpack(ended))
  for _, ticket in ipairs(unwanted) do
    redis.call('SREM', cancelling, ticket)
    finishCancelled(idOf(ticket))
  end
  -- Nothing is there to run: no worker could settle a ticket that is no text, and it would come back for ever.
  for _, id in ipairs(unknown) do
    local missing = '{"name":"BadRecordError","message":"the record of the job is missing in Redis"}'
    local outcome = stamp .. '{"state":"failed","error":' .. missing .. '}'
    finish('failed', { id, outcome }, { failedTill(), id })
  end
  if #again > 0 then redis.pcall('HINCRBY', stats, 'recovered', #again) end
end

-- Takes up to n tickets: those named, if they are still in scheduled; then out of the lists, high before normal before
-- low, past the void ones.
local function take(n)
  local taken, swept = {}, 0
  for i = #ARGV - named + 1, #ARGV do
    if #taken < n and redis.call('ZREM', scheduled, ARGV[i]) == 1 then taken[#taken + 1] = ARGV[i] end
  end
  for _, list in ipairs({ high, queued, low }) do
    local popped = #taken < n and redis.call('LPOP', list, n - #taken)
    while popped do
      local void = redis.call('EXISTS', dropped) == 1 and redis.call('SMISMEMBER', dropped, unpack(popped))
      if not void and #taken == 0 then taken, popped = popped, {} end
      for i, ticket in ipairs(popped) do
        if void and void[i] == 1 then
          redis.call('SREM', dropped, ticket)
          swept = swept + 1
        else
          taken[#taken + 1] = ticket
        end
      end
      popped = void and #taken < n and swept < ${MAX_SWEPT} and redis.call('LPOP', list, n - #taken)
    end
  end
  return taken
end

-- The tickets this turn claimed the first time, without those that were settled or lost meanwhile.
local function replay()
  local still = {}
  for ticket in string.gmatch(list, '%S+') do
    if redis.call('ZSCORE', active, ticket) then still[#still + 1] = ticket end
  end
  return still
end

if settled > 0 then settle() end

local function earliestDue()
  local score = earliest(scheduled)
  return score and math.floor(score)
end
local due = earliestDue()
if due and due <= now then
  local ready = upTo(scheduled, '(' .. text(now + 1), ${MAX_PROMOTED})
  push(ready)
  redis.call('ZREM', scheduled, unpack(ready))
  due = earliestDue()
end
local over = earliest(active)
if over and over <= now then recover() end

local left, post = false, {}
local function carryOnWithFlows()
  if not flowsWork and redis.call('EXISTS', flowing, outbox) == 0 then return end
  goOnWithFlows()
  left = redis.call('EXISTS', flowing) == 1
  post = redis.call('LRANGE', outbox, 0, ${MAX_POST} - 1)
end
-- Before the claim: what follows a step can be claimed in the turn that settles it.
carryOnWithFlows()

local open = redis.call('EXISTS', paused) == 0
local allowed = math.min(want, (allowance()))
local got = resent and replay() or (open and allowed > 0 and take(allowed)) or {}
local records, failures, fits = {}, {}, 0
if #got > 0 then
  -- Sent again without a wish to claim: whoever sent it first could not hear what it got.
  if not resent or want > 0 then records, fits = fit(got, tonumber(room)) end
  local anyEnded = false
  for i = #got, fits + 1, -1 do
    local ticket = got[i]
    got[i] = nil
    if redis.call('ZREM', active, ticket) == 1 then
      local unwanted = redis.call('SREM', cancelling, ticket) == 1
      if unwanted then finishCancelled(idOf(ticket)) end
      anyEnded = anyEnded or unwanted
      ticket = not unwanted and successor(ticket, 0)
    end
    if ticket then redis.call('LPUSH', lane(ticket), ticket) end
  end
  if anyEnded then carryOnWithFlows() end
end
if #got > 0 then
  hold(got)
  if not resent then started(got) end
  if redis.call('EXISTS', errors) == 1 then
    local ids = {}
    for i, ticket in ipairs(got) do ids[i] = idOf(ticket) end
    failures = redis.call('HMGET', errors, unpack(ids))
  end
end
redis.call('SET', claim, turn .. ' ' .. settled .. ' ' .. table.concat(got, ' '), 'PX', lease * 2)

-- While work remains, the token is handed on: the next worker wakes.
local more = left or open and redis.call('EXISTS', queued, high, low) > 0
local later
if more and not left then
  local again, inMs = allowance()
  more, later = again > 0, again == 0 and inMs and now + inMs
end
local nextIn = 0
if more then
  wakeOne()
else
  if named ~= '0' then due = earliestDue() end
  local nextAt = math.min(due or math.huge, later or math.huge, earliest(active) or math.huge)
  nextIn = nextAt == math.huge and -1 or math.max(0, math.ceil(nextAt - now))
end
return { now, nextIn, refused, got, records, failures, post }`,
});
