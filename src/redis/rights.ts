/**
 * Whether the user of Redis has the rights that a worker needs. Asked before its first script runs: one that is refused
 * a command midway leaves half of its work behind, for Redis takes nothing back.
 */
import type { Connection } from './connection.ts';
import { RedisCommandError } from '../job/errors.ts';
import { commandsOfScripts } from './script.ts';

/**
 * Each command is tried with as many arguments as it wants, in a script that may not write: Redis looks at the rights
 * first, and at that afterwards.
 */
const TRY_ALL = `#!lua flags=no-writes
local refused = {}
for _, command in ipairs(ARGV) do
  local args, trouble = {}, nil
  repeat
    local reply = redis.pcall(command, unpack(args))
    trouble = type(reply) == 'table' and reply.err or ''
    args[#args + 1] = KEYS[1]
  until #args > 5 or not string.find(trouble, 'Wrong number of args')
  if string.find(trouble, 'user executing the script') or string.find(trouble, 'ACL failure') then
    refused[#refused + 1] = string.lower(command)
  end
end
return refused`;

/**
 * @param key any of the queue's
 * @throws {RedisCommandError} naming the commands; before Redis 7, which can't be asked, they show one by one
 */
export async function checkRights(connection: Connection, key: string): Promise<void> {
  // What is sent beside the scripts is among them; `subscribe` shows when it is done, on a connection of its own.
  const commands = [...commandsOfScripts];
  const refused = (await connection
    .call((client) => client.eval(TRY_ALL, 1, key, ...commands))
    .catch((error: unknown) => {
      if (error instanceof RedisCommandError && !isDenied(error)) return []; // no such header
      throw error;
    })) as string[];
  // A timeout that is no number: allowed, it ends with that.
  await connection
    .call((client) => client.blpop(key, 'none'))
    .catch((error: unknown) => {
      if (!(error instanceof RedisCommandError)) throw error;
      if (isDenied(error)) refused.push('blpop');
    });
  if (refused.length > 0) {
    throw new RedisCommandError(
      `Redis refused: NOPERM: its user lacks ${refused.map((name) => `+${name}`).join(' ')}`,
    );
  }
}

/** A right is missing: to try again would not help. */
export const isDenied = (error: unknown): error is RedisCommandError =>
  error instanceof RedisCommandError && error.message.includes('NOPERM');
