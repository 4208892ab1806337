/** A Redis of the test's own: started on a free port with a temporary folder, stopped at the end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { until } from './until.ts';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** A plain client, to look behind minq's back. */
  readonly client: Redis;
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; `empty` without what it had stored. */
  restart(options?: { empty?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param flags more of redis-server's, e.g. `['--appendonly', 'yes']` */
export async function startRedis(flags: string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let folder = mkdtempSync(path.join(tmpdir(), 'minq-redis-'));
  let server: ChildProcess;

  const spawnServer = async () => {
    const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    server = spawn(process.env['MINQ_TEST_REDIS_SERVER'] ?? 'redis-server', [...base, ...flags], {
      stdio: 'ignore',
    });
    server.on('error', (error) => {
      throw new Error(
        `redis-server can't be started (${error.message}); install it: apt-get install redis-server`,
      );
    });
    const probe = new Redis({
      port,
      lazyConnect: true,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    probe.on('error', () => {});
    await probe.ping();
    probe.disconnect();
  };
  await spawnServer();
  const client = new Redis({
    port,
    protocol: 2,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});

  const ended = () => server.exitCode !== null || server.signalCode !== null;
  const kill = async () => {
    server.kill('SIGKILL');
    await until(ended);
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    get pid() {
      return server.pid!;
    },
    signal: (signal) => void server.kill(signal),
    kill,
    async restart({ empty = false } = {}) {
      if (!ended()) await kill();
      if (empty) {
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(path.join(tmpdir(), 'minq-redis-'));
      }
      await spawnServer();
    },
    async stop() {
      client.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
