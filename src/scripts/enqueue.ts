import { defineScript, type Fragment } from '../script.ts';
import { clock, finish, firstTicket, place, tickets, wakeOne } from './fragments.ts';

/** `placePlain(ids, jsons)`: jobs without an id of the user's, a lane or a time go in together. Needs `clock`, `firstTicket`. */
const placePlain: Fragment = {
  keys: ['jobs', 'queued', 'stats', 'dropped', ...wakeOne.keys],
  lua: `
local function placePlain(ids, jsons)
  local there, void = redis.call('HMGET', jobs, unpack(ids)), redis.call('EXISTS', dropped) == 1
  local entries, line = {}, {}
  for i, id in ipairs(ids) do
    if not there[i] then
      entries[#entries + 1] = id
      entries[#entries + 1] = stamp .. jsons[i]
      line[#line + 1] = void and firstTicket(id, '', 1) or id .. ':1:1'
    end
  end
  if #line > 0 then
    redis.call('HSET', jobs, unpack(entries))
    redis.call('RPUSH', queued, unpack(line))
    redis.pcall('HINCRBY', stats, 'enqueued', #line)
    wakeOne()
  end
end`,
};

/**
 * Moves: nothing -> queued, for up to 1,000 plain jobs: most calls are one, and this is all they need.
 * Refuses, called by, if we crash: as `enqueue`. Two arguments a job: id, JSON.
 */
export const enqueuePlainScript = defineScript({
  name: 'enqueuePlain',
  keys: [],
  args: [],
  uses: [clock, wakeOne, firstTicket, placePlain],
  lua: `
local ids, jsons = {}, {}
for i = REST, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
  jsons[#jsons + 1] = ARGV[i + 1]
end
placePlain(ids, jsons)
return {}`,
});

/**
 * Moves: nothing -> queued or scheduled, for up to 1,000 jobs.
 * Refuses when: the id is taken (see `place`); replies with the positions of those it refused, from 0:
 * one id may come twice in a call, the first accepted and the second refused.
 * Called by: `Queue.enqueue`, all calls of one tick together.
 * If we crash: all jobs are in, or none. Sent again it changes nothing: the ids are the client's.
 *
 * Three arguments a job: id, how, JSON. `how` is empty for a plain job, which goes the fast way: one
 * variadic command for all in a row. Else `lane mode due`, e.g. `h pending 0`, `n - +5000`.
 */
export const enqueueScript = defineScript({
  name: 'enqueue',
  keys: [],
  args: [],
  uses: [clock, wakeOne, tickets, finish, place, placePlain],
  lua: `
local ids, jsons, refused = {}, {}, {}

local function flush()
  if #ids > 0 then placePlain(ids, jsons) end
  ids, jsons = {}, {}
end

for i = REST, #ARGV, 3 do
  local id, how, json = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if how == '' then
    ids[#ids + 1] = id
    jsons[#jsons + 1] = json
  else
    flush() -- what was enqueued first stands first
    local letter, mode, due = string.match(how, '^(%l) (%S+) (%S+)$')
    local at = string.sub(due, 1, 1) == '+' and now + due or tonumber(due)
    if not place(id, letter == 'n' and '' or letter, mode, at, json) then
      refused[#refused + 1] = (i - REST) / 3
    end
  end
end
flush()
return refused`,
});
