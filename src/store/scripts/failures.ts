import { defineScript } from '../../redis/script.ts';
import { clock } from './fragments.ts';

/** Bytes of records and outcomes a call reads: keeps it below 5 ms. */
const MAX_READ = 500_000;
/** Characters of an error that are told: name and message, and not the stack. */
const MAX_HEAD = 700;

/**
 * Reads: of up to 1,000 failed jobs, the last ones first, what tells one failure from another: id, end, function, and how the error
 * begins; for a step that failed only because of another, nothing of the error. Replies with how many were looked through.
 */
export const failuresScript = defineScript({
  name: 'failures',
  flags: 'no-writes',
  keys: ['failed', 'outcomes', 'jobs'],
  args: ['offset'],
  uses: [clock],
  lua: `
local found, seen, read = {}, 0, 0
for _, id in ipairs(redis.call('ZRANGE', failed, '+inf', '(' .. stamp, 'BYSCORE', 'REV', 'LIMIT', offset, 1000)) do
  local outcome, record = redis.call('HGET', outcomes, id) or '', redis.call('HGET', jobs, id) or ''
  local at = string.find(outcome, '"error":', 1, true)
  local caused = string.find(string.sub(outcome, -300), ',"step":"%S+"}$')
  seen, read = seen + 1, read + #outcome + #record
  found[#found + 1] = id
  found[#found + 1] = string.sub(outcome, 1, 13)
  found[#found + 1] = string.match(string.sub(record, 1, 300), '^%d+{"fn":"([^"]*)"') or ''
  found[#found + 1] = caused and '' or at and string.sub(outcome, at + 8, at + 8 + ${MAX_HEAD}) or '{'
  if read > ${MAX_READ} then break end
end
return { seen, found }`,
});
