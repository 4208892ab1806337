/** `minq dashboard`: the pages, on a port of their own. */
import { InvalidArgumentError } from '../job/errors.ts';
import { createServer } from 'node:http';
import { BlockList, isIP, type AddressInfo } from 'node:net';
import type { DashboardOptions } from '../dashboard/index.ts';
import { lineLogger } from '../job/log.ts';
import type { Command } from './command.ts';
import { listen, shut, urlOf, type Address } from './listen.ts';
import { whenAskedToStop } from './process.ts';
import { settingsOf } from './settings.ts';
import { show } from './terminal.ts';

export const DASHBOARD_PORT = 5555;
/** Longest time a request may take to come in. */
const REQUEST_MS = 30_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

export const dashboard: Command = {
  help: `Usage: minq dashboard [options]

Serves pages that show queues, jobs, workers and cron entries, live, and act on them.

  --port n           port (default ${DASHBOARD_PORT}; 0: a free one)
  --host address     address to listen on (default 127.0.0.1); another than this machine's own wants a token
  --queue name       a queue to show; may be repeated (default: all that are used)
  --token text       wanted of everybody, 16 characters or more; better as MINQ_DASHBOARD_TOKEN, which ps doesn't show
  --allow-host name  a name the pages may be asked for besides localhost; may be repeated
  --read-only        show everything, change nothing
  --json             print JSON: { url }

SIGTERM and SIGINT end it.
`,
  async run(given) {
    const { redis, prefix, dashboard: own = {} } = await settingsOf(given);
    const host = given.text('host') ?? '127.0.0.1';
    const port = given.number('port') ?? DASHBOARD_PORT;
    if (port > 65_535) throw new InvalidArgumentError('--port: give a number from 0 to 65535');
    // An empty one is a variable that was meant to be set: not to be taken for none.
    const token = given.text('token') ?? own.token ?? process.env['MINQ_DASHBOARD_TOKEN'];
    const open = !isLoopback(host);
    if (token === undefined && own.auth === undefined && open) {
      throw new InvalidArgumentError(
        `--host ${host}: others can reach it there; give a token (MINQ_DASHBOARD_TOKEN, or --token)`,
      );
    }
    // Listening on a name means to be asked for by it.
    const names = open ? [isIP(host) === 6 ? `[${host}]` : host] : [];
    const ended = new Promise<string>(whenAskedToStop);
    const site = await openSite(
      {
        ...own,
        ...(redis !== undefined && { redis }),
        ...(prefix !== undefined && { prefix }),
        ...(given.has('queue') && { queues: given.texts('queue') }),
        ...(token !== undefined && { token }),
        allowedHosts: [...(own.allowedHosts ?? []), ...given.texts('allow-host'), ...names],
        readOnly: given.has('read-only') || own.readOnly === true,
      },
      { port, host },
    );
    show(given, { url: site.url }, () => [site.url]);
    const reason = await ended;
    await site.close();
    lineLogger({ json: given.json }).info(`dashboard stopped: ${reason}`);
    return 0;
  },
};

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0
    ? host.toLowerCase() === 'localhost'
    : LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** @throws {MinqError} `PORT_TAKEN` or `CANT_LISTEN` */
export async function openSite(options: DashboardOptions, at: Address) {
  const { dashboard: pages } = await import('../dashboard/index.ts');
  const handler = pages(options);
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    void handler(request, response);
  });
  const close = async () => {
    await shut(server);
    await handler.close();
  };
  try {
    await listen(server, at, '--port');
  } catch (error) {
    await close();
    throw error;
  }
  const { address, port } = server.address() as AddressInfo;
  return { url: urlOf(address, port, '/'), close };
}
