/** `minq` on a terminal: a pseudo-terminal that script (util-linux) or Python holds. */
import { spawn, spawnSync } from 'node:child_process';
import type { Test } from 'tap';
import { BRIEFLY, CLI } from './cli.ts';
import { until } from './until.ts';

const LONGEST_MS = 60_000;

export interface Terminal {
  /** All that was written to it so far, controls included. */
  readonly output: string;
  /** What a person sees after it all, a line each: controls obeyed as far as minq uses them. */
  readonly screen: string[];
  /** Waits until the output matches, from `from` on. */
  says(what: RegExp, from?: number): Promise<void>;
  /** Types. */
  type(keys: string): void;
  /** Gives it another size, as a window does. */
  resize(columns: number, rows: number): void;
  readonly ended: Promise<{ code: number | null; output: string }>;
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** @returns the program that runs a shell command on a new terminal; one of them must be there */
function holder(command: string): [string, string[]] {
  const works = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;
  if (works('script', '-qec', 'true', '/dev/null')) {
    return ['script', ['-qefc', command, '/dev/null']];
  }
  if (works('python3', '-c', 'import pty')) {
    const held =
      'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))';
    return ['python3', ['-c', held, command]];
  }
  throw new Error('no terminal can be made: install script (util-linux) or python3');
}

/** Starts `minq <args>` on a terminal of 100 columns and 30 rows. */
export function onTerminal(
  test: Test,
  args: readonly string[],
  redis: string,
  { columns = 100, rows = 30 } = {},
): Terminal {
  const run = [process.execPath, BRIEFLY, CLI, ...args].map(quoted).join(' ');
  const command = `stty cols ${columns} rows ${rows}; echo "tty $(tty)"; exec ${run}`;
  const [program, given] = holder(command);
  const child = spawn(program, given, {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm', MINQ_REDIS_URL: redis },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.on('error', () => {}); // it may have ended
  const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, output })),
  );
  const limit = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  void ended.then(() => clearTimeout(limit));
  test.teardown(() => child.kill('SIGKILL'));
  return {
    get output() {
      return output;
    },
    get screen() {
      return screenOf(output);
    },
    says: (what, from = 0) =>
      until(() => what.test(output.slice(from)), { what: `${what} on the terminal` }).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it was:\n${JSON.stringify(output)}`);
        },
      ),
    type: (keys) => void child.stdin.write(keys),
    resize(toColumns, toRows) {
      const terminal = /^tty (\S+)/m.exec(output)![1]!;
      const size = ['cols', String(toColumns), 'rows', String(toRows)];
      const { status, stderr } = spawnSync('stty', ['-F', terminal, ...size]);
      if (status !== 0) throw new Error(`stty: ${String(stderr)}`);
    },
    ended,
  };
}

/** What sets, and ends, a colour. */
export const COLOUR = new RegExp(String.raw`\u001b\[\d+m`, 'g');

/** Lines of the last frame drawn from the top of the screen, or all that was written where none was. */
function screenOf(output: string): string[] {
  const frame = output.split('\u001b[H').findLast((each) => each.includes('\u001b[K')) ?? output;
  const plain = frame.split('\u001b[J', 1)[0]!.replaceAll('\u001b[K', '');
  return plain.replace(COLOUR, '').split('\r\n');
}
