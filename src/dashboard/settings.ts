/** Options of the dashboard: their meaning, and their check. */
import { isIPv6 } from 'node:net';
import type { RedisSource } from '../redis/client.ts';
import type { JobInfo } from '../views/inspector.ts';
import { checkName } from '../job/names.ts';
import { check, flag, func, type Check } from '../job/checks.ts';
import { refuse } from '../job/refuse.ts';
import type { Request } from './answer.ts';

/** Options of `dashboard()`; each has a default. */
export interface DashboardOptions {
  /** Queues to show. Default: `default`, and all that are used. */
  queues?: string[];
  /** Default: `MINQ_REDIS_URL`, then `REDIS_URL`, then `redis://127.0.0.1:6379`. A client is duplicated, never closed. */
  redis?: RedisSource;
  /** First part of every key. Default `minq`. */
  prefix?: string;
  /**
   * Wanted of everybody, 16 characters or more: as `Authorization: Bearer <token>`, or as the password a browser asks
   * for (any user name will do).
   */
  token?: string;
  /** Who may come in, decided by your own code for each request; an exception counts as no. Instead of `token`. */
  auth?: (request: Request) => boolean | Promise<boolean>;
  /**
   * Names under which the dashboard may be asked for besides localhost, e.g. `admin.example.com`, with any port unless
   * one is given. Keeps out pages that point a name of their own at your address (DNS rebinding). Behind a proxy that asks by
   * a name of its own, the public one as browsers have it, with its port if that shows in the address: else actions are refused.
   */
  allowedHosts?: string[];
  /** Show everything, change nothing. */
  readOnly?: boolean;
  /**
   * Gives the job as it may be shown: what it takes out (of `args`, `result`, `error`, `progress`, `meta`, `attempts`, `log`)
   * never leaves the server. If it throws, all of these are withheld. The arguments of a cron entry pass through it as
   * those of a job with the id `cron:<name>`. A search by error text looks at the jobs as they are stored: who searches
   * can find out whether a text is in an error that this hides.
   */
  redact?: (job: JobInfo) => JobInfo;
  /** Where it is mounted, e.g. `/minq`, if the server doesn't take that off the path (Express does, others don't). */
  basePath?: string;
}

export type Settings = Omit<DashboardOptions, 'allowedHosts'> & { allowedHosts: HostName[] };

/** Name in lower case; port only where it matters. */
export interface HostName {
  name: string;
  port?: string | undefined;
}

/** Shorter ones can be guessed. */
const SHORTEST_TOKEN = 16;

/** `localhost:5555`, `[::1]`, ...: what may stand in a `Host` header. */
export function parseHost(text: string): HostName | undefined {
  const [, name, address, port] =
    /^(?:([a-z0-9._-]{1,253})|\[([0-9a-f:.]{2,45})\])(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (name === undefined && !isIPv6(address ?? '')) return undefined;
  return { name: (name ?? `[${address}]`).toLowerCase(), port };
}

const listOf =
  <T>(one: Check<T>): Check<T[]> =>
  (value, name) =>
    Array.isArray(value)
      ? value.map((item, i) => one(item, `${name}[${i}]`))
      : refuse(name, value, 'give an array');

const hostName: Check<HostName> = (value, name) =>
  (typeof value === 'string' ? parseHost(value) : undefined) ??
  refuse(name, value, "give the name a browser asks for, e.g. 'admin.example.com'");

/** Not shown: it may be the beginning of the right one. */
const token: Check<string> = (value, name) => {
  if (typeof value !== 'string') return refuse(name, typeof value, 'give a text');
  if (value.length >= SHORTEST_TOKEN) return value;
  const shown = `*** (${value.length} characters)`;
  return refuse(name, shown, `give at least ${SHORTEST_TOKEN} characters`);
};

const settingChecks = {
  queues: ((value, name) => {
    const names = listOf(checkName)(value, name);
    return names.length > 0
      ? [...new Set(names)]
      : refuse(name, value, 'name at least one, or none');
  }) as Check<string[]>,
  redis: ((value) => value) as Check<RedisSource>,
  prefix: checkName as Check<string>,
  token,
  auth: func<NonNullable<DashboardOptions['auth']>>(),
  allowedHosts: listOf(hostName),
  readOnly: flag,
  redact: func<NonNullable<DashboardOptions['redact']>>(),
  basePath: ((value, name) =>
    typeof value === 'string' && /^(\/[\w.~-]+)*\/?$/.test(value)
      ? value.replace(/\/$/, '')
      : refuse(name, value, "give a path such as '/minq'")) as Check<string>,
};

/** @throws {InvalidArgumentError} naming the option, the value and the mend */
export function checkSettings(value: unknown): Settings {
  const { allowedHosts = [], ...settings } = check(settingChecks, value, 'options');
  // Most likely a variable that isn't set: whoever gives a token wants one to be asked for.
  if (settings.token === undefined && Object.hasOwn(Object(value), 'token')) {
    refuse('token', undefined, 'set it, or leave the option out where nobody needs one');
  }
  if (settings.token !== undefined && settings.auth !== undefined) {
    refuse('auth', settings.auth, "give either 'auth' or 'token', not both");
  }
  return { ...settings, allowedHosts };
}
