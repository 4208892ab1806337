/**
 * Real worker processes, to be killed and stopped like real ones. What they do they append to a file, opened
 * O_APPEND and written synchronously, so that the evidence survives SIGKILL: `start id attempt pid ms`,
 * `end id attempt pid ms`, `abort id attempt pid ms`, and what else the fixture says.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { follow, type Entry } from './evidence.ts';
import type { Stage } from './setup.ts';
import { until } from './until.ts';

/** For Node: the process can load TypeScript. */
export const TYPESCRIPT = `--import=${new URL('typescript.mjs', import.meta.url).href}`;

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');

export interface WorkerProcess {
  readonly pid: number;
  /** Code it exited with, -1 where a signal ended it; undefined while it runs. */
  readonly exitCode: number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** `stop` as `worker.stop({ timeout })`; resolves when the process has ended by itself. */
  stop(timeout: number): Promise<void>;
}

export interface WorkerProcesses {
  /** Starts one; resolves when its worker has said that it works. `env`: more of its environment. */
  start(options: object, env?: Record<string, string>): Promise<WorkerProcess>;
  /** What was written so far, in order. */
  entries(): readonly Entry[];
}

/**
 * Processes still there at the end of the test are killed.
 * @param fixture what they run, in test/fixtures
 */
export function workerProcesses(
  stage: Pick<Stage, 'onEnd'>,
  fixture = 'faults/worker.ts',
): WorkerProcesses {
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-workers-'));
  const file = path.join(folder, 'evidence');
  const children = new Set<ChildProcess>();
  stage.onEnd(async () => {
    for (const child of children) child.kill('SIGKILL');
    await until(() => [...children].every(ended));
    rmSync(folder, { recursive: true, force: true });
  });

  const entries = follow(file);

  return {
    entries,
    async start(options, env = {}) {
      const child = fork(path.join(FIXTURES, fixture), [file, JSON.stringify(options)], {
        execArgv: [TYPESCRIPT],
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.add(child);
      await until(
        () => entries().some((e) => e.what === 'ready' && e.pid === child.pid) || ended(child),
      );
      return {
        pid: child.pid!,
        get exitCode() {
          return ended(child) ? (child.exitCode ?? -1) : undefined;
        },
        signal: (signal) => void child.kill(signal),
        async stop(timeout) {
          child.send({ stop: timeout });
          await until(() => ended(child), { what: 'the worker process ends by itself' });
        },
      };
    },
  };
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
