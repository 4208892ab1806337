/** A redis-server as a process that doesn't outlive us, whatever ends us. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** Its program, unless the environment names another one: `MINQ_TEST_REDIS_SERVER=valkey-server`. */
export const redisProgram = (): string => process.env['MINQ_TEST_REDIS_SERVER'] ?? 'redis-server';

export function spawnRedis(args: readonly string[]): ChildProcess {
  const server = spawn(redisProgram(), args, { stdio: 'ignore' });
  server.on('error', (error) => {
    throw new Error(
      `redis-server can't be started (${error.message}); install it: apt-get install redis-server`,
    );
  });
  // A test that takes too long is ended by SIGKILL, and could not end what it started: this one hears of our end by
  // the end of its input.
  const guard = spawn('sh', ['-c', 'read _; kill -9 "$0"', String(server.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  server.on('exit', () => guard.kill());
  return server;
}
