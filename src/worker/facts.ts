/** What a worker tells of itself: to Redis with each heartbeat, to metrics without asking Redis. */
import { hostname } from 'node:os';
import { JSON, performance } from '../job/globals.ts';
import { deadlineIn } from '../job/duration.ts';
import { VERSION } from '../job/version.ts';
import type { Connection } from '../redis/connection.ts';
import type { Histogram } from '../store/buckets.ts';
import type { WorkerInfo } from '../views/inspector.ts';
import { functionsOf, type FunctionStats } from '../views/statistics.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { Slots } from './slots.ts';
import type { Timings } from './timings.ts';

/** What a worker knows of itself. */
export interface WorkerFacts {
  id: string;
  queue: string;
  /** Jobs it runs at once. */
  slots: number;
  /** Slots that are taken. */
  busy: number;
  /** Whether Redis can be called now. */
  connected: boolean;
  /** How the runs of each function ended, how long they waited and took. */
  functions: FunctionStats[];
  /** Runs whose lease was lost: another worker may have run the job beside this one. */
  leasesLost: number;
  /** How late timers were, looked at 20 times a second; the event loop is that of the whole process. */
  loopDelay: Histogram;
  /** How often the event loop was blocked for half a second or more, and for how long in all. */
  blocked: { times: number; ms: number };
}

/** Those who know; they are there before the worker runs, too. @internal */
export interface Sources {
  readonly slots: Slots;
  readonly timings: Timings;
  readonly watch: LoopWatch;
}

/**
 * @param connection undefined before the worker runs
 * @internal
 */
export function factsOf(
  { slots, timings, watch }: Sources,
  connection: Connection | undefined,
): Omit<WorkerFacts, 'id' | 'queue'> {
  const { delays, blocks } = watch.totals();
  return {
    slots: slots.concurrency,
    busy: slots.busy,
    connected: connection?.ready ?? false,
    functions: functionsOf(timings.totals()),
    leasesLost: slots.leasesLost,
    loopDelay: { ...delays, counts: [...delays.counts] },
    blocked: { ...blocks },
  };
}

/** Most running jobs that are named. */
const MOST_NAMED = 100;

/** Most characters of names of functions: they go out with each heartbeat. */
const MOST_FUNCTIONS = 4_096;

/** As many names as have room, and how many more there are. */
export function namesOf(
  functions: Iterable<string>,
): Pick<WorkerInfo, 'functions' | 'moreFunctions'> {
  const all = [...functions];
  let room = MOST_FUNCTIONS;
  const names = all.filter((name) => (room -= name.length + 3) >= 0);
  const more = all.length - names.length;
  return { functions: names, ...(more > 0 && { moreFunctions: more }) };
}

/**
 * What `queue.workers()` shows, as JSON.
 * @param known names of its functions
 * @param answered ids of the last orders it has carried out
 * @internal
 */
export function presenceOf(
  { slots, watch }: Sources,
  startedAt: number,
  known: ReturnType<typeof namesOf>,
  answered: readonly string[],
): string {
  const now = performance.now();
  const { rss, heapUsed } = process.memoryUsage();
  return JSON.stringify({
    host: hostname(),
    pid: process.pid,
    concurrency: slots.concurrency,
    busy: slots.busy,
    running: [...slots].slice(0, MOST_NAMED).map((run) => ({
      id: run.job.id,
      fn: run.fn.name,
      sinceMs: Math.round(now - run.startedAt),
    })),
    startedAt,
    ...watch.take(),
    memory: { rss, heap: heapUsed },
    ...known,
    ...(answered.length > 0 && { answered }),
    version: VERSION,
    node: process.versions.node,
  });
}

/** What a probe is told, see `worker.readiness()`. */
export type Readiness = 'ready' | 'starting' | 'stopping' | 'no answer from Redis';

/** How long Redis may take to answer a probe. */
const ANSWER_MS = 1_000;

/**
 * @param connection undefined until the worker has started
 * @internal
 */
export async function readinessOf(
  connection: Connection | undefined,
  stopping: boolean,
): Promise<Readiness> {
  if (stopping || !connection) return stopping ? 'stopping' : 'starting';
  const answer = connection.call((client) => client.time(), deadlineIn(ANSWER_MS));
  return answer.then(
    () => 'ready',
    () => 'no answer from Redis',
  );
}
