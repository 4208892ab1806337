import { defineScript } from '../../redis/script.ts';
import { describe } from './describe.ts';
import { clock, finish, tickets, wakeOne } from './fragments.ts';
import { place } from './place.ts';
import { flowing } from './flowing.ts';

/** How long the parts of a flow that needs several calls wait for the last of them. */
export const BUILDING_MS = 60_000;
/** How long a flow that was given up must not begin: a call that is still under way then was hung for as long. */
export const GONE_MS = 24 * 3_600_000;
/** Most steps of a flow one call cancels. */
const CANCELLED_A_CALL = 200;

/**
 * Moves: nothing -> waiting, for the steps of a flow, up to 1,000 a call; with `start`, the first of them on to
 * queued. A flow in several parts is begun by the last.
 * Refuses when: the last came so late that the parts before it were given up (`given up`).
 * Called by: `Queue.enqueue` of a flow.
 * If we crash: all steps of the part are there, or none. Sent again it changes nothing: the ids are the client's.
 *
 * Until the flow begins, each queue's part stands in `building`, as `<flow> <total> <first queue> <this queue>`. The first queue
 * is the one where the flow begins; what it knows decides. Its script tells the others, through the outbox, that the flow
 * has begun. What hears of nothing in time is given up by the pruner, which on another queue asks the first one before.
 * Such a flow must not begin later: `<flow> gone` stands in `building` for a while.
 *
 * `start` is the node to begin; `-`: more parts follow; empty: the flow begins on another queue. `others`: those to be told.
 * Arguments: for each step id, what follows it (see flowing.ts) and JSON; then fields of `flows` and their values.
 */
export const enqueueFlowScript = defineScript({
  name: 'enqueueFlow',
  keys: ['building'],
  args: ['flow', 'total', 'start', 'queue', 'first', 'others', 'steps'],
  numbers: ['total', 'steps'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
local fields = REST + steps * 3
if fields > #ARGV + 1 or (#ARGV + 1 - fields) % 2 == 1 then error('minq: steps are missing') end
local ids, records, places, hows = {}, {}, {}, {}
for i = REST, fields - 1, 3 do ids[#ids + 1] = ARGV[i] end
-- All steps of the part came in together: where one of them is left, the others are over and forgotten.
local known = false
for _, record in ipairs(#ids > 0 and redis.call('HMGET', jobs, unpack(ids)) or {}) do known = known or record end
if not known and redis.call('ZSCORE', building, flow .. ' gone') then return 'given up' end
for i, id in ipairs(known and {} or ids) do
  local at = REST + (i - 1) * 3
  records[#records + 1], records[#records + 2] = id, stamp .. ARGV[at + 2]
  places[#places + 1], places[#places + 2] = stamp, id
  hows[#hows + 1], hows[#hows + 2] = id, ARGV[at + 1]
end
if #records > 0 then
  redis.call('HSET', jobs, unpack(records))
  redis.call('ZADD', waiting, unpack(places))
  redis.call('HSET', flows, unpack(hows))
  redis.pcall('HINCRBY', stats, 'enqueued', #records / 2)
end
local fresh = #records > 0
for i = fields, #ARGV, 2 do
  if #records > 0 or #ids == 0 then
    fresh = redis.call('HSETNX', flows, ARGV[i], ARGV[i + 1]) == 1 or fresh
  end
end
local part = flow .. ' ' .. total .. ' ' .. first .. ' '
if start == '-' or start == '' then
  if fresh then redis.call('ZADD', building, text(now + ${BUILDING_MS}), part .. queue) end
else
  redis.call('ZREM', building, part .. queue)
  for other in string.gmatch(others, '%S+') do redis.call('RPUSH', outbox, 'begun ' .. other .. '|' .. part .. other) end
  openFlows()
  follow('begin', start)
  goOn()
end
return 'enqueued'`,
});

/**
 * Does what another queue's flow wants done about a node of this one: begin, go on with a result, fail. Or, about a whole
 * flow (payload: the rest of its entry in `building`): `ask`, what became of it here, where it begins; `begun` and `gone`, the
 * answers. One that has begun is known here, or has been told of: that may still lie in the outbox. Or it is a job to `enqueue`, which
 * a failure on another queue brought about; no flow has to do with it.
 * Called by: the courier. Sent again, or by two of them, it finds that it was done.
 */
export const deliverScript = defineScript({
  name: 'deliver',
  keys: ['building'],
  args: ['kind', 'node', 'payload'],
  uses: [clock, wakeOne, tickets, finish, place, flowing],
  lua: `
local part = node .. ' ' .. payload
if kind == 'enqueue' then
  placeOwn(node, '', '-', payload)
  return 'delivered'
elseif kind == 'ask' then
  local total, first, queue = string.match(payload, '^(%d+) (%S+) (%S+)$')
  if not total then return 'begun' end
  local told = 'begun ' .. queue .. '|' .. part
  if redis.call('LREM', outbox, 1, told) == 1 then
    redis.call('RPUSH', outbox, told)
    return 'begun'
  end
  local till = redis.call('ZSCORE', building, node .. ' ' .. total .. ' ' .. first .. ' ' .. first)
  if till and tonumber(till) > now then return 'waiting' end
  if not till and redis.call('HEXISTS', flows, node) == 1 then return 'begun' end
  redis.call('ZADD', building, text(now + ${GONE_MS}), node .. ' gone')
  return 'gone'
elseif kind == 'begun' or kind == 'gone' then
  if redis.call('ZREM', building, part) == 1 and kind == 'gone' then
    redis.call('ZADD', building, stamp, node .. ' ' .. string.match(payload, '^%d+'))
  end
  return 'heard'
end
openFlows()
follow(kind, node, payload)
goOn()
return 'delivered'`,
});

/**
 * Moves: waiting | queued | scheduled -> cancelled, for the steps of a flow, the last ones first, so that none is failed
 * by the one before it; what runs is marked, and its worker told.
 * Called by: `Job.cancel` of a flow's last step, until the reply (the next step to look at) is -1.
 */
export const cancelFlowScript = defineScript({
  name: 'cancelFlow',
  flags: 'allow-oom',
  keys: ['active', 'dropped', 'cancelling'],
  args: ['flow', 'from', 'control'],
  numbers: ['from'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
local last = math.max(0, from - ${CANCELLED_A_CALL} + 1)
for n = tonumber(from), last, -1 do
  local id = flow .. '.' .. n
  if redis.call('HEXISTS', jobs, id) == 1 and redis.call('HEXISTS', outcomes, id) == 0 then
    local ticket = ticketOf(id)
    if redis.call('ZSCORE', active, ticket) then
      redis.call('SADD', cancelling, ticket)
      redis.call('PUBLISH', control, ticket)
    else
      local early = redis.call('ZREM', waiting, id) == 1
      if not early and redis.call('ZREM', scheduled, ticket) == 0 then redis.call('SADD', dropped, ticket) end
      finishCancelled(id, early)
    end
  end
end
goOnWithFlows()
return last - 1`,
});

/**
 * Reads: the states of these steps; of one that never had its turn, with the step because of which: another that failed, or itself,
 * where it was cancelled.
 */
export const statesScript = defineScript({
  name: 'states',
  flags: 'no-writes',
  keys: [],
  args: [],
  uses: [clock, tickets, describe],
  lua: `
local states = {}
for i = REST, #ARGV do
  local found = describe(ARGV[i])
  local state = found[2]
  if state == 'ended' then
    state = string.match(found[6], '"state":"(%l+)"')
    local origin = string.match(string.sub(found[6], -300), ',"step":"(%S+)"}$')
    if origin then state = state .. ' ' .. origin end
  end
  states[#states + 1] = state
end
return states`,
});
