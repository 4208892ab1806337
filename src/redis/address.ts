/**
 * Where Redis is, in a text: one server, a cluster by some of its nodes, or a master by its sentinels.
 *
 *     redis://user:password@host:6379/0           rediss:// with TLS; unix://, or a path, for a socket
 *     redis+cluster://host1:6379,host2:6379       any of the nodes: they tell of the others
 *     redis+sentinel://host1:26379,host2/mymaster/0
 *
 * User and password of the latter two are those of Redis; with `rediss+` in front, all connections use TLS.
 */
import type { RedisOptions } from 'ioredis';
import { show } from '../job/refuse.ts';
import { InvalidArgumentError } from '../job/errors.ts';

export interface Host {
  readonly host: string;
  readonly port: number;
}

export type Address =
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'cluster'; readonly hosts: Host[]; readonly options: RedisOptions }
  | { readonly kind: 'sentinel'; readonly options: RedisOptions };

const PORTS = { cluster: 6_379, sentinel: 26_379 };

/** Scheme, whether TLS, of several hosts; user and password; hosts; what follows them. */
const OF_SEVERAL = /^redis(s?)\+(cluster|sentinel):\/\/(?:([^/]*)@)?([^/?#]*)\/?([^?#]*)(.*)$/s;

/** @throws {InvalidArgumentError} which shows no password */
export function parseAddress(text: string): Address {
  const [, tls, kind, login, list = '', rest = '', extra] = OF_SEVERAL.exec(text) ?? [];
  if (kind === undefined) {
    if (/^(rediss?|unix):\/\/|^\//.test(text)) {
      if (/^rediss?:/.test(text) && !isReadable(text))
        throw unusable(text, `can't be read; ${ENCODED}`);
      if (!/^\d*$/.test(databaseOf(text))) {
        throw unusable(
          text,
          "has a database that is no number; give e.g. 'redis://127.0.0.1:6379/0'",
        );
      }
      return { kind: 'server', url: text };
    }
    throw unusable(text, "is no Redis URL; give e.g. 'redis://127.0.0.1:6379'");
  }
  const hosts = list.split(',').map((each) => parseHost(each, PORTS[kind as keyof typeof PORTS]));
  const account = parseLogin(login);
  if (!account || hosts.some((host) => !host)) {
    throw unusable(text, `is no address; give e.g. ${EXAMPLES[kind as keyof typeof EXAMPLES]}`);
  }
  if (extra) throw unusable(text, 'has options, which only the URL of a single server can have');
  const options = { ...account, ...(tls && { tls: {} }) };
  if (kind === 'cluster') {
    if (rest) throw unusable(text, 'names a database; a cluster has only one');
    return { kind, hosts: hosts as Host[], options };
  }
  const [name = '', db = '0', ...more] = rest.split('/');
  if (!name || !/^\d+$/.test(db) || more.length > 0) {
    throw unusable(text, `doesn't name the master; give e.g. ${EXAMPLES.sentinel}`);
  }
  const secure = tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {};
  const sentinels = hosts as Host[];
  return { kind: 'sentinel', options: { ...options, ...secure, sentinels, name, db: Number(db) } };
}

const ENCODED = 'in a password, % @ / : ? # are written %25 %40 %2F %3A %3F %23';

/** Behind a host come neither a fragment nor an option with an `@` in its name: these are of a password that isn't encoded. */
function isReadable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { hash, searchParams } = new URL(text);
  return hash === '' && ![...searchParams.keys()].some((name) => name.includes('@'));
}

/** ioredis would write to database 0 when Redis refuses this one. Empty where there is none, or no URL. */
function databaseOf(text: string): string {
  if (!URL.canParse(text, 'unix:///')) return '';
  const { protocol, pathname, searchParams } = new URL(text, 'unix:///');
  const inPath = protocol === 'unix:' ? '' : pathname.slice(1);
  return inPath || (searchParams.get('db') ?? '');
}

const EXAMPLES = {
  cluster: "'redis+cluster://host1:6379,host2:6379'",
  sentinel: "'redis+sentinel://host1:26379,host2:26379/mymaster'",
};

function parseHost(text: string, port: number): Host | undefined {
  try {
    const url = new URL(`redis://${text}`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return host && url.pathname === '' ? { host, port: Number(url.port || port) } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined where it isn't encoded as in a URL */
function parseLogin(text = ''): { username?: string; password?: string } | undefined {
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
  try {
    return {
      ...(user && { username: decodeURIComponent(user) }),
      ...(password && { password: decodeURIComponent(password) }),
    };
  } catch {
    return undefined;
  }
}

/** A password may stand anywhere in a text that is wrong: of it only the scheme is shown, and host and port where they are sure. */
export const unusable = (text: string, why: string) =>
  new InvalidArgumentError(`redis: ${shown(text)} ${why}`);

function shown(text: string): string {
  const scheme = /^[a-z][a-z0-9+]{0,20}:\/\//i.exec(text)?.[0];
  if (scheme === undefined) return 'the text given';
  return show(hostIsSure(text) ? scheme + new URL(text).host : `${scheme}...`);
}

/** A login that isn't encoded looks like a host, or a port, and its rest like what follows those. */
function hostIsSure(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { pathname, search, hash } = new URL(text);
  return hash === '' && !/[@,]/.test(pathname + search);
}
