/**
 * Runs a test in a copy until its first failure. What the test has started (servers, workers) is of its process group,
 * and ends with it: a test that is stopped at its first failure has no chance to clean up.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Verdict {
  /** Which test failed, and what it said; undefined: all passed. */
  readonly failed: string | undefined;
  /** It was no failure, but no end. */
  readonly hung: boolean;
  /** The scene it happened in, as a test to try again. */
  readonly where: string;
  /** How many scenes passed. */
  readonly passed: number;
}

/** Until the output of a test that has ended is closed, whoever holds it. */
const LET_GO_MS = 2_000;

const running = new Set<number>();

/** Ends all that runs, at once. */
export function endTrials(): void {
  for (const pid of running) endGroup(pid);
}

export interface Limits {
  /** Where it may leave files. */
  readonly temporary: string;
  /** Of what it draws at random. */
  readonly seed: number;
  readonly longestMs: number;
}

/** @param test `room/name` of test/room/name.test.ts, or `name > part of a scene's name` */
export async function tryTest(
  folder: string,
  test: string,
  { temporary, seed, longestMs }: Limits,
): Promise<Verdict> {
  const [, name = '', scene] = /^(\S+)(?: > (.*))?$/.exec(test) ?? [];
  const file = `test/${name}.test.ts`;
  const child = spawn(process.execPath, ['--import=./test/helpers/typescript.mjs', file], {
    cwd: folder,
    env: { ...environment(scene), TMPDIR: temporary, MINQ_MODEL_SEED: String(seed) },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pid = child.pid!;
  running.add(pid);
  const ended = new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      endGroup(pid); // whoever is left would keep its output open
      setTimeout(() => child.stdout.destroy(), LET_GO_MS).unref(); // so would one that is of no group of ours
      running.delete(pid);
      resolve(code ?? -1);
    }),
  );
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    endGroup(pid);
  }, longestMs);

  let around = '';
  let passed = 0;
  let failure: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    around = /^# Subtest: (.*)$/.exec(line)?.[1] ?? around;
    if (/^ok (?!.*# SKIP)/.test(line)) passed++;
    failure = /^ *not ok \d+ - (?!.*# (?:SKIP|TODO))(.*)$/.exec(line)?.[1];
    if (failure !== undefined) break;
  }
  if (failure !== undefined) endGroup(pid);
  const code = await ended;
  clearTimeout(timer);
  if (hung) failure = `no end within ${longestMs / 1_000} s`;
  else if (failure?.startsWith('timeout!')) hung = true;
  else if (code !== 0) failure ??= `ended with ${code}`;
  const failed = failure && [file, around, failure].filter(Boolean).join(': ');
  return { failed, hung, where: around ? `${name} > ${around}` : test, passed };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

/** A run of its own, also where we are started by a test. */
function environment(scene: string | undefined): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^_?TAP|^NODE_OPTIONS$/.test(name));
  return {
    ...Object.fromEntries(own),
    TAP_TIMEOUT: '120',
    ...(scene !== undefined && { TAP_GREP: scene.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') }),
  };
}
