/** The command line as its users have it: `minq` as a process of its own, and apps in folders of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import { until } from './until.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = path.join(ROOT, 'dist/cli/main.js');
export const FIXTURES = path.join(ROOT, 'test/fixtures/cli');
/** For Node: most of these hundreds of processes end before code that was optimized would have paid for it. */
export const BRIEFLY = '--no-opt';
/** The command line from its sources, for tests that have bugs planted in them. */
export const FROM_SOURCE = {
  program: path.join(ROOT, 'src/cli/main.ts'),
  // As a URL: options are parted by blanks, which a path may have.
  env: {
    NODE_OPTIONS: `--import=${pathToFileURL(path.join(ROOT, 'test/helpers/typescript.mjs')).href}`,
  },
};
/** A jobs file for every occasion. */
export const JOBS = path.join(FIXTURES, 'jobs.js');

const LONGEST_MS = 60_000;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Minq {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has written to standard error so far. */
  readonly stderr: string;
  readonly ended: Promise<Ended>;
  /** Waits until standard error matches. */
  says(what: RegExp): Promise<void>;
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface MinqOptions {
  /** MINQ_REDIS_URL. */
  redis?: string | undefined;
  cwd?: string;
  /** Instead of the command line: a fixture. */
  program?: string;
  env?: Record<string, string>;
  /** In a process group of its own, as a shell starts a command. */
  detached?: boolean;
}

/** Starts `minq <args>`. What still runs when the test is over is killed. */
export function minq(
  test: Pick<Test, 'teardown'>,
  args: readonly string[],
  options: MinqOptions = {},
): Minq {
  const child = spawn(process.execPath, [BRIEFLY, options.program ?? CLI, ...args], {
    cwd: options.cwd ?? ROOT,
    // None of the test runner's own settings, and no Redis but the test's.
    env: {
      PATH: process.env['PATH'],
      ...(options.redis !== undefined && { MINQ_REDIS_URL: options.redis }),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
  // A process that hangs fails its test by the way it ended.
  const limit = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  void ended.then(() => clearTimeout(limit));
  test.teardown(() => child.kill('SIGKILL'));
  const self: Minq = {
    pid: child.pid!,
    child,
    get stderr() {
      return stderr;
    },
    ended,
    says: (what) =>
      until(() => what.test(stderr), { what: `${String(what)} in the output` }).catch((error) => {
        throw new Error(`${(error as Error).message}; it was:\n${stderr}`);
      }),
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
  return self;
}

/** Makes a folder with these files, in which `import 'minq'` finds this tree. @returns its path */
export function app(test: Test, files: Record<string, string>, copyOf?: string): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'minq-app-')));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  if (copyOf) cpSync(path.join(FIXTURES, copyOf), folder, { recursive: true });
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(ROOT, path.join(folder, 'node_modules/minq'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** Whether a process of this id is there. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // gone
  }
}
