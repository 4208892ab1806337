/**
 * Plants bugs, one after the other, and says which test notices: whoever trusts the tests wants to know whether they
 * would see it. A test is used only after it has passed without any bug.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MUTANTS } from './all.ts';
import { seeded } from '../../helpers/seeded.ts';
import { copyPackage, misfits, plant } from './copy.ts';
import type { Mutant } from './mutant.ts';
import { endTrials, tryTest } from './trial.ts';

export interface Killed {
  name: string;
  /** Test file, scene and check that failed; undefined: nobody has noticed. */
  killedBy: string | undefined;
  ms: number;
}

export interface RunOptions {
  /** For the order, and for tests that draw what they do. */
  seed: number;
  /** Hears how it goes, a line at a time. */
  say: (line: string) => void;
  /** Names of mutants. */
  only?: readonly string[];
}

/** Tried where the tests that ought to notice didn't. Those that take long are left out. */
export const WIDER = [
  'store/turn', 'store/control', 'store/cron', 'store/flow', 'store/limits', 'store/plain', 'store/plain-turn', 'store/model',
  'worker/lease', 'worker/stop', 'worker/processing', 'worker/records', 'job/context', 'worker/executor',
  'queue/enqueue', 'queue/unique', 'queue/operators', 'queue/retention', 'queue/connection', 'queue/handles', 'queue/results',
  'views/attempts', 'views/statistics', 'flow/flow', 'cron/schedules', 'redis/reply-lost', 'redis/memory', 'redis/connection',
  'dashboard/security',
]; // prettier-ignore

const AT_A_TIME = 2;
/** On a busy machine a test may fail without any bug. */
const TRIES = 3;
/** One file of tests: none of them takes so long, on two busy cores. */
const TEST_MS = 120_000;
/** The same, where the bug is that it never ends. */
const HANG_MS = 25_000;
/** All of it. */
const LONGEST_MS = 45 * 60_000;

/** @throws where a mutant no longer fits, or a test fails without any */
export function runMutants(options: RunOptions): Promise<Killed[]> {
  const { only } = options;
  const unknown = only?.find((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new Error(`there is no mutant ${unknown}`);
  const chosen = MUTANTS.filter(({ name }) => !only || only.includes(name));
  return tryMutants(chosen, options);
}

/** @param wider tests for those that survive their own */
export async function tryMutants(
  mutants: readonly Mutant[],
  { seed, say }: Pick<RunOptions, 'seed' | 'say'>,
  wider: readonly string[] = WIDER,
): Promise<Killed[]> {
  const unfit = misfits(mutants);
  if (unfit.length > 0) throw new Error(unfit.join('\n'));
  const home = mkdtempSync(path.join(tmpdir(), 'minq-mutants-'));
  const end = () => {
    endTrials();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', end); // whatever ends us
  try {
    const temporary = path.join(home, 'tmp');
    mkdirSync(temporary);
    const queue = shuffled(mutants, seed);
    const controls = new Map<string, Promise<void>>();
    const deadline = performance.now() + LONGEST_MS;
    const done: Killed[] = [];
    const work = async (copy: string) => {
      copyPackage(copy);
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
        if (performance.now() > deadline) throw new Error(`not done within ${LONGEST_MS} ms`);
        const killed = await tryMutant(mutant, { copy, temporary, seed, controls, wider });
        done.push(killed);
        const how = killed.killedBy ? `killed by ${killed.killedBy}` : 'SURVIVED';
        say(`${done.length}/${mutants.length} ${mutant.name}: ${how} (${killed.ms} ms)`);
      }
    };
    const copies = Array.from({ length: AT_A_TIME }, (_, i) => path.join(home, `copy-${i}`));
    // When one gives up, the other comes to the end of its mutant.
    const all = copies.map((copy) => work(copy).finally(() => (queue.length = 0)));
    await Promise.allSettled(all);
    await Promise.all(all);
    return done.toSorted((a, b) => position(mutants, a) - position(mutants, b));
  } finally {
    process.off('exit', end);
    end();
  }
}

interface Site {
  copy: string;
  temporary: string;
  seed: number;
  /** Tests that have shown, or are just showing, that they pass without a bug. */
  controls: Map<string, Promise<void>>;
  wider: readonly string[];
}

async function tryMutant(mutant: Mutant, site: Site): Promise<Killed> {
  const { copy, temporary, seed, controls, wider } = site;
  const { name, hangs = false } = mutant;
  let ms = 0;
  for (const test of new Set([...mutant.tests, ...wider])) {
    if (!controls.has(test)) controls.set(test, control(site, test));
    await controls.get(test);
    const began = performance.now();
    const takeOut = plant(copy, mutant);
    const notices = async (what: string) => {
      const verdict = await tryTest(copy, what, {
        temporary,
        seed,
        longestMs: hangs ? HANG_MS : TEST_MS,
      });
      return verdict.failed && (hangs || !verdict.hung) ? verdict : undefined;
    };
    let killedBy: string | undefined;
    for (let tries = 1; tries <= TRIES && !killedBy; tries++) {
      const verdict = await notices(test);
      if (!verdict) break;
      // A failure counts when it comes again: once may be a busy machine.
      if (hangs || (await notices(verdict.where))) killedBy = verdict.failed;
    }
    takeOut();
    ms += Math.round(performance.now() - began);
    if (killedBy) return { name, killedBy, ms };
  }
  return { name, killedBy: undefined, ms };
}

/** The test must pass without a bug, or its failure with one would say nothing. */
async function control({ copy, temporary, seed }: Site, test: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { failed, passed } = await tryTest(copy, test, { temporary, seed, longestMs: TEST_MS });
    if (!failed && passed > 0) return;
    if (!failed) throw new Error(`there is no test ${test}`);
    if (tries === TRIES) throw new Error(`without any mutant: ${failed}`);
  }
}

const position = (mutants: readonly Mutant[], { name }: Killed) =>
  mutants.findIndex((mutant) => mutant.name === name);

/** The same order for the same seed. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = seeded(seed);
  const rest = [...list];
  return list.map(() => rest.splice(random(rest.length), 1)[0]!);
}
