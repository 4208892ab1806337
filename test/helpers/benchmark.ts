/** `npm run bench` as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import type { Test } from 'tap';

const root = path.join(import.meta.dirname, '../..');

/** What still runs when the test is over is ended. */
export function bench(t: Pick<Test, 'teardown'>, ...args: string[]) {
  const child = spawn(process.execPath, ['--import=jiti/register', 'bench/run.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGTERM'));
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, text, ended };
}

/** Whether somebody listens at the address that the benchmark said its Redis has. */
export async function redisIsUp(stderr: string): Promise<boolean> {
  const port = Number(/at redis:\/\/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1]);
  const socket = connect(port, '127.0.0.1');
  const up = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return up;
}

/** What `--json` prints. */
export interface Report {
  machine: Record<string, unknown>;
  rows: {
    scenario: string;
    library: string;
    figures: Record<string, { median: number; min: number; max: number }>;
  }[];
  comparisons: { scenario: string; figure: string; ratios: Record<string, number> }[];
  budgets: { what: string; is: number; atMost: number; kept: boolean }[];
  growth: { what: string; is: number; atLeast: number; kept: boolean }[];
}
