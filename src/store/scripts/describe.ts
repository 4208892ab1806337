import type { Fragment } from '../../redis/script.ts';
import { kept, tickets } from './fragments.ts';

/** `describe(id)`: the state of a job, and what is known of it. */
export const describe: Fragment = {
  keys: [
    'jobs',
    'outcomes',
    'errors',
    'progress',
    'active',
    'scheduled',
    'waiting',
    'flows',
    ...kept.keys,
    ...tickets.keys,
  ],
  lua: `${kept.lua}
-- id, state, ticket, due at or lease end, record, outcome, last error, progress, what follows it in a flow
local function describe(id)
  local record, outcome = redis.call('HGET', jobs, id), redis.call('HGET', outcomes, id)
  if not record and not outcome or outcome and not kept(id, outcome) then return { id, 'unknown' } end
  local ticket = ticketOf(id)
  local state, at = 'ended', false
  if not outcome then
    at = redis.call('ZSCORE', active, ticket)
    state = 'active'
    if not at then
      at = redis.call('ZSCORE', scheduled, ticket)
      at = at and string.match(at, '^%d+') -- without its place in the millisecond
      state = at and 'scheduled' or redis.call('ZSCORE', waiting, id) and 'waiting' or 'queued'
    end
  end
  return { id, state, ticket, at, record, outcome,
    redis.call('HGET', errors, id), redis.call('HGET', progress, id), redis.call('HGET', flows, id) }
end`,
};
