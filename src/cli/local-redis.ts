/**
 * A Redis for trying things out, without any set-up: redis-server or valkey-server from the PATH, else
 * js-redis-server where it is installed. It keeps nothing: what it held is gone when it stops.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo } from 'node:net';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { MinqError } from '../job/errors.ts';
import { SIGNALS } from './command.ts';

export interface LocalRedis {
  readonly url: string;
  /** What it is, in words. */
  readonly what: string;
  stop(): void;
}

const START_MS = 10_000;

/** js-redis-server listens on every interface and has no option for it; what has no password stays on this machine. */
const ON_LOOPBACK = `
const { Server } = require('node:net');
const { listen } = Server.prototype;
Server.prototype.listen = function (port) { return listen.call(this, port, '127.0.0.1'); };
require(process.argv[1]).createRedisServer({ port: Number(process.argv[2]) });`;

/**
 * @param port 0: a free one
 * @throws {MinqError} with what to install, when there is nothing to start
 */
export async function startLocalRedis(port = 0): Promise<LocalRedis> {
  const native = ['redis-server', 'valkey-server'].find(isInstalled);
  const script = native ? undefined : jsRedisServer();
  if (!native && !script) {
    throw new MinqError(
      'NO_REDIS',
      'no Redis found: set MINQ_REDIS_URL, or install redis-server (e.g. apt-get install redis-server), or npm install js-redis-server',
    );
  }
  const what = native ?? 'js-redis-server (JavaScript; for trying out only)';
  const at = port || (await freePort());
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-'));
  const flags = ['--port', String(at), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const [program, args] = native
    ? [native, [...flags, '--appendonly', 'no']]
    : [process.execPath, ['-e', ON_LOOPBACK, script!, String(at)]];
  // A process group of its own: Ctrl-C in a terminal must not end it before those who work with it.
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, leaveUnlessHandled);
    process.off('exit', stop);
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  for (const signal of SIGNALS) process.on(signal, leaveUnlessHandled);
  try {
    await untilAnswering(child, at);
  } catch (error) {
    stop();
    throw new MinqError('NO_REDIS', `${what} can't be started: ${(error as Error).message}`);
  }
  return { url: `redis://127.0.0.1:${at}`, what, stop };
}

async function untilAnswering(child: ChildProcess, port: number): Promise<void> {
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? `exit code ${code}`}`));
  const deadline = performance.now() + START_MS;
  while (!(await answers(port))) {
    if (ended !== undefined) throw new Error(ended);
    if (performance.now() > deadline) throw new Error(`no answer within ${START_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A signal that nobody handles ends a process without its `exit` event, and would leave the Redis behind. */
function leaveUnlessHandled(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
}

/** Whether something accepts connections on this port of this machine. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const isInstalled = (program: string): boolean => !spawnSync(program, ['--version']).error;

function jsRedisServer(): string | undefined {
  try {
    return createRequire(path.resolve('package.json')).resolve('js-redis-server');
  } catch {
    return undefined; // not installed
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
