/**
 * The state of one queue in Redis: a method for each transition, and nobody else changes it.
 * The transitions themselves are in scripts/; here their arguments are laid out and their replies read.
 */
import type { Connection } from './connection.ts';
import { queueKeys, type QueueKeys } from './keys.ts';
import type { ClaimedJob, Outcome, StoredOutcome } from './job.ts';
import type { Script } from './script.ts';
import {
  cancelScript,
  pauseScript,
  purgeScript,
  removeScript,
  resumeScript,
  retryScript,
} from './scripts/control.ts';
import { enqueueScript } from './scripts/enqueue.ts';
import { CANCELLED_KEPT_MS } from './scripts/fragments.ts';
import { turnScript } from './scripts/turn.ts';
import { heartbeatScript, leaveScript, progressScript, pruneScript } from './scripts/upkeep.ts';
import { countsScript, infoScript, listScript, watchScript } from './scripts/views.ts';

/** A job as the enqueue script takes it; see there for `how`. */
export interface NewJob {
  readonly id: string;
  readonly how: string;
  readonly json: string;
}

/** One finished run, ready to be recorded. */
export interface Settlement {
  readonly job: Pick<ClaimedJob, 'ticket' | 'attempt' | 'claimedAt'>;
  readonly outcome: Outcome;
  readonly ranMs: number;
  /** How long the outcome is kept, where it is final. */
  readonly keptMs: number;
  /** A job to enqueue in the same transition, if the settlement is accepted. */
  readonly followUp?: NewJob | undefined;
}

export interface Turn {
  /** Server time, epoch ms. */
  now: number;
  /** Milliseconds until something falls due; 0: there is more to claim; -1: nothing in sight. */
  nextIn: number;
  /** Settlements that were refused: the lease was lost, or the job is gone from Redis. */
  refused: Refusal[];
  claimed: Claim[];
}

/** A ticket claimed, with the texts of its record (null: missing) and of its last failed attempt, if any. */
export interface Claim {
  ticket: string;
  record: string | null;
  lastError: string | null;
}

export interface Refusal {
  ticket: string;
  why: 'lost' | 'gone';
}

type Reply = string | null;

export class Store {
  readonly queue: string;
  readonly keys: QueueKeys;
  readonly #connection: Connection;
  readonly #keyLists = new Map<Script, readonly string[]>();
  readonly #claimKey: string;
  readonly #worker: string;

  /** @param worker id of the worker on whose behalf this store claims; producers have none */
  constructor(connection: Connection, prefix: string, queue: string, worker = '-') {
    this.queue = queue;
    this.keys = queueKeys(prefix, queue);
    this.#connection = connection;
    this.#worker = worker;
    this.#claimKey = this.keys.claim(worker);
  }

  #run<Arg extends string>(
    script: Script<Arg>,
    args: Record<Arg, string | number>,
    rest: readonly string[] = [],
    timeoutMs?: number,
  ): Promise<unknown> {
    let keys = this.#keyLists.get(script);
    if (!keys) {
      const all: Record<string, unknown> = { ...this.keys, claim: this.#claimKey };
      keys = script.keys.map((name) => all[name] as string);
      this.#keyLists.set(script, keys);
    }
    const values = script.args.map((name) => String(args[name]));
    return this.#connection.run(script, keys, values.concat(rest), timeoutMs);
  }

  // ---- The life of a job --------------------------------------------------------------------

  /** @returns the indexes of those that were refused because their job exists */
  async enqueue(jobs: readonly NewJob[], timeoutMs?: number): Promise<Set<number>> {
    const rest: string[] = [];
    for (const job of jobs) rest.push(job.id, job.how, job.json);
    return new Set((await this.#run(enqueueScript, {}, rest, timeoutMs)) as number[]);
  }

  /** One turn of a worker. Sent again under the same number, it has no other effect than once. */
  async turn(
    turn: number,
    leaseMs: number,
    want: number,
    settlements: readonly Settlement[],
  ): Promise<Turn> {
    const followUps = settlements.flatMap(({ job, followUp }) =>
      followUp ? [job.ticket, followUp.id, followUp.json] : [],
    );
    const rest = inGroups(settlements);
    const [now, nextIn, refused, tickets, records, lastErrors] = (await this.#run(
      turnScript,
      { turn, lease: leaseMs, want, settled: settlements.length, followUps: followUps.length },
      followUps.length > 0 ? rest.concat(followUps) : rest,
    )) as [number, number, string[], string[], Reply[], Reply[]];
    const claimed = tickets.map((ticket, i) => ({
      ticket,
      record: records[i] ?? null,
      lastError: lastErrors[i] ?? null,
    }));
    return { now, nextIn, refused: refusals(refused), claimed };
  }

  /** Renews the leases of these tickets; says which are lost, and which somebody wants cancelled. */
  async heartbeat(
    presence: string,
    leaseMs: number,
    tickets: readonly string[],
  ): Promise<{ lost: Refusal[]; unwanted: string[] }> {
    const [lost, unwanted] = (await this.#run(
      heartbeatScript,
      { worker: this.#worker, presence, lease: leaseMs },
      tickets,
    )) as [string[], string[]];
    return { lost: refusals(lost), unwanted };
  }

  async leave(): Promise<void> {
    await this.#run(leaveScript, { worker: this.#worker }, [], 1_000);
  }

  /** @returns whether the run is still the one in charge */
  async progress(ticket: string, json: string): Promise<boolean> {
    return (await this.#run(progressScript, { ticket, json })) === 'stored';
  }

  /** Removes what is kept too long. @returns whether there is more of it */
  async prune(): Promise<boolean> {
    return (await this.#run(pruneScript, {})) === 'more';
  }

  // ---- What people do ------------------------------------------------------------------------

  cancel(id: string) {
    return this.#run(cancelScript, { id, control: this.keys.control }) as Promise<
      'unknown' | 'ended' | 'cancelling' | 'cancelled'
    >;
  }

  retry(id: string) {
    return this.#run(retryScript, { id }) as Promise<'unknown' | 'other' | 'queued'>;
  }

  remove(id: string) {
    return this.#run(removeScript, { id }) as Promise<'unknown' | 'active' | 'removed'>;
  }

  /** @returns how many tickets were taken out, and how many jobs they stood for */
  async purge(state: string): Promise<{ taken: number; jobs: number }> {
    const [taken, jobs] = (await this.#run(purgeScript, { state })) as [number, number];
    return { taken, jobs };
  }

  async pause(): Promise<void> {
    await this.#run(pauseScript, {});
  }

  async resume(): Promise<void> {
    await this.#run(resumeScript, {});
  }

  // ---- Views -----------------------------------------------------------------------------------

  /** Outcomes that are there already; `''` where `channel` will be told; null for an unknown job. */
  watch(ids: readonly string[], channel: string, timeoutMs: number): Promise<Reply[]> {
    return this.#run(watchScript, { channel }, ids, timeoutMs) as Promise<Reply[]>;
  }

  async info(id: string): Promise<Reply[]> {
    return (await this.#run(infoScript, { id })) as Reply[];
  }

  async list(state: string, offset: number, limit: number): Promise<Reply[][]> {
    return (await this.#run(listScript, { state, offset, limit })) as Reply[][];
  }

  counts(): Promise<number[]> {
    return this.#run(countsScript, {}) as Promise<number[]>;
  }

  stats(): Promise<Record<string, string>> {
    return this.#connection.call((client) => client.hgetall(this.keys.stats));
  }

  workers(): Promise<Record<string, string>> {
    return this.#connection.call((client) => client.hgetall(this.keys.workers));
  }
}

/** Settlements as the turn script takes them: those that end alike in a row share their head. */
function inGroups(settlements: readonly Settlement[]): string[] {
  const args: string[] = [];
  let head: { word: string; ms: number; at: number; count: number } | undefined;
  for (const settlement of settlements) {
    const word = settlement.outcome.kind;
    const ms = msOf(settlement);
    if (head?.word !== word || head.ms !== ms) {
      if (head) args[head.at] = String(head.count);
      args.push(word, String(ms), '');
      head = { word, ms, at: args.length - 1, count: 0 };
    }
    head.count++;
    args.push(settlement.job.ticket, jsonOf(settlement));
  }
  if (head) args[head.at] = String(head.count);
  return args;
}

/** How long the outcome is kept; of one that isn't final, how long the job waits. */
function msOf({ outcome, keptMs }: Settlement): number {
  switch (outcome.kind) {
    case 'completed':
    case 'failed':
      return keptMs;
    case 'cancelled':
      return CANCELLED_KEPT_MS;
    case 'retry':
    case 'postponed':
      return outcome.delayMs;
    case 'released':
      return 0;
  }
}

function jsonOf({ outcome, job, ranMs }: Settlement): string {
  switch (outcome.kind) {
    case 'completed': {
      const result = outcome.result === undefined ? '' : `"result":${outcome.result},`;
      return `{"state":"completed",${result}"attempt":${job.attempt},"startedAt":${job.claimedAt},"ranMs":${ranMs}}`;
    }
    case 'failed':
      return ended(job, ranMs, { state: 'failed', error: outcome.error });
    case 'cancelled':
      return ended(job, ranMs, { state: 'cancelled', reason: outcome.reason });
    case 'retry':
    case 'postponed':
      return JSON.stringify(outcome.error);
    case 'released':
      return '';
  }
}

const ended = (job: Settlement['job'], ranMs: number, what: StoredOutcome): string =>
  JSON.stringify({ ...what, attempt: job.attempt, startedAt: job.claimedAt, ranMs });

function refusals(flat: string[]): Refusal[] {
  const list: Refusal[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    list.push({ ticket: flat[i]!, why: flat[i + 1] as Refusal['why'] });
  }
  return list;
}
