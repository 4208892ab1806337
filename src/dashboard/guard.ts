/**
 * Who is let in, and what may change anything. Every request passes `admit`, reads too: a page of another site can
 * make a browser send requests here, and by a name of its own that leads to our address read the answers.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal, type Request } from './answer.ts';
import { parseHost, type HostName, type Settings } from './settings.ts';

const LOCAL = ['localhost', '127.0.0.1', '[::1]'].map((name): HostName => ({ name }));

/**
 * @param page it is one of the files of the pages, which hold no secret: with a token, whoever has none sees where to give it
 * @throws {Refusal} saying why, and what to set
 */
export async function admit(request: Request, settings: Settings, page: boolean): Promise<void> {
  checkHost(request, settings.allowedHosts);
  if (settings.token !== undefined) return page ? undefined : checkToken(request, settings.token);
  if (settings.auth) return checkHook(request, settings.auth);
  if (!isLoopback(request.socket.localAddress)) {
    throw new Refusal(
      403,
      "the dashboard is asked from outside this machine: give it the option 'token' or 'auth'",
    );
  }
}

function checkHost(request: Request, allowed: HostName[]): void {
  const given = parseHost(request.headers.host ?? '');
  const known = [...LOCAL, ...allowed].some(
    ({ name, port }) => name === given?.name && (port === undefined || port === given.port),
  );
  if (!known) {
    const what = given ? `"${given.name}"` : 'what it says';
    throw new Refusal(
      403,
      `Host: ${what} is not allowed; set the option 'allowedHosts' (--allow-host) if it should be`,
    );
  }
}

function checkToken({ headers }: Request, token: string): void {
  const given = tokenIn(headers.authorization ?? '');
  if (given !== undefined && sameText(given, token)) return;
  const [, cookie] = COOKIE.exec(headers.cookie ?? '') ?? [];
  if (cookie !== undefined && sameText(cookie, sessionOf(token))) return;
  throw new Refusal(401, 'the token is missing or wrong', {
    // Our own page asks for the token itself; a browser that is told this would ask first.
    ...(headers['x-requested-with'] !== 'minq' && {
      'WWW-Authenticate': 'Basic realm="minq", charset="UTF-8"',
    }),
  });
}

const COOKIE = /(?:^|; *)minq_session=([\w-]{43})(?:;|$)/;
const SESSION_S = 30 * 24 * 3_600;

/** Made of the token, which it doesn't tell: a new token ends all sessions, and nothing is kept. */
const sessionOf = (token: string): string =>
  createHmac('sha256', token).update('minq dashboard session').digest('base64url');

/**
 * The cookie for who gives the token; one that ends it for who gives none. Scripts can't read it, other sites can't have it sent, and
 * without a path of its own it goes to `api/` only, under whatever path a proxy shows us.
 * @throws {Refusal} for a wrong one, and where there is none to give
 */
export function login(request: Request, body: unknown, { token }: Settings): string {
  const { token: given } = Object(body) as { token?: unknown };
  if (token === undefined) throw new Refusal(404, 'this dashboard asks for no token');
  const first = String(request.headers['x-forwarded-proto'] ?? '').split(',')[0];
  const encrypted = 'encrypted' in request.socket || first === 'https';
  const rules = `HttpOnly; SameSite=Strict${encrypted ? '; Secure' : ''}`;
  if (given === undefined) return `minq_session=; Max-Age=0; ${rules}`;
  if (typeof given !== 'string' || !sameText(given, token)) {
    throw new Refusal(401, 'this is not the token');
  }
  return `minq_session=${sessionOf(token)}; Max-Age=${SESSION_S}; ${rules}`;
}

/** After `Bearer`, or the password after `Basic`. */
function tokenIn(authorization: string): string | undefined {
  const [, scheme, value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  const text = Buffer.from(value, 'base64').toString();
  return text.includes(':') ? text.slice(text.indexOf(':') + 1) : undefined;
}

/** Takes as long for a text that is nearly right as for one that isn't; of hashes, for lengths must not tell either. */
function sameText(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

async function checkHook(request: Request, auth: NonNullable<Settings['auth']>): Promise<void> {
  let allowed: unknown;
  try {
    allowed = await auth(request);
  } catch {
    // Whoever can't be judged stays out.
  }
  if (allowed !== true) throw new Refusal(403, 'you are not allowed to see this');
}

/** Without an address (a Unix socket, a connection that is gone) nobody knows who asks. */
const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);

/**
 * For what changes something: only our own page can send such a request. Its own header and content type make any
 * other page ask first, by CORS, which is never answered; what browsers say of the origin is believed besides. It is ours if
 * it is what we were asked for, or one of those allowed: a proxy may ask for us by another name than the browser did.
 * @throws {Refusal}
 */
export function checkOrigin({ headers }: Request, allowed: readonly HostName[]): void {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new Refusal(403, 'Content-Type must be application/json');
  }
  if (headers['x-requested-with'] !== 'minq') {
    throw new Refusal(403, 'the header X-Requested-With: minq is missing');
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') {
    throw new Refusal(403, 'the request comes from another site');
  }
  const { origin, host = '' } = headers;
  if (origin === undefined) return;
  const from = hostOf(origin);
  if (from && [parseHost(host), ...allowed].some((each) => sameHost(from, each))) return;
  throw new Refusal(
    403,
    `the request comes from another origin, ${JSON.stringify(origin)}, than was asked for, ${JSON.stringify(host)}; a proxy in between should pass on the Host (nginx: proxy_set_header Host $http_host), or else name the public one in 'allowedHosts' (--allow-host)`,
  );
}

/** Whatever the scheme: behind a proxy that ends TLS it isn't ours. */
function hostOf(origin: string): HostName | undefined {
  const [, host] = /^https?:\/\/([^/]+)$/i.exec(origin) ?? [];
  return host === undefined ? undefined : parseHost(host);
}

const sameHost = (a: HostName, b: HostName | undefined): boolean =>
  a.name === b?.name && a.port === b.port;
