/** Read-only views of a queue: raw replies of the store made into what people look at. */
import { pause } from '../job/duration.ts';
import { performance } from '../job/globals.ts';
import { JSON } from '../job/globals.ts';
import { describeError, readError, UNREADABLE, type ErrorRecord } from '../job/codec.ts';
import { causeLines, errorLine } from '../job/failure.ts';
import { BadRecordError } from '../job/errors.ts';
import { kindOf, pieceOf } from './failures.ts';
import { placeOf, readFlow, waitsFor } from '../flow/view.ts';
import {
  parseOutcome,
  parseRecord,
  parseTicket,
  readJson,
  splitTime,
  type JobRecord,
  type JobState,
} from '../job/job.ts';
import type { Store } from '../store/store.ts';

/** What is known of a job. Times (`...At`) are epoch ms by Redis's clock. */
export interface JobInfo {
  id: string;
  queue: string;
  state: JobState;
  /** Undefined where the record is missing or unreadable. */
  fn: string | undefined;
  args: unknown[];
  /** The current or last run that counts, from 1. */
  attempt: number;
  priority: 'high' | 'normal' | 'low';
  meta: Record<string, string>;
  enqueuedAt: number | undefined;
  /** The instant a cron job fired for. */
  tick?: number;
  /** How often it is retried at most, where the enqueue said so; else its function does. */
  retries?: number;
  /** When a scheduled job falls due. */
  dueAt?: number;
  /** When the lease of a running job ends, unless it is renewed. */
  leaseEndsAt?: number;
  startedAt?: number;
  endedAt?: number;
  /** Duration of the last run, in ms. */
  ranMs?: number;
  progress?: unknown;
  result?: unknown;
  /** Of a failed job; of one that waits or runs again, the error of the last attempt. */
  error?: ErrorRecord;
  /** Why it was cancelled. */
  reason?: string;
  /** Of a step of a flow: its place, from 0. */
  flow?: {
    id: string;
    step: number;
    /** Of a waiting step: the unfinished ones right before it. */ waitsFor?: string[];
  };
  /** Of a step that failed because another did: id of that one. */
  failedStep?: string;
  /** What it logged by `currentJob().log`, the newest 8 KB: of failed runs, and where its function has `keepLogs`; of `info()` only. */
  log?: string;
  /** Attempts that failed before the last one, the oldest first; of `info()` only. */
  attempts?: PastAttempt[];
}

/** An attempt that failed before the last one. Times are epoch ms by Redis's clock. */
export interface PastAttempt {
  /** 1 for the first; after a retry by hand it begins again with 1. */
  attempt: number;
  startedAt?: number;
  endedAt: number;
  ranMs?: number;
  error: ErrorRecord;
}

/** How many jobs are in each state; whether the queue is paused, and its limits. */
export type Counts = Record<JobState, number> & {
  paused: boolean;
  /** Of the whole queue, over all workers; undefined where it has none. */
  limit?: QueueLimit;
};

/** At most `concurrency` jobs at once, and `rate.count` that begin in any `rate.perMs` ms. */
export interface QueueLimit {
  concurrency?: number;
  rate?: { count: number; perMs: number };
}

/** What a worker said with its last sign of life. */
export interface WorkerInfo {
  id: string;
  host: string;
  pid: number;
  /** Slots. */
  concurrency: number;
  /** Slots that are taken. */
  busy: number;
  /** At most 100 of them. */
  running: { id: string; fn: string; sinceMs: number }[];
  startedAt: number;
  /** Last sign of life, epoch ms by Redis's clock. */
  seenAt: number;
  /** Whether it is the one that fires the ticks of cron. */
  beat: boolean;
  /** How late timers were since the sign of life before, in ms: what a busy event loop costs every job. */
  loop: { p50: number; p99: number; max: number };
  /** The last time the event loop was blocked for half a second or more. */
  blocked?: Blocked;
  /** Bytes. */
  memory: { rss: number; heap: number };
  /** Names of the functions it knows; where they are very many, not all of them: so many more. */
  functions: string[];
  moreFunctions?: number;
  /** Ids of the last orders that it has carried out. @internal */
  answered?: readonly string[];
  /** Version of minq. */
  version: string;
  /** Version of Node. */
  node: string;
}

/** A time for which an event loop was blocked. */
export interface Blocked {
  /** Epoch ms by the worker's own clock. */
  at: number;
  ms: number;
  /** The job that did it; several where it can only be one of them. */
  jobs: { id: string; fn: string }[];
}

/** Which jobs are looked for. */
export interface JobFilter {
  /** Name of the function. */
  fn?: string | undefined;
  /** A piece of the error: of its name, message or stack, in whatever case. */
  error?: string | undefined;
  /** Kind of the error, as `failures()` has it. */
  kind?: string | undefined;
  /** A piece of the arguments as JSON, in whatever case; looked for in the first 1,000. */
  args?: string | undefined;
}

interface Page {
  offset?: number;
  limit?: number;
}

/** A page of jobs, and where to go on. */
export interface FoundJobs {
  jobs: JobInfo[];
  /** Offset at which to go on; undefined at the end. A page may be short, or empty, and yet go on. */
  next?: number;
}

/** Most jobs looked through in one call to Redis, and for one page. */
const LOOKED_A_CALL = 1_000;
const LOOKED_A_PAGE = 5_000;
const CALLS_A_PAGE = 50;
/** Who gave no sign of life for this long is dead, or cut off. */
const ALIVE_MS = 60_000;
/** Workers say at least this often that they are there; those that run jobs more often. */
const SILENT_MS = 30_000;
const SILENT_BUSY_MS = 15_000;

/** @returns undefined for an unknown job */
export async function readInfo(store: Store, id: string): Promise<JobInfo | undefined> {
  const { row, attempts, log } = await store.info(id);
  const info = toInfo(store.queue, row);
  if (info && attempts) info.attempts = readAttempts(attempts);
  if (info && log) info.log = log;
  if (info?.flow && info.state === 'waiting') {
    const flow = await orUnreadable(readFlow(store, info.flow.id));
    if (typeof flow === 'object') info.flow.waitsFor = waitsFor(flow, id);
  }
  return info;
}

/** For a part of a view: the rest is shown all the same. */
export async function orUnreadable<T>(reading: Promise<T>): Promise<T | typeof UNREADABLE> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof BadRecordError) return UNREADABLE;
    throw error;
  }
}

export async function readJobs(store: Store, state: JobState, page: Page): Promise<JobInfo[]> {
  const { offset = 0, limit = 100 } = page;
  const rows: (string | null)[][] = [];
  let seen = 0;
  for (let last = 1; last > 0 && seen < limit; seen += last) {
    const part = await store.list(state, offset + seen, limit - seen);
    rows.push(...part.rows);
    last = part.seen; // a call ends early, where jobs are large
  }
  return rows.flatMap((row) => toInfo(store.queue, row) ?? []);
}

/**
 * Looks through at most 5,000 jobs: so the work for a page is bounded, whatever the filter.
 * @param bytes values that are longer are told by their length; 0: none
 */
export async function findJobs(
  store: Store,
  state: JobState,
  { fn = '', error = '', kind = '', args = '', offset = 0, limit = 100 }: JobFilter & Page,
  bytes = 0,
): Promise<FoundJobs> {
  // As it stands in the JSON of an error: Redis finds it there, or in what is written around it.
  const sought = lower(error);
  const text = JSON.stringify(sought === '' ? lower(pieceOf(kind)) : sought).slice(1, -1);
  const inArgs = lower(args);
  const isWanted = ({ error: found, failedStep }: JobInfo) =>
    (kind === '' || (found !== undefined && failedStep === undefined && kindOf(found) === kind)) &&
    (sought === '' ||
      (found !== undefined &&
        [errorLine(found), found.stack ?? '', ...causeLines(found)].some((part) =>
          lower(part).includes(sought),
        )));
  const jobs: JobInfo[] = [];
  const filtered = fn !== '' || text !== '' || kind !== '' || inArgs !== '';
  const mostOfAll = inArgs === '' ? LOOKED_A_PAGE : LOOKED_A_CALL;
  let at = offset;
  let calls = 0;
  let tookMs = 0;
  do {
    // Where jobs are large, a page takes many calls: others have Redis for as long as each of them took.
    if (bytes > 0 && calls > 0) await pause(tookMs);
    const from = performance.now();
    const wanted = limit - jobs.length;
    const most = filtered ? LOOKED_A_CALL : wanted;
    const { seen, rows } = await store.list(state, at, wanted, { fn, text, inArgs, most, bytes });
    tookMs = performance.now() - from;
    at += seen;
    jobs.push(...rows.flatMap((row) => toInfo(store.queue, row) ?? []).filter(isWanted));
    if (seen === 0) return { jobs };
    calls++; // a call may end early, where records are large
  } while (jobs.length < limit && at - offset < mostOfAll && calls < CALLS_A_PAGE);
  return { jobs, next: at };
}

/** As Lua does it: ASCII letters only. */
const lower = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function readAttempts(lines: string): PastAttempt[] {
  return lines.split('\n').flatMap((line) => {
    const { at, json } = splitTime(line);
    // An attempt that was followed by another, or a whole outcome, where somebody had the job run again.
    const read = readJson(json) as Record<string, unknown> | null | undefined;
    const error = (read?.['error'] ?? read) as Partial<ErrorRecord> | null | undefined;
    if (!read || typeof error?.name !== 'string') return [];
    return {
      attempt: 1,
      endedAt: at,
      ...numbersOf(read, ['attempt', 'startedAt', 'ranMs']),
      error: readError(error),
    };
  });
}

function toInfo(queue: string, row: (string | null)[]): JobInfo | undefined {
  const [id, state, ticket, at, text, outcomeText, error, progress, follows] = row;
  if (!id || state === 'unknown') return undefined;
  const { record, enqueuedAt } = readRecord(text ?? null);
  const outcome = outcomeText == null ? undefined : readOutcome(outcomeText);
  const { priority, meta } = record;
  return {
    id,
    queue,
    state: outcome ? outcome.state : (state as JobState),
    fn: record.fn,
    args: record.args ?? [],
    attempt: outcome?.attempt ?? parseTicket(ticket ?? id).attempt,
    priority: priority === 'high' || priority === 'low' ? priority : 'normal',
    meta: metaOf(meta),
    enqueuedAt,
    ...numbersOf(record, ['tick', 'retries']),
    ...(state === 'scheduled' && at ? { dueAt: Number(at) } : {}),
    ...(state === 'active' && at ? { leaseEndsAt: Math.ceil(Number(at)) } : {}),
    ...(follows ? { flow: flowOf(id) } : {}),
    ...(progress ? { progress: readJson(progress) ?? UNREADABLE } : {}),
    ...(error ? { error: readError(readJson(error)) } : {}),
    ...(outcome && endOf(outcome, id)),
  };
}

function endOf({ startedAt, endedAt, ranMs, result, error, reason, step }: Ending, id: string) {
  const failedStep = step === id ? undefined : step;
  return defined({ startedAt, endedAt, ranMs, result, error, reason, failedStep });
}

/** Without what is undefined. */
const defined = <T extends object>(from: T): T =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as T;

function flowOf(id: string): { id: string; step: number } {
  const { flow, step } = placeOf(id) ?? { flow: '', step: 0 };
  return { id: flow, step };
}

const metaOf = (meta: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(meta ?? {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  );

function numbersOf<K extends string>(from: { [key in K]?: unknown }, names: readonly K[]) {
  const numbers = names.filter((name) => Number.isFinite(from[name]));
  return Object.fromEntries(numbers.map((name) => [name, from[name]])) as { [key in K]?: number };
}

/** Views must show what is broken, not break themselves. */
function readRecord(text: string | null): { enqueuedAt?: number; record: Partial<JobRecord> } {
  try {
    return parseRecord(text);
  } catch {
    return { record: {} };
  }
}

type Ending = Omit<ReturnType<typeof parseOutcome>, 'endedAt'> & { endedAt?: number };

function readOutcome(text: string): Ending {
  try {
    return parseOutcome(text);
  } catch (error) {
    return { state: 'failed', error: describeError(error) };
  }
}

export async function readCounts(store: Store): Promise<Counts> {
  const reply = await store.counts();
  const numbers = reply.slice(0, 8) as number[];
  const [scheduled = 0, queued = 0, active = 0, completed = 0, failed = 0, cancelled = 0] = numbers;
  const [, , , , , , paused, waiting = 0] = numbers;
  const limit = limitOf(reply[8] as (string | null)[] | undefined);
  const counts = { waiting, scheduled, queued, active, completed, failed, cancelled };
  return { ...counts, paused: paused === 1, ...(limit && { limit }) };
}

function limitOf(fields: readonly (string | null)[] = []): QueueLimit | undefined {
  const [concurrency, count, perMs] = fields.map((field) => Number(field ?? NaN));
  const limit = {
    ...(concurrency! >= 1 && { concurrency: concurrency! }),
    ...(count! >= 1 && perMs! >= 1 && { rate: { count: count!, perMs: perMs! } }),
  };
  return Object.keys(limit).length > 0 ? limit : undefined;
}

/** Those that gave a sign of life in the last minute. */
export async function readWorkers(store: Store): Promise<WorkerInfo[]> {
  const [workers, beatsNow, now] = await Promise.all([
    store.workers(),
    store.beatHolder(),
    store.now(),
  ]);
  return Object.entries(workers).flatMap(([id, text]) => {
    const { at, json } = splitTime(text);
    type Presence = Omit<WorkerInfo, 'id' | 'seenAt' | 'beat'>;
    const stored = readJson(json) as (Presence & { counted?: number }) | undefined;
    if (!(at > now - ALIVE_MS) || !saysHowItIs(stored)) return [];
    const { counted: _, ...presence } = stored; // between the worker and the heartbeat script
    const known = namesOf(presence.functions);
    return [{ ...presence, ...known, id, seenAt: at, beat: id === beatsNow }];
  });
}

/** A worker of a minq before 0.2 says none: it may know any. */
const namesOf = (functions: unknown): Pick<WorkerInfo, 'functions' | 'moreFunctions'> =>
  Array.isArray(functions)
    ? { functions: functions.filter((name) => typeof name === 'string') }
    : { functions: [], moreFunctions: 1 };

/** Whether it is what a heartbeat writes: who shows it relies on these. */
function saysHowItIs<T extends Partial<WorkerInfo>>(stored: T | undefined): stored is T {
  const { host, concurrency, busy, startedAt, running, loop, memory, blocked } = stored ?? {};
  const numbers = [concurrency, busy, startedAt, loop?.p50, loop?.p99, loop?.max, memory?.rss];
  return (
    typeof host === 'string' &&
    numbers.every(Number.isFinite) &&
    Array.isArray(running) &&
    running.every((job) => typeof job?.fn === 'string') &&
    (blocked === undefined || Array.isArray(blocked?.jobs))
  );
}

/** It was to give a sign of life by now: it is dead, blocked, or cut off. */
export const isSilent = ({ seenAt, busy }: WorkerInfo, now: number): boolean =>
  now - seenAt > (busy > 0 ? SILENT_BUSY_MS : SILENT_MS);
