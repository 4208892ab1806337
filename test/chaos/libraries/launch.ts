/** Worker processes of any library: a program of this folder, given its options as JSON. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { follow } from '../../helpers/evidence.ts';
import { TYPESCRIPT } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import type { WorkerOptions } from './library.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** A worker that is started while others are under load, on two busy cores. */
const START_MS = 30_000;

/** Starts it; resolves when it has written `ready`. What it says goes to a file beside the evidence, `.log`. */
export async function launch(program: string, options: WorkerOptions): Promise<ChildProcess> {
  const logFile = `${options.evidence}.log`;
  const log = openSync(logFile, 'a');
  const args = [TYPESCRIPT, path.join(import.meta.dirname, program), JSON.stringify(options)];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, MINQ_REDIS_URL: options.redis, CHAOS_EVIDENCE: options.evidence },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const entries = follow(options.evidence);
  const ready = () => entries().some(({ what, pid }) => what === 'ready' && pid === child.pid);
  const over = () => child.exitCode !== null || child.signalCode !== null;
  try {
    await until(() => ready() || over(), { timeoutMs: START_MS, everyMs: 50 });
    if (!ready()) throw new Error(`it ended with ${child.signalCode ?? child.exitCode}`);
  } catch (error) {
    child.kill('SIGKILL');
    const said = readFileSync(logFile, 'utf8').slice(-2_000);
    throw new Error(`${program} did not start: ${(error as Error).message}\n${said}`, {
      cause: error,
    });
  }
  return child;
}
