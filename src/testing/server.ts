/** A Redis in this process, of the package js-redis-server: nothing to install or start beside the tests. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { MinqError } from '../job/errors.ts';
import type { RedisSource } from '../redis/client.ts';

export interface InProcess {
  redis: RedisSource;
  close(): Promise<void>;
}

/** @throws {MinqError} `NO_REDIS` where the package isn't installed */
export async function startInProcess(): Promise<InProcess> {
  const { attachSession, createRedisCommandExecutor, RedisServerState, SocketConnectionTransport } =
    await import('js-redis-server/core').catch((error: unknown) => {
      throw new MinqError(
        'NO_REDIS',
        'no Redis to test on: npm install --save-dev js-redis-server, or give one of yours: testing(jobs, { redis })',
        { cause: error },
      );
    });
  const state = new RedisServerState({ databaseCount: 1 });
  const executor = createRedisCommandExecutor();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    attachSession(new SocketConnectionTransport(socket), { state, executor });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening'); // it has no password
  const { port } = server.address() as AddressInfo;
  return {
    redis: { host: '127.0.0.1', port },
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
      state.close();
    },
  };
}
