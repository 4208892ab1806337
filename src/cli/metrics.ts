/**
 * `minq worker --metrics-port`: what a process tells Prometheus of itself. The names are others than those of the
 * dashboard's `metrics`, which tell of queues: who scrapes both counts nothing twice.
 */
import { createServer, type Server } from 'node:http';
import { MinqError } from '../job/errors.ts';
import type { Logger } from '../job/log.ts';
import { METRICS_TYPE, MetricsPage, type Metric } from '../views/metrics.ts';
import { VERSION } from '../job/version.ts';
import type { WorkerFacts } from '../worker/facts.ts';

export interface MetricsAddress {
  host: string;
  port: number;
}

const metric = (type: Metric['type'], name: string, help: string): Metric => ({ name, type, help });

const BUILD = metric('gauge', 'minq_build_info', 'Version of minq that answers; always 1.');
const START = metric('gauge', 'process_start_time_seconds', 'When the process started.');
const CPU = metric('counter', 'process_cpu_seconds_total', 'CPU time, of the user and the system.');
const RSS = metric('gauge', 'process_resident_memory_bytes', 'Memory of the process.');
const HEAP = metric('gauge', 'process_heap_bytes', 'JavaScript heap in use.');
const DELAY = metric(
  'histogram',
  'minq_process_event_loop_delay_seconds',
  'How late timers were, looked at 20 times a second.',
);
const BLOCKS = metric(
  'counter',
  'minq_process_event_loop_blocks_total',
  'How often the event loop was blocked for half a second or more.',
);
const BLOCKED = metric(
  'counter',
  'minq_process_event_loop_blocked_seconds_total',
  'How long the event loop was blocked, counting half a second or more.',
);
const CONNECTED = metric(
  'gauge',
  'minq_process_redis_connected',
  'Whether Redis can be called now.',
);
const SLOTS = metric('gauge', 'minq_process_slots', 'Jobs the process runs at once.');
const BUSY = metric('gauge', 'minq_process_slots_busy', 'Slots that are taken.');
const LEASES = metric(
  'counter',
  'minq_process_leases_lost_total',
  'Runs whose lease was lost: another worker may have run the job too.',
);
const RUNS = metric('counter', 'minq_process_runs_total', 'Runs of a function, by how they ended.');
const WAIT = metric(
  'histogram',
  'minq_process_job_wait_seconds',
  'How long jobs waited from due to their first run.',
);
const RUN = metric('histogram', 'minq_process_job_run_seconds', 'How long runs took.');

/** @param workers of this process, differing in queue */
export function processMetrics(workers: readonly WorkerFacts[]): string {
  const page = new MetricsPage();
  page.add(BUILD, { version: VERSION }, 1);
  page.add(START, {}, Math.round(performance.timeOrigin) / 1_000);
  const { user, system } = process.cpuUsage();
  page.add(CPU, {}, (user + system) / 1e6);
  const { rss, heapUsed } = process.memoryUsage();
  page.add(RSS, {}, rss);
  page.add(HEAP, {}, heapUsed);
  const [first] = workers; // they share the loop: one that looks at it is enough
  if (first) {
    page.add(DELAY, {}, first.loopDelay);
    page.add(BLOCKS, {}, first.blocked.times);
    page.add(BLOCKED, {}, first.blocked.ms / 1_000);
  }
  for (const { queue, ...facts } of workers) {
    page.add(CONNECTED, { queue }, facts.connected ? 1 : 0);
    page.add(SLOTS, { queue }, facts.slots);
    page.add(BUSY, { queue }, facts.busy);
    page.add(LEASES, { queue }, facts.leasesLost);
    for (const { fn, wait, run, ...ended } of facts.functions) {
      const labels = { queue, function: fn };
      for (const outcome of ['completed', 'failed', 'retried'] as const) {
        page.add(RUNS, { ...labels, outcome }, ended[outcome]);
      }
      page.add(WAIT, labels, wait);
      page.add(RUN, labels, run);
    }
  }
  return page.toString();
}

/**
 * Answers `GET /metrics`. Never keeps the process.
 * @throws {MinqError} `METRICS_PORT` when it can't listen there
 */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  text: () => string,
  logger: Logger,
): Promise<{ close(): void }> {
  const server = createServer((request, response) => {
    const known = request.url?.split('?', 1)[0] === '/metrics';
    const read = request.method === 'GET' || request.method === 'HEAD';
    if (known && read) return void response.setHeader('Content-Type', METRICS_TYPE).end(text());
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    if (known) response.setHeader('Allow', 'GET, HEAD');
    response.writeHead(known ? 405 : 404).end(known ? 'GET only\n' : 'see /metrics\n');
  });
  await listen(server, host, port);
  server.unref();
  const name = host.includes(':') ? `[${host}]` : host;
  logger.info(`metrics at http://${name}:${port}/metrics`);
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE'
          ? `port ${port} of ${host} is taken; give another with --metrics-port`
          : `can't listen on port ${port} of ${host}: ${message}`;
      reject(new MinqError('METRICS_PORT', `metrics: ${why}`));
    });
    server.listen(port, host, resolve);
  });
}
