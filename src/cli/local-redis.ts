/**
 * A Redis for trying things out, without any set-up: redis-server or valkey-server from the PATH, else
 * js-redis-server where it is installed. It keeps nothing: what it held is gone when it stops.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants as access, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo } from 'node:net';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { MinqError } from '../errors.ts';

const START_MS = 10_000;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface LocalRedis {
  readonly url: string;
  /** What it is, in words. */
  readonly what: string;
  stop(): void;
}

/**
 * @param port 0: a free one
 * @throws {MinqError} with what to install, when there is nothing to start
 */
export async function startLocalRedis(port = 0): Promise<LocalRedis> {
  const at = port || (await freePort());
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-'));
  const flags = ['--port', String(at), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const native = ['redis-server', 'valkey-server'].find(onPath);
  const script = native ? undefined : jsRedisServer();
  if (!native && !script) {
    throw new MinqError(
      'NO_REDIS',
      'no Redis found: set MINQ_REDIS_URL, or install redis-server (e.g. apt-get install redis-server), or npm install js-redis-server',
    );
  }
  // A process group of its own: Ctrl-C in a terminal is for us, and workers settle before Redis goes.
  const options = { stdio: 'ignore', detached: true } as const;
  const child = native
    ? spawn(native, [...flags, '--appendonly', 'no'], options)
    : spawn(process.execPath, [script!, '--port', String(at)], options);
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, signal) => (failure = `ended with ${signal ?? `exit code ${code}`}`));
  const kill = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', kill);
  for (const signal of SIGNALS) process.on(signal, leaveUnlessHandled);
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, leaveUnlessHandled);
    process.off('exit', kill);
    kill();
  };
  const deadline = performance.now() + START_MS;
  while (!(await answers(at)) || failure) {
    if (!failure && performance.now() > deadline) failure = `did not answer within ${START_MS} ms`;
    if (failure) {
      stop();
      throw new MinqError('NO_REDIS', `${native ?? 'js-redis-server'}: ${failure}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `redis://127.0.0.1:${at}`,
    what: native ?? 'js-redis-server (JavaScript; for trying out only)',
    stop,
  };
}

/** Without it, a signal that nobody handles would end us and leave the Redis behind. */
function leaveUnlessHandled(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
}

/** Whether something accepts connections on this port of this machine. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), access.X_OK);
      return true;
    } catch {
      return false; // not in this folder
    }
  });
}

function jsRedisServer(): string | undefined {
  try {
    const main = createRequire(path.resolve('package.json')).resolve('js-redis-server');
    return path.join(path.dirname(main), 'cli.js');
  } catch {
    return undefined; // not installed
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
