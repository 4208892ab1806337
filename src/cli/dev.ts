/** `minq dev <file>`: everything one needs to try jobs out, in one command. */
import { jobsPath } from '../load.ts';
import { lineLogger } from '../log.ts';
import type { Command } from './command.ts';
import { answers, startLocalRedis, type LocalRedis } from './local-redis.ts';
import { insideSupervisor } from './supervisor.ts';
import { worker } from './worker.ts';

const DEFAULT_PORT = 6379;

export const dev: Command = {
  help: `Usage: minq dev <file> [options]

A worker that starts again when a file changes. Uses MINQ_REDIS_URL or REDIS_URL, else the Redis on port
${DEFAULT_PORT}, else starts one there that forgets everything when it stops.

  --queue name[=n]   as for worker
  --concurrency n    as for worker
  --json             log in JSON, a line each
  --verbose          log more
`,
  options: { queue: { type: 'string', multiple: true }, concurrency: { type: 'string' } },
  positionals: [1, 1],
  async run(values, positionals) {
    jobsPath(positionals[0]!); // no Redis for a file that isn't there
    let local: LocalRedis | undefined;
    const given = process.env['MINQ_REDIS_URL'] ?? process.env['REDIS_URL'];
    if (given === undefined && !insideSupervisor() && !(await answers(DEFAULT_PORT))) {
      local = await startLocalRedis(DEFAULT_PORT);
      lineLogger({ json: values['json'] === true }).info(
        `started ${local.what} on ${local.url}; it forgets everything when it stops`,
      );
    }
    try {
      return await worker.run({ ...values, watch: true }, positionals);
    } finally {
      local?.stop();
    }
  },
};
