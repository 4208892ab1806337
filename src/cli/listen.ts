/** A server on a port of its own. */
import type { Server } from 'node:http';
import { MinqError } from '../job/errors.ts';

export interface Address {
  host: string;
  port: number;
}

/**
 * @param option gives the port
 * @param prefix of the error's message
 * @throws {MinqError} `PORT_TAKEN`; `CANT_LISTEN` for what else keeps it from listening
 */
export function listen(server: Server, { host, port }: Address, option: string, prefix = '') {
  return new Promise<void>((resolve, reject) => {
    server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      const taken = code === 'EADDRINUSE';
      const why = taken
        ? `port ${port} of ${host} is taken; give another with ${option}`
        : `can't listen on port ${port} of ${host}: ${message}`;
      reject(new MinqError(taken ? 'PORT_TAKEN' : 'CANT_LISTEN', prefix + why));
    });
    server.listen(port, host, resolve);
  });
}

export const urlOf = (host: string, port: number, path: string): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;

/** Resolves when the last connection is closed; none is waited for. */
export function shut(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}
