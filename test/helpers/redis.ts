/** A Redis of the test's own: started on a free port with a temporary folder, stopped at the end. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { spawnRedis } from './server-process.ts';
import { until } from './until.ts';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Whether it has not ended; a stopped one (SIGSTOP) has not. */
  readonly running: boolean;
  /** A plain client, to look behind minq's back. */
  readonly client: Redis;
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; `empty` without what it had stored. */
  restart(options?: { empty?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Below the range from which the kernel takes ports for connections and for `listen(0)`: between this look and the
 * start of a server, and while a server is restarted, nobody else gets it but by a rare chance.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_240 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** @param flags more of redis-server's, e.g. `['--appendonly', 'yes']` */
export async function startRedis(flags: string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let folder = mkdtempSync(path.join(tmpdir(), 'minq-redis-'));
  let server: ChildProcess;

  const spawnServer = async () => {
    const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    server = spawnRedis([...base, ...flags]);
    const probe = new Redis({
      port,
      lazyConnect: true,
      enableReadyCheck: false, // it waits for a second when Redis is still loading its file
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    probe.on('error', () => {});
    const loaded = () =>
      probe.ping().then(
        () => true,
        (error: Error) => !error.message.startsWith('LOADING'),
      );
    await until(loaded);
    const info = await probe.info('server').catch(() => ''); // a password is set
    probe.disconnect();
    const pid = /^process_id:(\d+)/m.exec(info)?.[1];
    if (pid !== undefined && Number(pid) !== server.pid) {
      throw new Error(
        `port ${port} is another server's (process ${pid}), not ours (${server.pid})`,
      );
    }
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
    get running() {
      return !ended();
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
