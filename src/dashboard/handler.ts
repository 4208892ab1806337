/** Finds what a request is for, and whether it may have it. */
import { act } from './actions.ts';
import {
  readJson,
  Refusal,
  send,
  sendError,
  sendJson,
  type Request,
  type Response,
} from './answer.ts';
import { Assets, PAGE } from './assets.ts';
import { redactor } from './excerpt.ts';
import { admit, checkOrigin, login } from './guard.ts';
import { Kinds } from './kinds.ts';
import { METRICS_TYPE } from '../views/metrics.ts';
import { metricsText } from './metrics.ts';
import { Queues } from './queues.ts';
import { Reads } from './reads.ts';
import { REPLIES, type Source } from './replies.ts';
import { checkSettings, type DashboardOptions, type Settings } from './settings.ts';

/** Answers requests; made by `dashboard`. */
export interface Dashboard {
  /** Never rejects: what goes wrong is answered. */
  (request: Request, response: Response): Promise<void>;
  /** Closes its connections to Redis. */
  close(): Promise<void>;
}

/**
 * The dashboard as a handler for a Node server: `createServer(dashboard())`, or mounted under a path.
 * @throws {InvalidArgumentError} naming the option, the value and the mend
 * @throws {MinqError} `PAGES_MISSING` in a bundle, where minq isn't installed beside it
 */
export function dashboard(options: DashboardOptions = {}): Dashboard {
  const settings = checkSettings(options);
  const queues = new Queues(settings);
  const { redact, readOnly = false } = settings;
  const site = {
    settings,
    queues,
    kinds: new Kinds(),
    redact: redactor(redact),
    readOnly,
    assets: new Assets(),
    reads: new Reads(),
  };
  const handler = async (request: Request, response: Response): Promise<void> => {
    try {
      await answer(request, response, site);
    } catch (error) {
      sendError(response, error);
    }
  };
  return Object.assign(handler, { close: () => queues.close() });
}

interface Site extends Source {
  reads: Reads;
  assets: Assets;
  settings: Settings;
}

async function answer(request: Request, response: Response, site: Site): Promise<void> {
  const place = placeOf(request, site.settings.basePath);
  const isLogin = place?.path === 'api/login';
  await admit(request, site.settings, place !== undefined && (isLogin || isPage(place.path)));
  if (!place) throw new Refusal(404, 'there is nothing here');
  const { path, query, root } = place;
  if (isLogin || path === 'api/action') {
    allow(request, ['POST']);
    checkOrigin(request, site.settings.allowedHosts);
    if (isLogin) {
      const cookie = login(request, await readJson(request), site.settings);
      return sendJson(response, {}, 200, { 'Set-Cookie': cookie });
    }
    if (site.readOnly) throw new Refusal(403, 'this dashboard is read-only');
    const done = await act(site, await readJson(request));
    site.reads.forget();
    site.kinds.forget();
    return sendJson(response, done);
  }
  allow(request, ['GET', 'HEAD']);
  // What the page loads, it asks for beside itself: that needs the slash at the end.
  if (root !== undefined) {
    return send(response, 302, { Location: `./${root}/${query && `?${query}`}` });
  }
  if (path === 'metrics') {
    const text = await metricsText(await site.queues.all());
    return send(response, 200, { 'Content-Type': METRICS_TYPE }, text);
  }
  const [, name] = /^api\/(.*)$/s.exec(path) ?? [];
  if (name === undefined) return site.assets.send(request, response, path || PAGE);
  const reply = Object.hasOwn(REPLIES, name) ? REPLIES[name] : undefined;
  if (!reply) throw new Refusal(404, 'there is nothing here');
  const read = () => reply(site, new URLSearchParams(query));
  return sendJson(response, await site.reads.share(`${name}?${query}`, read));
}

/** A file of the pages, if there is one of this name. */
const isPage = (path: string): boolean => path !== 'metrics' && !path.startsWith('api/');

function allow({ method = '' }: Request, methods: string[]): void {
  if (methods.includes(method)) return;
  throw new Refusal(405, `${method} is not allowed here`, { Allow: methods.join(', ') });
}

/** The part of the path that is ours; `root`: the last name before it, where it was asked for without the slash. */
function placeOf(
  request: Request,
  basePath: string | undefined,
): { path: string; query: string; root?: string } | undefined {
  const { url = '/', originalUrl = url, baseUrl = '' } = request;
  const [whole = '', ...query] = originalUrl.split('?');
  const base = basePath ?? baseUrl;
  const place = { path: whole.slice(base.length + 1), query: query.join('?') };
  if (base !== '' && whole === base) {
    return { ...place, path: '', root: base.slice(base.lastIndexOf('/') + 1) };
  }
  return whole.startsWith(`${base}/`) ? place : undefined;
}
