/** The dashboard on a port of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboard, type DashboardOptions } from '../dashboard/index.ts';
import { MinqError } from '../job/errors.ts';

export const DASHBOARD_PORT = 5555;

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Longest time a request may take to come in. */
const REQUEST_MS = 30_000;

/** @throws {MinqError} `PORT_TAKEN`; `CANT_LISTEN` for what else keeps it from listening */
export async function openSite(
  options: DashboardOptions,
  { port, host }: { port: number; host: string },
): Promise<Site> {
  const handler = dashboard(options);
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    void handler(request, response);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    await handler.close();
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'EADDRINUSE'
      ? new MinqError('PORT_TAKEN', `port ${port} of ${host} is taken; give another with --port`)
      : new MinqError('CANT_LISTEN', `can't listen on port ${port} of ${host}: ${message}`);
  }
  const { address, family, port: at } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${at}/`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await handler.close();
    },
  };
}
