/** What is to be known of a Redis server before it is trusted with jobs. */
import type { Connection } from './connection.ts';
import { RedisCommandError } from '../job/errors.ts';

/** What the server says of itself; undefined where it doesn't say, or we have no right to ask. */
export interface ServerFacts {
  version: string | undefined;
  /** What it does when its memory is full: `maxmemory-policy`. */
  policy: string | undefined;
  /** Whether every write is logged. */
  aof: boolean | undefined;
  /** When snapshots are saved, e.g. `3600 1 300 100`; empty: never. */
  save: string | undefined;
}

export interface Finding {
  /** What was looked at, in a word. */
  check: string;
  ok: boolean;
  message: string;
  mend?: string;
}

export async function readServer(connection: Connection): Promise<ServerFacts> {
  const info = await ifAllowed(connection.call((client) => client.info()));
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info ?? '')?.[1];
  const aof = field('aof_enabled');
  return {
    version: field('redis_version'),
    policy: field('maxmemory_policy'),
    aof: aof === undefined ? undefined : aof === '1',
    save: undefined,
  };
}

/** The same, and what only `CONFIG GET` tells. */
export async function readServerFully(connection: Connection): Promise<ServerFacts> {
  const facts = await readServer(connection);
  const config = await ifAllowed(connection.call((client) => client.config('GET', 'save')));
  return { ...facts, save: (config as string[] | undefined)?.[1] };
}

/** A user without the right to a command, or a server that hides it: then it isn't known. */
async function ifAllowed<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    const refused =
      error instanceof RedisCommandError &&
      /NOPERM|unknown (sub)?command|not allowed/i.test(error.message);
    if (refused) return undefined;
    throw error;
  }
}

const unknown = (check: string, what: string): Finding => ({
  check,
  ok: true,
  message: `not known: the server doesn't tell ${what}`,
});

export function checkVersion({ version }: ServerFacts): Finding {
  if (version === undefined) return unknown('version', 'its version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 6 || (major === 6 && minor < 2)
    ? {
        check: 'version',
        ok: false,
        message: `Redis ${version} is too old`,
        mend: 'minq needs 6.2 or later',
      }
    : { check: 'version', ok: true, message: `Redis ${version}` };
}

export function checkEviction({ policy }: ServerFacts): Finding {
  if (policy === undefined) return unknown('eviction', 'its maxmemory-policy');
  return policy === 'noeviction'
    ? { check: 'eviction', ok: true, message: 'maxmemory-policy is noeviction' }
    : {
        check: 'eviction',
        ok: false,
        message: `Redis may evict jobs: maxmemory-policy is ${policy}`,
        mend: 'set it to noeviction',
      };
}

export function checkPersistence({ aof, save }: ServerFacts): Finding {
  const check = 'persistence';
  if (aof) return { check, ok: true, message: 'every write is logged (appendonly yes)' };
  if (save) return { check, ok: true, message: `snapshots are saved (save ${save})` };
  if (aof === undefined || save === undefined) return unknown(check, 'whether it persists');
  return {
    check,
    ok: false,
    message: 'Redis keeps jobs in memory only: a restart loses them',
    mend: 'set appendonly yes (CONFIG SET, and in redis.conf)',
  };
}

/**
 * What a worker wants to know when it starts.
 * @returns warnings for the log
 * @throws {RedisCommandError} when the server is too old
 */
export async function checkServer(connection: Connection): Promise<string[]> {
  const facts = await readServer(connection);
  const version = checkVersion(facts);
  if (!version.ok) throw new RedisCommandError(`${version.message}; ${version.mend}`);
  const eviction = checkEviction(facts);
  return eviction.ok ? [] : [`${eviction.message}; ${eviction.mend}`];
}
