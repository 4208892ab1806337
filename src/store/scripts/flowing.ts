/**
 * How a flow goes on. Each step of a flow knows what follows it: a node. When a step ends for good, in whatever
 * script, what follows is begun, or failed, in the same script; so a join can't be lost, fire twice or early.
 *
 * Nodes: `flow.n`, a step; `flow*k`, a group to be begun; `flow*k/i`, the i-th place of a group's results. One
 * on another queue has `queue|` before it and goes to the outbox, for a worker to deliver.
 */
import type { Fragment } from '../../redis/script.ts';
import { finish, scoreFor, tickets, wakeOne } from './fragments.ts';

/** Most steps one call begins or fails; the rest is kept in `flowing` for the next. Keeps a call below 5 ms. */
const BUDGET = 200;
/** A larger number of members, or steps, is garbage that somebody wrote: it would keep workers busy for ever. */
export const MOST_MEMBERS = 10_000_000;
/** Results of a group that are put together, or thrown away, at a time, and what that costs of the budget. */
const GATHERED = 1_000;
const GATHERING = 50;

/**
 * `follow(kind, node, payload)`: something is to be done about a node. Kinds: `begin` (a first step; no payload), `go`
 * (payload: the result before it, JSON), `fail` (payload: id of the step that failed, a space, its error as JSON).
 * `settle(id, outcome, node)`: the step has ended so, the node comes after it. `goOnWithFlows()` does what is to be done;
 * `openFlows()` comes before `follow` and `settle`. Needs `clock`.
 */
export const flowing: Fragment = {
  keys: [
    'flows',
    'waiting',
    'joins',
    'flowing',
    'outbox',
    ...scoreFor.keys,
    ...wakeOne.keys,
    ...tickets.keys,
    ...finish.keys,
  ],
  lua: `
${scoreFor.lua}
local follow, goOn, settle
local flowsWork = false
-- Called by finish for all that ends for good. Most queues know no flows: their scripts make none of what is below.
local function openFlows()
  if goOn then return end
  local work, budget = {}, ${BUDGET}
  follow = function(kind, node, payload, at)
    work[#work + 1] = { kind, node, payload or '', at or 1 }
  end

  -- What a job that ended leaves to those after it. Its outcome is the text we wrote: user JSON stands in the
  -- middle of it, known by what stands around it, and is never decoded.
  local RAN = ',"attempt":%d+,"startedAt":%d+,"ranMs":[%d.]+}$'
  local function legacyOf(id, text)
    local state = string.match(text, '^%d+{"state":"(%l+)"')
    if state == 'completed' then
      return 'go', string.match(text, '^%d+{"state":"completed","result":(.*)' .. RAN) or 'null'
    end
    local failure, origin = string.match(text, '^%d+{"state":"failed","error":(.*),"step":"(%S+)"}$')
    failure = failure or string.match(text, '^%d+{"state":"failed",[^{]-"error":(.*)' .. RAN)
    return 'fail', (origin or id) .. ' ' .. (failure or '{"name":"JobCancelledError","message":"job ' .. id .. ' was cancelled"}')
  end

  settle = function(id, outcome, node)
    local kind, payload = legacyOf(id, outcome)
    follow(kind, node, payload)
  end

  -- The step's turn has come: it becomes a job like any other, with the result before it as its first argument.
  local function beginStep(id, how, payload)
    local letter, ms = string.match(how, '^%S+ ([hnlv]) (%d+)')
    if not letter or tonumber(ms) > ${Number.MAX_SAFE_INTEGER} then
      local unreadable = '{"name":"BadRecordError","message":"how the step begins can not be read"}'
      return finish('failed', { id, stamp .. '{"state":"failed","error":' .. unreadable .. '}' }, { failedTill(), id })
    end
    if letter == 'v' then -- no function: it gives what a group at the end of the flow has gathered
      if ms == '0' then tell({ id }, {}) end
      finish('completed', { id, stamp .. '{"state":"completed","result":' .. payload .. '}' }, { text(now + ms), id })
      if ms == '0' then
        redis.call('ZREM', completed, id)
        forget({ id })
      end
      return
    end
    local record = string.sub(redis.call('HGET', jobs, id) or '', 14)
    if payload ~= '' then
      local _, last = string.find(record, '"args":[', 1, true)
      if last then
        local alone = string.sub(record, last + 1, last + 1) == ']'
        record = string.sub(record, 1, last) .. payload .. (alone and '' or ',') .. string.sub(record, last + 1)
      end
    end
    redis.call('HSET', jobs, id, stamp .. record)
    local ticket = firstTicket(id, letter == 'n' and '' or letter, 1)
    if ms == '0' then
      redis.call('RPUSH', lane(ticket), ticket)
      wakeOne()
    else
      redis.call('ZADD', scheduled, scoreFor(now + ms), ticket)
      if redis.call('ZRANK', scheduled, ticket) == 0 then wakeOne() end
    end
  end

  local visit

  local function visitStep(kind, id, payload)
    -- Only the first to come finds it waiting: whatever is said twice is done once.
    if redis.call('ZREM', waiting, id) == 0 then return end
    budget = budget - 1
    if kind ~= 'fail' then return beginStep(id, redis.call('HGET', flows, id) or '- n 0', payload) end
    local origin, failure = string.match(payload, '^(%S+) ({.*})$')
    if not origin then origin, failure = id, '{"name":"BadRecordError","message":"why a step before failed can not be read"}' end
    local outcome = stamp .. '{"state":"failed","error":' .. failure .. ',"step":"' .. origin .. '"}'
    finish('failed', { id, outcome }, { failedTill(), id })
  end

  -- How many members a group has, and what follows it; nothing once it is over. Asked once in a call.
  local known = {}
  local function groupOf(group)
    if known[group] == nil then known[group] = redis.call('HGET', flows, group) end
    return string.match(known[group] or '', '^(%d+) (%S+)$')
  end
  local function forgetGroup(group)
    known[group] = false
    redis.call('HDEL', flows, group)
    redis.call('HDEL', joins, group)
  end

  -- Begins, or fails, the first steps of a group's members, from the place in the list where it was left.
  local function visitGroup(kind, group, payload, at)
    local total, node = groupOf(group)
    if total == '0' then
      forgetGroup(group)
      return follow(kind == 'fail' and kind or 'go', node, kind == 'fail' and payload or '[]')
    end
    local heads = redis.call('HGET', flows, group .. '/')
    while heads do
      local first, last = string.find(heads, '%S+', at)
      if not first then
        redis.call('HDEL', flows, group .. '/')
        return
      end
      if budget <= 0 then return follow(kind, group, payload, first) end
      visit(kind, string.sub(heads, first, last), payload, 1)
      at = last + 1
    end
  end

  local function placesOf(group, from, total)
    local places = {}
    for i = from, math.min(from + ${GATHERED} - 1, total) do places[#places + 1] = group .. '/' .. i end
    return places
  end

  -- One place for each member: who comes twice finds it taken. The last one begins what follows the group.
  -- Somebody wrote where results of groups are: nobody knows how many have come.
  local UNCOUNTED = ' {"name":"BadRecordError","message":"the results of its group can not be counted"}'
  local visitPlace
  visitPlace = function(kind, group, place, payload)
    local total, node = groupOf(group)
    if not total then return end -- a member failed before
    if kind == 'fail' then
      forgetGroup(group)
      follow('clear', group, total)
      follow('fail', node, payload)
      return
    end
    local came = redis.call('HGET', joins, group) or '0'
    if not string.find(came, '^%d+$') or #came > 15 then return visitPlace('fail', group, place, place .. UNCOUNTED) end
    if tonumber(came) >= tonumber(total) then return end -- they are being gathered
    if redis.call('HSETNX', joins, place, payload) == 1 then
      if redis.call('HINCRBY', joins, group, 1) == tonumber(total) then follow('gather', group) end
    end
  end

  -- All places are taken: their texts, joined, are the result of the group.
  local function gather(group, gathered, at)
    local total, node = groupOf(group)
    if not total then return end
    budget = budget - ${GATHERING}
    local places = placesOf(group, at, tonumber(total))
    local texts = redis.call('HMGET', joins, unpack(places))
    for i, place in ipairs(places) do
      if not texts[i] then return visitPlace('fail', group, place, place .. UNCOUNTED) end
    end
    local part = table.concat(texts, ',')
    redis.call('HDEL', joins, unpack(places))
    gathered = gathered == '' and part or gathered .. ',' .. part
    if at + ${GATHERED} <= tonumber(total) then return follow('gather', group, gathered, at + ${GATHERED}) end
    forgetGroup(group)
    follow('go', node, '[' .. gathered .. ']')
  end

  local function clear(group, total, at)
    budget = budget - ${GATHERING}
    total = math.min(tonumber(total) or 0, ${MOST_MEMBERS})
    if total < at or redis.call('EXISTS', joins) == 0 then return end
    redis.call('HDEL', joins, unpack(placesOf(group, at, total)))
    if at + ${GATHERED} <= total then follow('clear', group, text(total), at + ${GATHERED}) end
  end

  visit = function(kind, node, payload, at)
    if string.find(node, '|', 1, true) then
      budget = budget - 1
      redis.call('RPUSH', outbox, table.concat({ kind, node, payload }, ' '))
      return wakeOne() -- whoever turns next carries it
    end
    if kind == 'gather' then return gather(node, payload, at) end
    if kind == 'clear' then return clear(node, payload, at) end
    local group = string.match(node, '^(.*%*%d+)/%d+$')
    if group then return visitPlace(kind, group, node, payload) end
    if string.find(node, '*', 1, true) then return visitGroup(kind, node, payload, at) end
    visitStep(kind, node, payload)
  end

  goOn = function()
    local done = 0
    while budget > 0 do
      if done == #work then
        local kept = redis.call('LPOP', flowing)
        if not kept then break end
        local kind, node, at, payload = string.match(kept, '^(%l+) (%S+) (%d+) (.*)$')
        if kind then follow(kind, node, payload, tonumber(at)) end
      else
        done = done + 1
        visit(unpack(work[done]))
      end
    end
    for i = done + 1, #work do
      local kind, node, payload, at = unpack(work[i])
      redis.call('RPUSH', flowing, table.concat({ kind, node, at, payload }, ' '))
    end
    if done < #work then wakeOne() end
    work = {}
  end
end
ended = function(entries)
  if redis.call('EXISTS', flows) == 0 then return end
  openFlows()
  local ids = {}
  for i = 1, #entries, 2 do ids[#ids + 1] = entries[i] end
  for i, how in ipairs(redis.call('HMGET', flows, unpack(ids))) do
    local node = how and string.match(how, '^(%S+)')
    if node and node ~= '-' then settle(ids[i], entries[i * 2], node) end
  end
  flowsWork = true
end
-- What has ended, here or in a call before, has its consequences.
local function goOnWithFlows()
  if flowsWork or redis.call('EXISTS', flowing) == 1 then
    openFlows()
    goOn()
  end
end`,
};
