/** `minq dev <file>`: everything one needs to try jobs out, in one command. */
import { jobsPath } from '../worker/load.ts';
import { MinqError } from '../job/errors.ts';
import { lineLogger, type Logger } from '../job/log.ts';
import type { Command } from './command.ts';
import { DASHBOARD_PORT, openSite } from './dashboard.ts';
import { answers, startLocalRedis, type LocalRedis } from './local-redis.ts';
import type { DashboardOptions } from '../dashboard/index.ts';
import { insideSupervisor } from './process.ts';
import { settingsOf } from './settings.ts';
import { runWorker } from './worker.ts';

const DEFAULT_PORT = 6379;
/** So many ports are tried for the dashboard. */
const PORTS = 20;

export const dev: Command = {
  help: `Usage: minq dev [<file>...] [options]

A worker that starts again when a file changes, and the dashboard on port ${DASHBOARD_PORT}, or the next one that is
free. Uses the Redis of the config file, of MINQ_REDIS_URL or REDIS_URL, else that on port ${DEFAULT_PORT}, else starts one
there that forgets everything when it stops.

  --queue name[=n]   as for worker
  --concurrency n    as for worker
  --no-dashboard     the worker only
  --json             log in JSON, a line each
  --verbose          log more
`,
  words: [0, 1_000],
  async run(given) {
    if (insideSupervisor()) return runWorker(given, true);
    const { redis, prefix, jobs } = await settingsOf(given);
    // No Redis for a file that isn't there.
    (given.words.length > 0 ? given.words : jobs).map(jobsPath);
    const logger = lineLogger({ json: given.json });
    let local: LocalRedis | undefined;
    let site: Awaited<ReturnType<typeof startDashboard>>;
    const told = redis ?? process.env['MINQ_REDIS_URL'] ?? process.env['REDIS_URL'];
    if (told === undefined && !(await answers(DEFAULT_PORT))) {
      local = await startLocalRedis(DEFAULT_PORT);
      logger.info(`started ${local.what} on ${local.url}; it forgets everything when it stops`);
    }
    try {
      if (!given.has('no-dashboard'))
        site = await startDashboard({ redis, prefix } as DashboardOptions, logger);
      return await runWorker(given, true);
    } finally {
      await site?.close();
      local?.stop();
    }
  },
};

/** On the first port that is free: another project's may be open too. */
async function startDashboard(options: DashboardOptions, logger: Logger) {
  for (let port = DASHBOARD_PORT; port < DASHBOARD_PORT + PORTS; port++) {
    try {
      const site = await openSite(options, { port, host: '127.0.0.1' });
      logger.info(`dashboard on ${site.url}`);
      return site;
    } catch (error) {
      if (!(error instanceof MinqError && error.code === 'PORT_TAKEN')) throw error;
    }
  }
  logger.warn(`no dashboard: ports ${DASHBOARD_PORT} to ${DASHBOARD_PORT + PORTS - 1} are taken`);
  return undefined;
}
