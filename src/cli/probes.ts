/**
 * What a worker process answers to whoever watches it: `/metrics` to Prometheus; `/healthz` and `/readyz` to probes of a service
 * manager or a load balancer. That the first answers at all says that the event loop turns: Redis being away is no reason to
 * start the process again. The second asks each worker.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { Logger } from '../job/log.ts';
import { METRICS_TYPE } from '../views/metrics.ts';
import type { Worker } from '../worker/worker.ts';
import { listen, shut, urlOf, type Address } from './listen.ts';
import { processMetrics } from './metrics.ts';

const PLAIN = 'text/plain; charset=utf-8';

/** Where it listens: `--metrics-port` has all, `--health-port` the probes. */
export type Probing = 'metrics' | 'health';

type Answer = (workers: readonly Worker[]) => Promise<[status: number, type: string, body: string]>;

const PROBES: Record<string, Answer> = {
  '/healthz': async () => [200, PLAIN, 'ok\n'],
  '/readyz': async (workers) => {
    const states = await Promise.all(workers.map((worker) => worker.readiness()));
    const bad = states.flatMap((state, i) =>
      state === 'ready' ? [] : [`queue ${workers[i]!.facts().queue}: ${state}\n`],
    );
    return bad.length > 0 ? [503, PLAIN, bad.join('')] : [200, PLAIN, 'ok\n'];
  },
};

const PATHS: Record<Probing, Record<string, Answer>> = {
  health: PROBES,
  metrics: {
    ...PROBES,
    '/metrics': async (workers) => [
      200,
      METRICS_TYPE,
      processMetrics(workers.map((worker) => worker.facts())),
    ],
  },
};

/**
 * Never keeps the process.
 * @throws {MinqError} when it can't listen there
 */
export async function serveProbes(
  what: Probing,
  at: Address,
  workers: readonly Worker[],
  logger: Logger,
): Promise<{ close(): void }> {
  const paths = PATHS[what];
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const answer = Object.hasOwn(paths, path) ? paths[path] : undefined;
    const read = request.method === 'GET' || request.method === 'HEAD';
    if (!answer) return reply(response, 404, PLAIN, `see ${Object.keys(paths).join(', ')}\n`);
    if (!read) {
      response.setHeader('Allow', 'GET, HEAD');
      return reply(response, 405, PLAIN, 'GET only\n');
    }
    void answer(workers).then((given) => reply(response, ...given));
  });
  await listen(server, at, `--${what}-port`, `${what}: `);
  server.unref();
  const [first] = Object.keys(paths).slice(-1) as [string];
  logger.info(`${what} at ${urlOf(at.host, at.port, first)}`);
  return { close: () => void shut(server) };
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type }).end(body);
}
