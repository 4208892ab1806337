/**
 * A storm: a producer and three workers do their work while everything that can fail does, and a checker looks on.
 * The seed fixes which jobs and which faults there are; not when each process feels them, which is its machine's.
 */
import { readBooks } from './books.ts';
import type { Line } from './evidence.ts';
import { planFaults } from './faults.ts';
import { FAR, Field, LEASE_MS, QUEUE, WORKERS, workerName } from './field.ts';
import type { Counters } from './history.ts';
import { Nemesis, type Done } from './nemesis.ts';
import { judge, type Verdict } from './verdict.ts';

export interface StormOptions {
  readonly seed: number;
  /** How long the faults go on. */
  readonly seconds: number;
  say(this: void, line: string): void;
}

export interface StormReport extends Verdict {
  readonly seed: number;
  readonly seconds: number;
  readonly jobs: Counters;
  /** How often each was done. */
  readonly faults: Readonly<Record<string, number>>;
  /** From the end of a fault that hit all until the next run started, ms. */
  readonly recoveredMs: readonly number[];
  /** How often the invariants were held against the queue. */
  readonly checks: number;
  /** From the end of the faults until no job was left, ms. */
  readonly drainMs: number;
}

/** Jobs and flows a second: the workers have twice the time they take, so that they catch up after each fault. */
const PER_SECOND = 60;
const STALLED_MS = 60_000;
/** Jobs that run for ever are not waited for. */
const DRAIN_MS = 600_000;
const STOP_MS = 60_000;

export async function storm({ seed, seconds, say }: StormOptions): Promise<StormReport> {
  const field = await Field.open({ seed, perSecond: PER_SECOND, resultTtl: '1h', sampleMs: 0 });
  try {
    const cast = { leaseMs: LEASE_MS, workers: WORKERS, spared: 0 };
    const nemesis = new Nemesis(planFaults(seed, seconds, cast), victimsOf(field), say);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000)); // how long it lasts
    const { seen, drainMs } = await calm(field, nemesis, say);
    const books = await readBooks(field.redis.client, QUEUE, FAR);
    const counters = await countersOf(field);
    const runs = field.runs();
    return {
      seed,
      seconds,
      ...judge({ seed, calls: field.calls(), runs, books, counters, seen }),
      jobs: counters,
      faults: tally(nemesis.done),
      recoveredMs: recoveries(nemesis.done, runs),
      checks: field.watch.checks,
      drainMs,
    };
  } finally {
    await field.close();
  }
}

export function victimsOf(field: Field) {
  const { redis, wires, supervisor } = field;
  return {
    redis,
    wires,
    signalWorker: (n: number, signal: NodeJS.Signals) => supervisor.signal(workerName(n), signal),
  };
}

/** Ends the faults, lets all work be done, and ends all processes. @returns what was wrong, and how long that took */
export async function calm(
  field: Field,
  nemesis: Nemesis,
  say: StormOptions['say'],
): Promise<{ seen: string[]; drainMs: number }> {
  const { supervisor, watch } = field;
  await nemesis.stop();
  field.heal();
  const healedAt = performance.now();
  say('the faults are over; what is left is worked off');
  const seen: string[] = [];
  supervisor.ask('producer');
  // It ends when each of its calls came to its end, and it has heard the results that it waits for.
  await whileMoving(field, async () => {
    if (!supervisor.ended('producer')) return false;
    await field.giveUpFlows();
    return (await field.unfinished()) === 0;
  });
  const left = await field.unfinished();
  if (left > 0) seen.push(`${left} jobs came to no end, however long they were waited for`);
  const drainMs = Math.round(performance.now() - healedAt);
  for (let i = 0; i < WORKERS; i++) supervisor.ask(workerName(i));
  for (const name of ['producer', ...Array.from({ length: WORKERS }, (_, i) => workerName(i))]) {
    if (await supervisor.wait(name, STOP_MS)) continue;
    seen.push(`${name} did not end by itself within ${STOP_MS} ms`);
  }
  await watch.stop();
  await watch.look();
  seen.push(...supervisor.deaths, ...[...watch.found.values()].map((line) => `invariant: ${line}`));
  return { seen, drainMs };
}

/** Waits until it is done, for as long as anything is settled: a busy machine may take its time. */
async function whileMoving(field: Field, done: () => Promise<boolean>): Promise<void> {
  let settled = '';
  const began = performance.now();
  let movedAt = began;
  while (!(await done())) {
    if (performance.now() - movedAt > STALLED_MS) return;
    if (performance.now() - began > DRAIN_MS) return;
    const now = JSON.stringify(await countersOf(field));
    if (now !== settled) movedAt = performance.now();
    settled = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Of both queues. */
export async function countersOf({ queue, far }: Field): Promise<Counters> {
  const [one, other] = await Promise.all([queue.stats(), far.stats()]);
  const sum = (name: keyof Counters) => one[name] + other[name];
  return {
    enqueued: sum('enqueued'),
    completed: sum('completed'),
    failed: sum('failed'),
    cancelled: sum('cancelled'),
    refused: sum('refused'),
  };
}

export function tally(done: readonly Done[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault } of done) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
}

/** Only of those after which nobody could work. */
function recoveries(done: readonly Done[], runs: readonly Line[]): number[] {
  const starts = runs.filter(({ what }) => what === 'start').map(({ at }) => at);
  return done.flatMap(({ target, endedAt }) => {
    const next = target === 'all' ? starts.find((at) => at >= endedAt) : undefined;
    return next === undefined ? [] : [next - endedAt];
  });
}
