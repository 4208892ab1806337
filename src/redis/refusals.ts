/** What ioredis, Node or Redis say went wrong, as one of minq's errors. */
import {
  MinqError,
  RedisCommandError,
  RedisOutOfMemoryError,
  RedisUnavailableError,
} from '../job/errors.ts';
import type { Script, ScriptText } from './script.ts';

/** Words Redis begins an error with when the same call may succeed a moment later. */
const TRANSIENT =
  /^(READONLY|LOADING|MASTERDOWN|NOREPLICAS|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b|^Too many Cluster redirections|^Connection is closed/;
const FATAL_AT_CONNECT =
  /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|without any password configured/i;

/** A right that a script lacked: Redis 7.0 says in which line, and not to what. */
export function named(error: unknown, script: Script, { source }: ScriptText): unknown {
  if (!isRefusal(error, /user executing the script|ACL failure/)) return error;
  const { message } = error as RedisCommandError;
  const line = source.split('\n')[Number(/user_script:(\d+)/.exec(message)?.[1]) - 1] ?? '';
  const commands = [...line.matchAll(/redis\.call\('([A-Z]+)'/g)].map((match) => match[1]!);
  const what = commands.length > 0 ? commands.join(' or ').toLowerCase() : message;
  return new RedisCommandError(`Redis refused: NOPERM: script ${script.name} may not run ${what}`);
}

export const isRefusal = (error: unknown, words: RegExp) =>
  error instanceof RedisCommandError && words.test(error.message);

type RedisError = Error & { code?: string; errors?: Error[]; lastNodeError?: Error };

/** An ioredis error as one of minq's: its first words only, for the rest may quote arguments or the password. */
export function typedError(error: RedisError, sent: boolean): MinqError {
  if (error instanceof MinqError) return error;
  if (error.lastNodeError) return typedError(error.lastNodeError, sent); // no node of a cluster was of use
  const message = inPlainWords(
    (error.message || error.errors?.[0]?.message || error.code || error.name)
      .replace(/,? with args beginning with.*$/s, '')
      .replace(/\/\/[^@/\s]*@/g, '//***@')
      .slice(0, 300),
  );
  if (/^OOM\b/.test(message) || /-OOM\b|command not allowed when used memory/.test(message)) {
    return new RedisOutOfMemoryError();
  }
  if (TRANSIENT.test(message)) {
    return new RedisUnavailableError(`Redis: ${message}`, {
      // The tries of a cluster may have been broken off, whatever the last one ended with.
      maybeEnqueued: sent && /^(Connection is closed|Too many)/.test(message),
    });
  }
  if (error.name === 'ReplyError' || FATAL_AT_CONNECT.test(message)) {
    return new RedisCommandError(`Redis refused: ${message}`);
  }
  return new RedisUnavailableError(`connection: ${message}`, { maybeEnqueued: sent });
}

/** What ioredis, Node or OpenSSL say in a way that helps nobody. */
function inPlainWords(message: string): string {
  if (/^(MOVED|ASK) /.test(message)) {
    return "this is a node of a cluster; give it as 'redis+cluster://host:port', or as an ioredis Cluster";
  }
  if (/wrong version number|packet length too long/.test(message)) {
    return 'the server speaks no TLS there; give redis:// instead of rediss://, or the port for TLS';
  }
  // Else it says in how many ms it tries again, each time another number.
  if (message.startsWith('All sentinels are unreachable')) {
    if (/ERR No such master/.test(message)) return 'no sentinel knows a master of this name';
    return 'no sentinel can be reached';
  }
  return message;
}
