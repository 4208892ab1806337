/** Lua that notes how things stand, so that there is a past to look at. */
import type { Fragment } from '../script.ts';

/** How far apart samples are at least, and how many are kept: a day of them, about a minute apart. */
const APART_MS = 50_000;
export const MAX_SAMPLES = 1_441;
/** Age at which the counters of functions are put aside, to be compared with later. */
const ASIDE_MS = 3_600_000;

/** What a sample says after its time: counters first, then how many jobs there are. */
export const SAMPLED = [
  'enqueued', 'completed', 'failed', 'cancelled', 'retried', 'recovered',
  'queued', 'scheduled', 'active',
] as const; // prettier-ignore

/** `sample()`: whichever worker comes first, the others find it done. Needs `clock`. */
export const sample: Fragment = {
  keys: [
    'history', 'stats', 'queued', 'high', 'low', 'dropped', 'scheduled', 'active',
    'timings', 'timingsThen', 'timingsNext',
  ],
  lua: `
local function sample()
  local last = string.match(redis.call('LINDEX', history, -1) or '', '^%d+')
  if last and now - last < ${APART_MS} then return end
  local row = { stamp }
  for i, counter in ipairs(redis.call('HMGET', stats, 'enqueued', 'completed', 'failed', 'cancelled', 'retried', 'recovered')) do
    row[i + 1] = counter or '0'
  end
  local lists = redis.call('LLEN', high) + redis.call('LLEN', queued) + redis.call('LLEN', low)
  row[8] = lists - redis.call('SCARD', dropped)
  row[9] = redis.call('ZCARD', scheduled)
  row[10] = redis.call('ZCARD', active)
  redis.call('RPUSH', history, table.concat(row, ' '))
  redis.call('LTRIM', history, -${MAX_SAMPLES}, -1)

  local aside = redis.call('HGET', timingsNext, 'at')
  if aside and now - aside < ${ASIDE_MS} then return end
  if aside then redis.call('RENAME', timingsNext, timingsThen) end
  local all = redis.call('HGETALL', timings)
  for i = 1, #all, 1000 do
    redis.call('HSET', timingsNext, unpack(all, i, math.min(i + 999, #all)))
  end
  redis.call('HSET', timingsNext, 'at', stamp)
end`,
}; // prettier-ignore
