/**
 * Glossary, used with these meanings everywhere:
 * - job: one call of a function, asked for with `enqueue`. It has an id and is in exactly one state.
 * - function: what a job runs; an export of the jobs file.
 * - record: what was enqueued (function, arguments, options). Never changed, but for a step of a flow when its turn comes.
 * - run: one start of a job. attempt: a run that counts against `retries`.
 * - ticket: `id:run:attempt`, the right to one run. The fencing token of every transition.
 * - lease: how long a claimed ticket is the worker's, unless its heartbeat renews it.
 * - slot: a unit of a worker's concurrency.
 * - outcome: how a run ended. settle: to record an outcome. claim: to take tickets from the queue.
 * - tick: an instant for which a cron entry fires.
 */
import { JSON } from './globals.ts';
import type { Backoff } from './backoff.ts';
import { BadRecordError } from './errors.ts';
import { readError, type ErrorRecord } from './codec.ts';

export const STATES = [
  'waiting',
  'scheduled',
  'queued',
  'active',
  'completed',
  'failed',
  'cancelled',
] as const;
/**
 * Where a job is: `waiting` for the steps of its flow before it, `scheduled` for a time, `queued` for a free slot, `active`, or how it ended.
 */
export type JobState = (typeof STATES)[number];
export type FinalState = 'completed' | 'failed' | 'cancelled';
const FINAL_STATES = new Set<unknown>(['completed', 'failed', 'cancelled'] satisfies FinalState[]);

/** What decides over the runs of a job; an enqueue option wins over the job's own, which wins over the default. */
export interface RunOptions {
  retries?: number;
  backoff?: Backoff;
  timeout?: number;
  resultTtl?: number;
}

/** As stored in `jobs`, after 13 digits of enqueue time. Durations in ms. */
export interface JobRecord extends RunOptions {
  fn: string;
  args: unknown[];
  delay?: number;
  runAt?: number;
  expires?: number;
  priority?: 'high' | 'low';
  meta?: Record<string, string>;
  /** Of a cron job: the instant it fired for, epoch ms. */
  tick?: number;
  /** Marks one call of enqueue where the user gave the id, so that the same call sent twice is known. */
  call?: string;
}

/** A final outcome as stored in `outcomes`, after 13 digits of the time of the end. */
export interface StoredOutcome {
  state: FinalState;
  /** Of a failure where no result was to be kept (`resultTtl: 0`): its id may be given again. */
  free?: boolean;
  result?: unknown;
  error?: ErrorRecord;
  reason?: string;
  /**
   * Of a step of a flow that never had its turn: id of the one that failed, whose error this is; its own, where it was
   * cancelled itself.
   */
  step?: string;
  attempt?: number;
  startedAt?: number;
  ranMs?: number;
}

/** How a run ended. Every way maps to one of these, and one settlement records it. */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: string | undefined }
  | { readonly kind: 'failed'; readonly error: ErrorRecord }
  | { readonly kind: 'cancelled'; readonly reason: 'cancelled' | 'expired' }
  /** Run again after a while; an attempt is used up. */
  | { readonly kind: 'retry'; readonly error: ErrorRecord; readonly delayMs: number }
  /** Run again after a while, perhaps by another worker; no attempt is used up. */
  | { readonly kind: 'postponed'; readonly error: LastError; readonly delayMs: number }
  /** Back to the front of the queue; no attempt is used up. */
  | { readonly kind: 'released' };

/** As stored in `errors`. */
export interface LastError extends ErrorRecord {
  /** Of an unknown function: its name, and since when no worker has known it, epoch ms. */
  readonly fn?: string;
  readonly since?: number;
  /** Of a lost worker: it may not have begun the job, only held it. */
  readonly inHand?: boolean;
  /** Of a run that asked for another one free of charge. */
  readonly free?: boolean;
}

/** A ticket that this worker holds, and what it stands for. */
export interface ClaimedJob {
  readonly ticket: string;
  readonly id: string;
  readonly run: number;
  readonly attempt: number;
  /** Server time of the claim, epoch ms. */
  readonly claimedAt: number;
  readonly enqueuedAt: number;
  readonly record: JobRecord;
  /** How the run before it ended, where that was no success. */
  readonly lastError: LastError | undefined;
}

export function parseTicket(ticket: string): { id: string; run: number; attempt: number } {
  // Nearly all tickets are first ones.
  if (ticket.endsWith(':1:1')) return { id: ticket.slice(0, -4), run: 1, attempt: 1 };
  const match = /^(.+):(\d+):(\d+)[a-z]?$/s.exec(ticket);
  return match
    ? { id: match[1]!, run: Number(match[2]), attempt: Number(match[3]) }
    : { id: ticket, run: 1, attempt: 1 };
}

/** The ticket of a job whose run ended without using up an attempt. */
export function nextTicket(ticket: string): string {
  const { id, run, attempt } = parseTicket(ticket);
  const lane = /[a-z]$/.exec(ticket)?.[0] ?? '';
  return `${id}:${run + 1}:${attempt}${lane}`;
}

/**
 * How long it waited from when it was due to its first run; undefined of later runs. (By the attempt, and not by the
 * number of the run: that of a job with an id of the user's begins above 1.)
 */
export function waitMsOf(job: ClaimedJob): number | undefined {
  const { attempt, lastError, record, enqueuedAt, claimedAt } = job;
  if (attempt > 1 || lastError) return undefined;
  return Math.max(0, claimedAt - Math.max(enqueuedAt + (record.delay ?? 0), record.runAt ?? 0));
}

const TIME_DIGITS = 13;

/** Splits the server time from the JSON behind it. */
export function splitTime(text: string): { at: number; json: string } {
  return { at: Number(text.slice(0, TIME_DIGITS)), json: text.slice(TIME_DIGITS) };
}

/** @throws {BadRecordError} when it is missing or not what an enqueue writes */
export function parseRecord(text: string | number | null): {
  enqueuedAt: number;
  record: JobRecord;
} {
  if (text === null) throw new BadRecordError('the record of the job is missing in Redis');
  if (typeof text === 'number') {
    throw new BadRecordError(
      `the record of the job can't be received: it is ${text} bytes long, and the server closes the connection on it (see its client-output-buffer-limit)`,
    );
  }
  const { at, json } = splitTime(text);
  let record: JobRecord;
  try {
    record = JSON.parse(json) as JobRecord;
  } catch {
    throw new BadRecordError('the record of the job is no JSON');
  }
  if (!Number.isSafeInteger(at) || typeof record?.fn !== 'string' || !Array.isArray(record.args)) {
    throw new BadRecordError(
      'the record of the job has no enqueue time, function name or arguments',
    );
  }
  return { enqueuedAt: at, record };
}

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether what an enqueue writes is what it was. Redis is shared ground: nobody calculates with what wasn't looked at. */
const FITS = new Map<string, (value: unknown) => boolean>([
  ...['retries', 'timeout', 'resultTtl', 'delay', 'runAt', 'expires', 'tick'].map(
    (name) => [name, isNumber] as const,
  ),
  [
    'backoff',
    (value) =>
      isRecord(value) &&
      (value['type'] === 'fixed' || value['type'] === 'exponential') &&
      [value['delay'], value['max'], value['jitter']].every(isNumber),
  ],
  [
    'meta',
    (value) => isRecord(value) && Object.values(value).every((each) => typeof each === 'string'),
  ],
]);

/** @throws {BadRecordError} naming what doesn't fit */
function checkOptions(record: JobRecord): void {
  for (const name in record) {
    const value = record[name as keyof JobRecord];
    if (FITS.get(name)?.(value) === false) {
      const shown = JSON.stringify(value).slice(0, 100);
      throw new BadRecordError(
        `the record of the job has ${name}: ${shown}, which no enqueue writes`,
      );
    }
  }
}

/** @returns undefined where there is none, or none that can be read: only what was the matter is lost */
function parseLastError(text: string | null): LastError | undefined {
  const stored =
    text === null ? undefined : (readJson(text) as Partial<LastError> | null | undefined);
  if (!stored) return undefined;
  const { fn, since, inHand, free } = stored;
  return {
    ...readError(stored),
    ...(typeof fn === 'string' && { fn }),
    ...(isNumber(since) && { since }),
    ...(inHand === true && { inHand }),
    ...(free === true && { free }),
  };
}

/**
 * What a ticket stands for, by the texts of its job.
 * @throws {BadRecordError}
 */
export function readClaimed(claim: {
  ticket: string;
  record: string | number | null;
  lastError: string | null;
  claimedAt: number;
}): ClaimedJob {
  const { ticket, claimedAt } = claim;
  const { id, run, attempt } = parseTicket(ticket);
  const { enqueuedAt, record } = parseRecord(claim.record);
  checkOptions(record);
  const lastError = parseLastError(claim.lastError);
  return { id, run, attempt, ticket, claimedAt, enqueuedAt, record, lastError };
}

/**
 * @returns the outcome and the server time of the end
 * @throws {BadRecordError} when it isn't what a settlement writes
 */
export function parseOutcome(text: string): StoredOutcome & { endedAt: number } {
  const { at, json } = splitTime(text);
  const read = readJson(json) as Partial<StoredOutcome> | null | undefined;
  if (read === undefined) throw new BadRecordError('the outcome of the job is no JSON');
  if (!read || !FINAL_STATES.has(read.state) || !isNumber(at)) {
    throw new BadRecordError('the outcome of the job says not how it ended, or when');
  }
  const { state, free, result, error, reason, step, attempt, startedAt, ranMs } = read;
  return {
    state: state!,
    endedAt: at,
    ...(free === true && { free }),
    ...(result !== undefined && { result }),
    ...((state === 'failed' || error !== undefined) && { error: readError(error) }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof step === 'string' && { step }),
    ...(isNumber(attempt) && { attempt }),
    ...(isNumber(startedAt) && { startedAt }),
    ...(isNumber(ranMs) && { ranMs }),
  };
}

/** @returns undefined for what is no JSON */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
