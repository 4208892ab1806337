/** Lua that notes how things stand, so that there is a past to look at. */
import type { Fragment } from '../../redis/script.ts';

/** At most one sample a minute of the clock, however many workers come; so many are a day of them. */
const MINUTE_MS = 60_000;
export const MAX_SAMPLES = 1_441;
/** Age at which the counters of functions are put aside, to be compared with later. */
const ASIDE_MS = 3_600_000;

/** What a sample says after its time: counters of `stats` first, then how many jobs there are. */
export const COUNTERS = ['enqueued', 'completed', 'failed', 'cancelled', 'retried', 'recovered'] as const; // prettier-ignore
export const LEVELS = ['queued', 'scheduled', 'active'] as const;

/** `sample()`: whichever worker comes first, the others find it done. Needs `clock`. */
export const sample: Fragment = {
  keys: [
    'history', 'stats', 'queued', 'high', 'low', 'dropped', 'scheduled', 'active',
    'timings', 'timingsThen', 'timingsNext',
  ],
  lua: `
local function copy(from, to)
  local all = redis.call('HGETALL', from)
  redis.call('DEL', to)
  for i = 1, #all, 1000 do redis.call('HSET', to, unpack(all, i, math.min(i + 999, #all))) end
end
local function sample()
  local last = string.match(redis.call('LRANGE', history, -1, -1)[1] or '', '^%d+')
  if last and math.floor(last / ${MINUTE_MS}) == math.floor(now / ${MINUTE_MS}) then return end
  local row = { stamp }
  for i, counter in ipairs(redis.call('HMGET', stats, ${COUNTERS.map((name) => `'${name}'`).join(', ')})) do
    row[i + 1] = counter or '0'
  end
  local lists = redis.call('LLEN', high) + redis.call('LLEN', queued) + redis.call('LLEN', low)
  row[8] = lists - redis.call('SCARD', dropped)
  row[9] = redis.call('ZCARD', scheduled)
  row[10] = redis.call('ZCARD', active)
  redis.call('RPUSH', history, table.concat(row, ' '))
  if redis.call('LLEN', history) > ${MAX_SAMPLES} then redis.call('LPOP', history) end

  local aside = redis.call('HGET', timingsNext, 'at')
  if aside and now - aside < ${ASIDE_MS} then return end
  -- Where no worker was there for an hour or more, what was counted before is none of the last two hours.
  copy(aside and now - aside >= ${ASIDE_MS * 2} and timings or timingsNext, timingsThen)
  copy(timings, timingsNext)
  redis.call('HSET', timingsNext, 'at', stamp)
end`,
}; // prettier-ignore
