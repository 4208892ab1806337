import { defineScript } from '../../redis/script.ts';
import { KEY_NAMES } from '../keys.ts';
import { clock } from './fragments.ts';
import { WORKER_GONE_MS } from './upkeep.ts';

/**
 * Removes all there is of a queue: jobs that have ended, counters, history, cron entries.
 * Refuses when: a worker of it is alive, or a job has not ended (replies how many workers, and how many jobs).
 * Called by: `Queue.forget`. Sent again it finds nothing.
 */
export const forgetScript = defineScript({
  name: 'forget',
  flags: 'allow-oom',
  keys: KEY_NAMES,
  args: [],
  uses: [clock],
  lua: `
local alive = 0
local seen = redis.call('HGETALL', workers)
for i = 2, #seen, 2 do
  if (tonumber(string.sub(seen[i], 1, 13)) or 0) > now - ${WORKER_GONE_MS} then alive = alive + 1 end
end
local left = redis.call('HLEN', jobs)
for _, set in ipairs({ completed, failed, cancelled }) do left = left - redis.call('ZCARD', set) end
if alive == 0 and left <= 0 then redis.call('DEL', unpack(KEYS)) end
return { alive, left }`,
});
