/** A server that speaks Redis's protocol but refuses the `#!lua` header: js-redis-server, as Redis 6.2 would. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type TestRedis } from './redis.ts';
import { until } from './until.ts';

/** Its clock goes back by four seconds at each SIGUSR2, as NTP may set one back; by an hour at SIGHUP. */
const CLOCK = `
const now = Date.now.bind(Date);
let back = 0;
Date.now = () => now() - back;
process.on('SIGUSR2', () => (back += 4_000));
process.on('SIGHUP', () => (back += 3_600_000));`;

export async function startPlainServer(): Promise<TestRedis> {
  const port = await freePort();
  const main = createRequire(import.meta.url).resolve('js-redis-server');
  const server = spawn(
    process.execPath,
    [
      `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`,
      path.join(path.dirname(main), 'cli.js'),
      '--port',
      String(port),
    ],
    { stdio: 'ignore' },
  );
  const client = new Redis({
    port,
    protocol: 2,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {}); // refused until it listens
  await client.ping();
  const ended = () => server.exitCode !== null || server.signalCode !== null;
  const kill = async () => {
    server.kill('SIGKILL');
    await until(ended);
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    pid: server.pid!,
    get running() {
      return !ended();
    },
    signal: (signal) => void server.kill(signal),
    kill,
    restart: () => Promise.reject(new Error('it keeps nothing: start another')),
    async stop() {
      client.disconnect();
      await kill();
    },
  };
}
