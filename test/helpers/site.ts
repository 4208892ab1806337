/** A dashboard behind a real server, and requests to it as only a forger would send them: every header is free. */
import { createServer, request, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboard, type DashboardOptions } from '../../src/dashboard/index.ts';
import type { Stage } from './setup.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  text: string;
  /** The body, where it is JSON. */
  json: any;
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Site {
  readonly port: number;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly ask: (path: string, how: Ask) => Promise<Answer>;
  /** As our page does it. */
  readonly act: (action: unknown, headers?: Record<string, string>) => Promise<Answer>;
}

/** What the page sends with an action. */
export const OURS = { 'Content-Type': 'application/json', 'X-Requested-With': 'minq' };

/** The handler itself, closed after the test. */
export function handlerOn(stage: Stage, options: DashboardOptions = {}) {
  const handler = dashboard({ redis: stage.redis.url, queues: [stage.name], ...options });
  stage.onEnd(() => handler.close());
  return handler;
}

/** Serves a dashboard of the test's queue until after the test. */
export async function site(
  stage: Stage,
  options: DashboardOptions = {},
  host = '127.0.0.1',
): Promise<Site> {
  const handler = handlerOn(stage, options);
  return serve(stage, (req, res) => void handler(req, res), host);
}

export async function serve(
  stage: Pick<Stage, 'onEnd'>,
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<Site> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  stage.onEnd(() => stop(server));
  return siteAt((server.address() as AddressInfo).port, host);
}

export async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** @param base where it is mounted */
export function siteAt(port: number, host = '127.0.0.1', base = ''): Site {
  const ask = (path: string, { method = 'GET', headers = {}, body }: Ask) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          port,
          host,
          method,
          path: `${base}/${path}`,
          agent: false,
          headers: { Host: `localhost:${port}`, ...headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const body = Buffer.concat(chunks);
            const text = body.toString();
            const isJson = String(response.headers['content-type']).startsWith('application/json');
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              body,
              text,
              json: isJson && text ? JSON.parse(text) : undefined,
            });
          });
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    port,
    ask,
    get: (path, headers = {}) => ask(path, { headers }),
    act: (action, headers = {}) =>
      ask('api/action', {
        method: 'POST',
        headers: { ...OURS, ...headers },
        body: JSON.stringify(action),
      }),
  };
}
