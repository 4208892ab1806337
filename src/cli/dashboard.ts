/** `minq dashboard`: the pages, on a port of their own. */
import { BlockList, isIP } from 'node:net';
import { lineLogger } from '../job/log.ts';
import { numberOption, type Command, type Values } from './command.ts';
import { DASHBOARD_PORT, openSite } from './site.ts';
import { UsageError } from './usage.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

export const dashboard: Command = {
  help: `Usage: minq dashboard [options]

Serves pages that show queues, jobs, workers and cron entries, live, and act on them.

  --port n           port (default ${DASHBOARD_PORT}; 0: a free one)
  --host address     address to listen on (default 127.0.0.1); another than this machine's own wants a token
  --queue name       a queue to show; may be repeated (default: all that workers have worked on)
  --token text       wanted of everybody, 16 characters or more; better as MINQ_DASHBOARD_TOKEN, which ps doesn't show
  --allow-host name  a name the pages may be asked for besides localhost; may be repeated
  --read-only        show everything, change nothing
  --json             print JSON: { url }

SIGTERM and SIGINT end it.
`,
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    queue: { type: 'string', multiple: true },
    token: { type: 'string' },
    'allow-host': { type: 'string', multiple: true },
    'read-only': { type: 'boolean' },
  },
  positionals: [0, 0],
  async run(values) {
    const host = (values['host'] as string | undefined) ?? '127.0.0.1';
    const port = numberOption(values, 'port') ?? DASHBOARD_PORT;
    if (port > 65_535) throw new UsageError('--port: give a number from 0 to 65535');
    const token = tokenOf(values);
    if (token === undefined && !isLoopback(host)) {
      throw new UsageError(
        `--host ${host}: others can reach it there; give a token (MINQ_DASHBOARD_TOKEN, or --token)`,
      );
    }
    const queues = values['queue'] as string[] | undefined;
    const ended = new Promise<NodeJS.Signals>((resolve) => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
    });
    const site = await openSite(
      {
        ...(queues && { queues }),
        ...(token !== undefined && { token }),
        // Listening on a name means to be asked for by it.
        allowedHosts: [
          ...((values['allow-host'] as string[] | undefined) ?? []),
          ...(isLoopback(host) ? [] : [isIP(host) === 6 ? `[${host}]` : host]),
        ],
        readOnly: values['read-only'] === true,
      },
      { port, host },
    );
    const json = values['json'] === true;
    process.stdout.write(json ? `${JSON.stringify({ url: site.url })}\n` : `${site.url}\n`);
    const signal = await ended;
    await site.close();
    lineLogger({ json }).info(`dashboard stopped by ${signal}`);
    return 0;
  },
};

/** An empty one is a variable that was meant to be set: not to be taken for none. */
function tokenOf(values: Values): string | undefined {
  return (values['token'] as string | undefined) ?? process.env['MINQ_DASHBOARD_TOKEN'];
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0
    ? host.toLowerCase() === 'localhost'
    : LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
