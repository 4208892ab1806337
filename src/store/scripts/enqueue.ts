import type { NewJob } from '../../job/record.ts';
import { defineScript } from '../../redis/script.ts';
import { clock, finish, firstTicket, kept, tickets, wakeOne, watch } from './fragments.ts';
import { place } from './place.ts';

/**
 * Moves: nothing -> queued, for up to 1,000 plain jobs: most calls are one, and this is all they need.
 * Refuses, called by, if we crash: as below. Two arguments a job: id, JSON.
 */
const PLAIN = {
  keys: ['jobs', 'queued', 'stats', 'dropped'],
  uses: [clock, wakeOne, firstTicket],
  lua: `
local ids = {}
for i = REST, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
local there, void = redis.call('HMGET', jobs, unpack(ids)), redis.call('EXISTS', dropped) == 1
local entries, line = {}, {}
for i, id in ipairs(ids) do
  if not there[i] then
    entries[#entries + 1] = id
    entries[#entries + 1] = stamp .. ARGV[REST + i * 2 - 1]
    line[#line + 1] = void and firstTicket(id, '', 1) or id .. ':1:1'
  end
end
if #line > 0 then
  redis.call('HSET', jobs, unpack(entries))
  redis.call('RPUSH', queued, unpack(line))
  redis.pcall('HINCRBY', stats, 'enqueued', #line)
  wakeOne()
end
`,
};

/**
 * Moves: nothing -> queued or scheduled, for up to 1,000 jobs.
 * Refuses when: the id is taken (see `place`); replies with the positions of those it refused, from 0:
 * one id may come twice in a call, the first accepted and the second refused. And positions, each with the id of the job that is
 * meant, where that is another (see `placeWaiting`).
 * Called by: `Queue.enqueue` and `Queue.call`, all calls of one tick together.
 * If we crash: all jobs are in, or none. Sent again it changes nothing: the ids are the client's.
 *
 * Three arguments a job: id, how, JSON. `how` is empty for a plain job, else `lane mode due`, e.g. `h pending 0`,
 * `n - +5000`. Jobs in a row without an id of the user's go in together: a few variadic commands for all.
 */
const ANY = {
  keys: [],
  uses: [clock, wakeOne, tickets, finish, place],
  lua: `
local function parsed(how)
  if how == '' then return { letter = '', mode = '-', at = 0 } end
  local letter, mode, sign, due = string.match(how, '^([hnl]) (%S+) (%+?)([%d.]+)$')
  if not letter or not tonumber(due) then error('minq: how a job is to be placed can not be read') end
  local at = sign == '+' and now + due or tonumber(due)
  return { letter = letter == 'n' and '' or letter, mode = mode, at = at }
end

-- ids, and for each how it is to be placed and its JSON.
local ids, hows, jsons = {}, {}, {}
local function flush()
  if #ids == 0 then return end
  local there, void = redis.call('HMGET', jobs, unpack(ids)), redis.call('EXISTS', dropped) == 1
  local entries, later, lines = {}, {}, { [high] = {}, [queued] = {}, [low] = {} }
  local first, earliest
  for i, id in ipairs(ids) do
    local how = hows[i]
    if not there[i] then
      entries[#entries + 1] = id
      entries[#entries + 1] = stamp .. jsons[i]
      local ticket = (void or how.letter ~= '') and firstTicket(id, how.letter, 1) or id .. ':1:1'
      if how.at > now then
        later[#later + 1] = scoreFor(how.at)
        later[#later + 1] = ticket
        if not first or how.at < earliest then first, earliest = ticket, how.at end
      else
        table.insert(lines[lane(ticket)], ticket)
      end
    end
  end
  ids, hows, jsons = {}, {}, {}
  if #entries == 0 then return end
  redis.call('HSET', jobs, unpack(entries))
  redis.pcall('HINCRBY', stats, 'enqueued', #entries / 2)
  for key, line in pairs(lines) do
    if #line > 0 then
      redis.call('RPUSH', key, unpack(line))
      wakeOne()
    end
  end
  if first then
    redis.call('ZADD', scheduled, unpack(later))
    -- Sleeping workers know only of what was due before: the new first one must be heard of.
    if redis.call('ZRANK', scheduled, first) == 0 then wakeOne() end
  end
end

-- All of them before the first write.
local known, refused, renamed = {}, {}, {}
for i = REST, #ARGV, 3 do known[ARGV[i + 1]] = known[ARGV[i + 1]] or parsed(ARGV[i + 1]) end
for i = REST, #ARGV, 3 do
  local id, word, json = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local how = known[word]
  if how.mode == '-' then
    local n = #ids + 1
    ids[n], hows[n], jsons[n] = id, how, json
  else
    flush() -- what was enqueued first stands first
    local accepted, own
    if how.mode == 'waiting' then
      accepted, own = placeWaiting(id, how.letter, how.at, json)
    else
      accepted, own = place(id, how.letter, how.mode, how.at, json), id
    end
    if not accepted then refused[#refused + 1] = (i - REST) / 3 end
    if own ~= id then
      renamed[#renamed + 1] = (i - REST) / 3
      renamed[#renamed + 1] = own
    end
  end
end
flush()
`,
};

export const enqueueScripts = {
  plain: defineScript({
    ...PLAIN,
    name: 'enqueuePlain',
    args: [],
    lua: `${PLAIN.lua}
return {}`,
  }),
  any: defineScript({
    ...ANY,
    name: 'enqueue',
    args: [],
    lua: `${ANY.lua}
return { refused, renamed }`,
  }),
};

/** Before the first write: where a key is of another type, no job is enqueued whose caller would hear of an error. */
const MAY_WATCH = "for _, hash in ipairs({ outcomes, waiters }) do redis.call('HLEN', hash) end";

/** The same where who enqueues waits for the results: `channel` will be told. Reply: also what `watch` says of each job, if it has to be asked. */
export const callScripts = {
  plain: defineScript({
    ...PLAIN,
    name: 'callPlain',
    args: ['channel'],
    uses: [...PLAIN.uses, kept, watch],
    lua: `${MAY_WATCH}
${PLAIN.lua}
if #line < #ids then return { {}, watch(ids, channel) } end
-- All are new: nobody else can wait for them, and none has ended.
local waits = {}
for i, id in ipairs(ids) do waits[i * 2 - 1], waits[i * 2] = id, channel end
redis.call('HSET', waiters, unpack(waits))
return { {}, {} }`,
  }),
  any: defineScript({
    ...ANY,
    name: 'call',
    args: ['channel'],
    uses: [...ANY.uses, watch],
    lua: `${MAY_WATCH}
${ANY.lua}
local called = {}
for i = REST, #ARGV, 3 do called[#called + 1] = ARGV[i] end
return { refused, watch(called, channel) }`,
  }),
};

/** Jobs as these scripts take them. */
export function laidOut(jobs: readonly NewJob[]): { kind: 'plain' | 'any'; args: string[] } {
  const plain = jobs.every(({ how }) => how === '');
  const args: string[] = [];
  for (const { id, how, json } of jobs) {
    if (plain) args.push(id, json);
    else args.push(id, how, json);
  }
  return { kind: plain ? 'plain' : 'any', args };
}
