/** What the demo enqueues, and what becomes of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { JobFailedError, type EnqueueItem, type Job, type JobInfo, type Queue } from 'minq';
import type { Files } from './files.ts';

export type DemoQueue = Queue<typeof import('./jobs.ts')>;

/** One job in so many fails at first; one in so many is delayed. */
const FLAKY_EACH = 50;
const DELAYED_EACH = 40;
const DELAY_MS = 500;
/** Jobs for files that aren't there. */
const MISSING = 5;
/** Runs after the first, as jobs.ts has it: what a job for a missing file uses up. */
const RETRIES = 2;
/** No job of the demo takes long; a wait without an end would hide that one got lost. */
const PATIENCE = '60s';

export interface Plan {
  items: EnqueueItem<typeof import('./jobs.ts')>[];
  /** What must come of it. */
  expected: { failed: number; retried: number; delayed: number };
}

export function planWork({ text, binary }: Files): Plan {
  let delayed = 0;
  let retried = MISSING * RETRIES;
  const items: Plan['items'] = text.map((file, i) => {
    if (i % FLAKY_EACH === FLAKY_EACH - 1) {
      const failures = 1 + (Math.floor(i / FLAKY_EACH) % RETRIES);
      retried += failures;
      return { fn: 'digest', args: [file, failures] };
    }
    if (i % DELAYED_EACH !== 0) return { fn: 'digest', args: [file] };
    delayed++;
    return { fn: 'digest', args: [file], delay: DELAY_MS };
  });
  for (const file of binary) items.push({ fn: 'digest', args: [file] });
  for (let i = 0; i < MISSING; i++)
    items.push({ fn: 'digest', args: [`${text[i % text.length]}.missing`] });
  return { items, expected: { failed: binary.length + MISSING, retried, delayed } };
}

/** Enqueues all at once and waits for every result; a job that fails for good is a result too. */
export async function runAll(
  queue: DemoQueue,
  items: Plan['items'],
  onEnd: () => void,
  signal: AbortSignal,
): Promise<JobInfo[]> {
  const jobs: Job[] = [];
  for (const outcome of await queue.enqueueMany(items)) {
    if (outcome.status === 'rejected') throw outcome.reason;
    jobs.push(outcome.value);
  }
  await Promise.all(
    jobs.map(async (job) => {
      await job.result({ timeout: PATIENCE, signal }).catch((error: unknown) => {
        if (!(error instanceof JobFailedError)) throw error;
      });
      onEnd();
    }),
  );
  return Promise.all(jobs.map((job) => job.info()));
}

/**
 * Calls one job after the other, each when the one before has answered.
 * @returns what each took from `enqueue` to its result, in ms
 */
export async function callEach(
  queue: DemoQueue,
  files: string[],
  signal: AbortSignal,
): Promise<number[]> {
  const times: number[] = [];
  for (const file of files) {
    const startedAt = performance.now();
    const job = await queue.enqueue('digest', [file]);
    await job.result({ timeout: PATIENCE, signal });
    times.push(performance.now() - startedAt);
  }
  return times;
}

export async function untilWorkerIsThere(queue: DemoQueue, signal: AbortSignal): Promise<void> {
  while ((await queue.workers()).length === 0) await sleep(20, undefined, { signal });
}
