import { defineScript } from '../../redis/script.ts';
import { describe } from './describe.ts';
import { clock, finish, tickets, wakeOne } from './fragments.ts';
import { flowing } from './flowing.ts';

/** How long the parts of a flow too big for one call wait for the last of them. */
const BUILDING_MS = 60_000;
/** Most steps of a flow one call cancels. */
const CANCELLED_A_CALL = 200;

/**
 * Moves: nothing -> waiting, for the steps of a flow, up to 1,000 a call; with `start`, the first of them on to
 * queued. A flow in several parts is begun by the last; one that never comes is removed by the pruner.
 * Called by: `Queue.enqueue` of a flow.
 * If we crash: all steps of the part are there, or none. Sent again it changes nothing: the ids are the client's.
 *
 * `start` is the node to begin; `-`: more parts follow; empty: this was the last, the flow begins on another queue.
 * Arguments: for each step id, what follows it (see flowing.ts) and JSON; then fields of `flows` and their values.
 */
export const enqueueFlowScript = defineScript({
  name: 'enqueueFlow',
  keys: ['building'],
  args: ['flow', 'total', 'start', 'steps'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
local fields = REST + steps * 3
local ids, records, places, hows = {}, {}, {}, {}
for i = REST, fields - 1, 3 do ids[#ids + 1] = ARGV[i] end
-- All steps of the part came in together: where one of them is left, the others are over and forgotten.
local known = false
for _, record in ipairs(#ids > 0 and redis.call('HMGET', jobs, unpack(ids)) or {}) do known = known or record end
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
for i = fields, #ARGV, 2 do
  if #records > 0 or #ids == 0 then redis.call('HSETNX', flows, ARGV[i], ARGV[i + 1]) end
end
local part = flow .. ' ' .. total
if start == '-' then
  redis.call('ZADD', building, text(now + ${BUILDING_MS}), part)
elseif start ~= '' then
  redis.call('ZREM', building, part)
  openFlows()
  follow('begin', start)
  goOn()
else
  redis.call('ZREM', building, part)
end
return 'enqueued'`,
});

/**
 * Does what another queue's flow wants done about a node of this one: begin, go on with a result, fail.
 * Called by: the courier. Sent again, or by two of them, it finds that it was done.
 */
export const deliverScript = defineScript({
  name: 'deliver',
  keys: [],
  args: ['kind', 'node', 'payload'],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
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

/** Reads: the states of these steps. */
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
  states[#states + 1] = found[2] == 'ended' and string.match(found[6], '"state":"(%l+)"') or found[2]
end
return states`,
});
