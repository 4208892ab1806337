import { defineScript } from '../../redis/script.ts';
import { BUILDING_MS } from './flow.ts';
import { flowing } from './flowing.ts';
import { clock, finish, tickets, wakeOne } from './fragments.ts';

/** Messages that may have been delivered and not yet taken out: those a courier looks at together. */
export const MESSAGES_A_CALL = 20;
/** Most pieces in a call. */
export const PIECES_A_CALL = 1_000;

/** What is done about one piece of a flow: its kind, its node, a text. */
export type Piece =
  /** This step is to run again; the text is the node that follows it. */
  | ['again', step: string, next: string]
  /** This step failed only because that one did. */
  | ['step', step: string, origin: string]
  /** This group was given up, or may have been: its size and what follows it. Or, as `<group>/`, its first steps. */
  | ['group', group: string, entry: string]
  /** The last step of a member, and its place in its group. */
  | ['member', step: string, place: string]
  /** A group without members, whose turn had come. */
  | ['begin', group: string, text: ''];

/**
 * Moves: failed -> waiting, for steps that failed only because another did, which is to be retried next; and groups get back
 * what they had: their entry, and the results of members that have ended. Up to 1,000 pieces.
 * Refuses when: flows have work to do yet (`busy`; each call does a part of it), or the failure of one of `origins` is on its
 * way to another queue (`carried`); when a step that is to run again hasn't failed (`over`).
 * Called by: `Queue.retry`, `Queue.retryAll`, part by part in the order in which a failure goes.
 * If we crash: the step to run again stands in `building`, as `revive <step> <node>`. If it isn't retried in time, the
 * pruner lets the node fail as it had; that reaches all that was revived, for they lie one behind the other.
 */
export const reviveScript = defineScript({
  name: 'revive',
  keys: ['building'],
  args: ['origins'],
  numbers: [],
  uses: [clock, wakeOne, tickets, finish, flowing],
  lua: `
openFlows()
goOn()
if redis.call('EXISTS', flowing) == 1 then return 'busy' end
for _, message in ipairs(redis.call('LRANGE', outbox, 0, ${MESSAGES_A_CALL - 1})) do
  local origin = string.match(message, '^fail [^|]+|%S+ (%S+)')
  if origin and string.find(' ' .. origins .. ' ', ' ' .. origin .. ' ', 1, true) then return 'carried' end
end
local revive = {
  again = function(step, node)
    if not redis.call('ZSCORE', failed, step) and not redis.call('ZSCORE', cancelled, step) then return false end
    redis.call('ZADD', building, text(now + ${BUILDING_MS}), 'revive ' .. step .. ' ' .. node)
    return true
  end,
  step = function(step, origin)
    local outcome = redis.call('HGET', outcomes, step) or ''
    if string.match(outcome, ',"step":"(%S+)"}$') ~= origin or redis.call('ZREM', failed, step) == 0 then return end
    redis.call('HDEL', outcomes, step)
    redis.call('ZADD', waiting, stamp, step)
  end,
  group = function(group, entry)
    redis.call('HSETNX', flows, group, entry)
  end,
  -- Its end is told once more, as if it came only now.
  member = function(step, place)
    local outcome = redis.call('HGET', outcomes, step)
    if outcome then return settle(step, outcome, place) end
    if redis.call('HEXISTS', jobs, step) == 1 then return end
    follow('fail', place, step .. ' {"name":"BadRecordError","message":"the result of this step is kept no more"}')
  end,
  begin = function(group) follow('go', group) end,
}
for i = REST, #ARGV, 3 do
  if revive[ARGV[i]](ARGV[i + 1], ARGV[i + 2]) == false then return 'over' end
end
goOn()
return 'revived'`,
});
