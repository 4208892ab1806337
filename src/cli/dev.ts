/** `minq dev <file>`: everything one needs to try jobs out, in one command. */
import { jobsPath } from '../worker/load.ts';
import { MinqError } from '../job/errors.ts';
import { lineLogger, type Logger } from '../job/log.ts';
import type { Command } from './command.ts';
import { DASHBOARD_PORT, openSite } from './dashboard.ts';
import { answers, startLocalRedis, type LocalRedis } from './local-redis.ts';
import { insideSupervisor } from './process.ts';
import { runWorker } from './worker.ts';

const DEFAULT_PORT = 6379;
/** So many ports are tried for the dashboard. */
const PORTS = 20;

export const dev: Command = {
  help: `Usage: minq dev <file> [options]

A worker that starts again when a file changes, and the dashboard on port ${DASHBOARD_PORT}, or the next one that is
free. Uses MINQ_REDIS_URL or REDIS_URL, else the Redis on port ${DEFAULT_PORT}, else starts one there that forgets
everything when it stops.

  --queue name[=n]   as for worker
  --concurrency n    as for worker
  --no-dashboard     the worker only
  --json             log in JSON, a line each
  --verbose          log more
`,
  words: [1, 1],
  async run(given) {
    jobsPath(given.words[0]!); // no Redis for a file that isn't there
    if (insideSupervisor()) return runWorker(given, true);
    const logger = lineLogger({ json: given.json });
    let local: LocalRedis | undefined;
    let site: Awaited<ReturnType<typeof startDashboard>>;
    const url = process.env['MINQ_REDIS_URL'] ?? process.env['REDIS_URL'];
    if (url === undefined && !(await answers(DEFAULT_PORT))) {
      local = await startLocalRedis(DEFAULT_PORT);
      logger.info(`started ${local.what} on ${local.url}; it forgets everything when it stops`);
    }
    try {
      if (!given.has('no-dashboard')) site = await startDashboard(logger);
      return await runWorker(given, true);
    } finally {
      await site?.close();
      local?.stop();
    }
  },
};

/** On the first port that is free: another project's may be open too. */
async function startDashboard(logger: Logger) {
  for (let port = DASHBOARD_PORT; port < DASHBOARD_PORT + PORTS; port++) {
    try {
      const site = await openSite({}, { port, host: '127.0.0.1' });
      logger.info(`dashboard on ${site.url}`);
      return site;
    } catch (error) {
      if (!(error instanceof MinqError && error.code === 'PORT_TAKEN')) throw error;
    }
  }
  logger.warn(`no dashboard: ports ${DASHBOARD_PORT} to ${DASHBOARD_PORT + PORTS - 1} are taken`);
  return undefined;
}
