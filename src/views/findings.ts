/**
 * What is wrong with queues, and what is worth a look: the same for `minq check`, for the dashboard, and in code.
 * A finding is one of a queue, or one of a worker.
 */
import type { Finding } from '../redis/server.ts';
import type { Audit } from '../store/repair.ts';
import { show } from '../job/refuse.ts';
import type { Store } from '../store/store.ts';
import { jobsOf, limitText, number, span } from './figures.ts';
import { isSilent, readCounts, readWorkers, type Counts, type WorkerInfo } from './inspector.ts';
import { isKnown, readStrangers } from './strangers.ts';
import { readHistory, readOldest, type HistoryPoint } from './statistics.ts';

/** `ok` is false where jobs are not run, or can't be. */
export interface QueueFinding extends Finding {
  queue: string;
  /** Nothing is broken, and yet it is worth a look. */
  warning?: true;
  /** Host and process, where it is about a worker. */
  worker?: string;
  /** The job that did it, where that is known. */
  job?: string;
}

/** How long a job may wait. */
export const MAX_AGE_MS = 5 * 60_000;
const WAITED_LONG_MS = 60_000;
const LATELY_MS = 60 * 60_000;

interface Facts {
  queue: string;
  counts: Counts;
  workers: readonly WorkerInfo[];
  /** How long the oldest job has waited, in ms. */
  oldest: number | undefined;
  history: readonly HistoryPoint[];
  now: number;
  audit: Audit;
  /** Names of functions that workers did not know, a name for each job that waits for it. */
  unknown: readonly string[];
}

/** @param maxAgeMs how long a job may wait */
export async function readFindings(store: Store, maxAgeMs = MAX_AGE_MS): Promise<QueueFinding[]> {
  const [counts, workers, oldest, history, now, audit, strangers] = await Promise.all([
    readCounts(store),
    readWorkers(store),
    readOldest(store),
    readHistory(store, 'hour'),
    store.now(),
    store.repairs.audit(),
    readStrangers(store),
  ]);
  const unknown = strangers.map(({ fn }) => fn);
  const facts = { queue: store.queue, counts, workers, oldest, history, now, audit, unknown };
  return [
    served(facts),
    waited(facts, maxAgeMs),
    ...lost(facts),
    ...unknownFunctions(facts),
    ...twoApps(facts),
    ...paused(facts),
    ...workers.flatMap((worker) => [...silent(facts, worker), ...blocked(facts, worker)]),
    ...failures(facts),
    ...dropped(facts),
  ];
}

/** What stands among the names of queues and is none, or in their place: what is not known by name, no page shows. */
export async function readNames(store: Store): Promise<QueueFinding[]> {
  const known = await store.knownQueues();
  const about = { check: 'names', ok: false, queue: store.queue };
  const key = store.queuesKey;
  if (!known) {
    const message = `${key} is no list of queues any more: none is known by name`;
    const mend = `remove it, and those in use are written anew within minutes: redis-cli DEL ${key}`;
    return [{ ...about, message, mend }];
  }
  const { stray } = known;
  if (stray.length === 0) return [];
  const message = `${key} holds ${number(stray.length)} that can be no name of a queue, and is passed over: ${named(stray.map(show))}`;
  return [{ ...about, message, mend: `remove them: redis-cli ZREM ${key} <name>` }];
}

/** Of many queues. Workers of one process share its event loop: what it suffers is told once, by the one that knows why. */
export function together(lists: readonly QueueFinding[][]): QueueFinding[] {
  const told = new Map<string, QueueFinding>();
  for (const finding of lists.flat()) {
    const key = `${finding.check} ${finding.worker ?? finding.queue}`;
    if (!told.get(key)?.job) told.set(key, finding);
  }
  return [...told.values()];
}

const aliveOf = ({ workers, now }: Facts) => workers.filter((worker) => !isSilent(worker, now));

function served(facts: Facts): QueueFinding {
  const { queue, counts } = facts;
  const alive = aliveOf(facts).length;
  const check = 'worker';
  if (alive > 0)
    return { check, ok: true, queue, message: `queue ${queue}: ${number(alive)} alive` };
  const left = [
    counts.queued > 0 && `${number(counts.queued)} queued`,
    counts.active > 0 && `${number(counts.active)} active that nobody runs`,
  ].filter((text) => text !== false);
  const jobs = left.length > 0 ? `, with ${left.join(' and ')}` : '';
  return {
    check,
    ok: false,
    queue,
    message: `queue ${queue}: no worker is alive${jobs}`,
    mend: `start one: npx minq worker <file> --queue ${queue}, or forget the queue: npx minq forget --queue ${queue}`,
  };
}

function waited(facts: Facts, maxAgeMs: number): QueueFinding {
  const { queue, counts, oldest = -1 } = facts;
  const late = oldest > maxAgeMs;
  const long = oldest > Math.min(WAITED_LONG_MS, maxAgeMs) && !counts.paused;
  const waits = oldest < 0 ? 'no job waits' : `the oldest job has waited ${span(oldest)}`;
  const why = counts.paused ? ' (paused)' : counts.limit ? ` (${limitText(counts.limit)})` : '';
  const how = `${why}: ${waits}`;
  return {
    check: 'waiting',
    ok: !late,
    ...(!late && long && { warning: true }),
    queue,
    message: `queue ${queue}${how}${late || long ? `, with ${number(counts.queued)} queued` : ''}`,
    ...((late || long) && { mend: paceOf(facts) }),
  };
}

function lost({ queue, audit: { limbo } }: Facts): QueueFinding[] {
  if (limbo === 0) return [];
  const message = `queue ${queue}: ${jobsOf(limbo)} in limbo: a key was evicted or deleted, and they lie in no place`;
  const mend = `put them back: npx minq repair --queue ${queue}`;
  return [{ check: 'limbo', ok: false, queue, message, mend }];
}

/** Most names in a line. */
const MOST_NAMES = 5;

function named(names: Iterable<string>): string {
  const all = [...names];
  const more = all.length > MOST_NAMES ? ` and ${number(all.length - MOST_NAMES)} more` : '';
  return all.slice(0, MOST_NAMES).join(', ') + more;
}

function unknownFunctions(facts: Facts): QueueFinding[] {
  const { queue } = facts;
  const alive = aliveOf(facts);
  const jobs = facts.unknown.filter((fn) => !isKnown(fn, alive));
  if (alive.length === 0 || jobs.length === 0) return [];
  const message = `queue ${queue}: no worker knows ${named(new Set(jobs))}; ${jobsOf(jobs.length)} wait for it, and fail after five minutes`;
  const mend = `start a worker whose jobs file has it, or enqueue it to the queue of the app that has`;
  return [{ check: 'unknown-function', ok: false, queue, message, mend }];
}

/** Most kinds of workers that are compared. */
const MOST_KINDS = 20;

/** A deploy that adds functions, or takes some away, is no second app. */
function twoApps(facts: Facts): QueueFinding[] {
  const { queue } = facts;
  const whole = aliveOf(facts).filter(({ moreFunctions }) => !moreFunctions);
  const byList = new Map(whole.map((worker) => [worker.functions.toSorted().join(), worker]));
  const kinds = [...byList.values()].slice(0, MOST_KINDS);
  const alone = (one: WorkerInfo, other: WorkerInfo) =>
    one.functions.filter((fn) => !other.functions.includes(fn));
  const who = (one: WorkerInfo, other: WorkerInfo) =>
    `${one.host}/${one.pid} alone knows ${named(alone(one, other))}`;
  for (const [i, one] of kinds.entries()) {
    const other = kinds.slice(i + 1).find((each) => alone(one, each).length > 0 && alone(each, one).length > 0); // prettier-ignore
    if (!other) continue;
    const message = `queue ${queue}: two apps share it: ${who(one, other)}, ${who(other, one)}`;
    const mend =
      'each job finds a worker that knows it, with a detour: better give each app a queue of its own';
    return [{ check: 'two-apps', ok: true, warning: true, queue, message, mend }];
  }
  return [];
}

function paceOf(facts: Facts): string {
  if (facts.counts.paused) return resume(facts.queue);
  const alive = aliveOf(facts);
  if (alive.length === 0) return 'start a worker';
  const free = alive.some(({ busy, concurrency }) => busy < concurrency);
  if (free && facts.counts.limit) {
    return `slots are free, its limit may let no more begin: npx minq limit --queue ${facts.queue}`;
  }
  return free
    ? 'slots are free: see by minq workers whether event loops are blocked, and whether the functions are known'
    : 'start more workers, or give them more slots (--concurrency); minq workers shows what they run';
}

const resume = (queue: string) => `let workers go on: npx minq resume --queue ${queue}`;

function paused({ queue, counts }: Facts): QueueFinding[] {
  if (!counts.paused) return [];
  const message = `queue ${queue}: is paused, nothing new starts; ${jobsOf(counts.queued, 'queued')}`;
  return [{ check: 'paused', ok: true, warning: true, queue, message, mend: resume(queue) }];
}

const about = (queue: string, { host, pid }: WorkerInfo) =>
  ({ ok: true, warning: true, queue, worker: `${host}/${pid}` }) as const;

function silent({ queue, now }: Facts, worker: WorkerInfo): QueueFinding[] {
  if (!isSilent(worker, now)) return [];
  const { busy, seenAt } = worker;
  const told = about(queue, worker);
  const runs = busy > 0 ? `; the ${jobsOf(busy)} it ran will be run by others` : '';
  const message = `worker ${told.worker}: no sign of life for ${span(now - seenAt)}${runs}`;
  const mend = 'it was killed, is cut off from Redis, or has its event loop blocked';
  return [{ check: 'silent', ...told, message, mend }];
}

function blocked({ queue, now }: Facts, worker: WorkerInfo): QueueFinding[] {
  const { ms, at, jobs } = worker.blocked ?? { ms: 0, at: -Infinity, jobs: [] };
  if (now - at >= LATELY_MS) return [];
  const told = about(queue, worker);
  const names = jobs.slice(0, 5).map(({ fn }) => fn);
  const by = jobs.length > 0 ? `, by ${jobs.length > 1 ? 'one of ' : ''}${names.join(', ')}` : '';
  const ago = `${span(now - at)} ago`;
  const message = `worker ${told.worker}: its event loop was blocked for ${span(ms)}, ${ago}${by}`;
  const mend = 'all its jobs stood still: move what computes for long to a worker thread';
  const job = jobs.length === 1 && { job: jobs[0]!.id };
  return [{ check: 'blocked', ...told, ...job, message, mend }];
}

function failures({ queue, history, now }: Facts): QueueFinding[] {
  const points = history.filter(({ at }) => now - at <= LATELY_MS);
  const failed = points.reduce((sum, point) => sum + point.failed, 0);
  const ended = points.reduce((sum, point) => sum + point.completed, failed);
  if (failed === 0) return [];
  const message = `queue ${queue}: ${number(failed)} of ${jobsOf(ended)} that ended in the last hour failed`;
  const mend = `see why: npx minq jobs failed --queue ${queue}`;
  return [{ check: 'failed', ok: true, warning: true, queue, message, mend }];
}

function dropped({ queue, audit, now }: Facts): QueueFinding[] {
  const why = {
    failed: ['too many are kept', "raise the workers' keepFailed.count"],
    completed: ['too many are kept', "raise the workers' keepCompleted.count, or give jobs a shorter resultTtl"], // prettier-ignore
    waiting: ['their producers went away before all of a flow was enqueued', 'enqueue these flows again'], // prettier-ignore
    taken: ['other jobs had their ids', 'something writes ids that are minq\'s own (cron:..., ...:failure:<n>): find it'], // prettier-ignore
  } as const;
  return (['failed', 'completed', 'waiting', 'taken'] as const).flatMap((state) => {
    const { count, at } = audit.dropped[state];
    if (now - at >= LATELY_MS) return [];
    const [reason, mend] = why[state];
    const what = state === 'taken' ? 'cron or onFailure' : state;
    const message = `queue ${queue}: ${jobsOf(count, what)} dropped before their time so far, the last ${span(now - at)} ago: ${reason}`;
    return [{ check: `dropped-${state}`, ok: true, warning: true, queue, message, mend }];
  });
}
