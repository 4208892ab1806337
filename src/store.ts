/**
 * The state of one queue in Redis: a method for each transition, and nobody else changes it.
 * The transitions themselves are in scripts/; here their arguments are laid out and their replies read.
 */
import type { Connection } from './connection.ts';
import { queueKeys, type QueueKeys } from './keys.ts';
import type { Script } from './script.ts';
import {
  cancelScript,
  pauseScript,
  purgeScript,
  removeScript,
  resumeScript,
  retryScript,
} from './scripts/control.ts';
import {
  beatScript,
  entriesScript,
  releaseBeatScript,
  writeEntriesScript,
} from './scripts/cron.ts';
import { enqueueScript } from './scripts/enqueue.ts';
import { turnScript } from './scripts/turn.ts';
import { heartbeatScript, leaveScript, progressScript, pruneScript } from './scripts/upkeep.ts';
import { countsScript, infoScript, listScript, watchScript } from './scripts/views.ts';
import { settlementArgs, type NewJob, type Settlement } from './settlement.ts';

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

/** An entry that is to fire, as the beat saw it, and what is to become of it. */
export interface Firing {
  name: string;
  /** The tick and the definition that the caller saw: if Redis has others by now, nothing is done. */
  tick: number;
  definition: string;
  next: number | undefined;
  overlap: boolean;
  /** Lane letter, `-` for normal. */
  letter: string;
  latest: number;
  jobs: readonly { tick: number; json: string }[];
}

export interface BeatReply {
  now: number;
  /** Whether this worker beats. */
  mine: boolean;
  /** Whether the app has written down its entries (Redis may have been emptied since). */
  known: boolean;
  /** First tick to come, epoch ms; undefined where there is no entry. */
  next: number | undefined;
  due: { name: string; tick: number; definition: string }[];
  /** Of the firings given, those that took place. */
  done: { name: string; fired: number; skipped: number }[];
}

/** A change to the cron entries. Empty definitions: there was none, there shall be none. */
export interface EntryChange {
  name: string;
  seen: string;
  definition: string;
  /** Next tick, where the entry doesn't keep its own. */
  tick?: number | undefined;
}

/** An entry as it lies in Redis. */
export interface StoredEntry {
  name: string;
  definition: string;
  tick: number | undefined;
  /** `<tick> <fired | skipped | missed> <last tick fired>`, or empty. */
  last: string;
  /** State of the last job fired. */
  state: string;
}

type Reply = string | null;

/** Entries read in one call. */
const ENTRIES_A_CALL = 200;

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
    const { groups, followUps } = settlementArgs(settlements);
    const [now, nextIn, refused, tickets, records, lastErrors] = (await this.#run(
      turnScript,
      { turn, lease: leaseMs, want, settled: settlements.length, followUps: followUps.length },
      followUps.length > 0 ? groups.concat(followUps) : groups,
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
    app = '',
  ): Promise<{ lost: Refusal[]; unwanted: string[]; tick: number; appKnown: boolean }> {
    const [lost, unwanted, tick, known] = (await this.#run(
      heartbeatScript,
      { worker: this.#worker, presence, lease: leaseMs, app },
      tickets,
    )) as [string[], string[], number, number];
    return { lost: refusals(lost), unwanted, tick, appKnown: known === 1 };
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

  // ---- Cron ------------------------------------------------------------------------------------

  /** Fires these entries, and looks what is due. With none to fire it only looks. */
  async beat(app: string, firings: readonly Firing[] = []): Promise<BeatReply> {
    const rest = firings.flatMap((each) => [
      each.name,
      String(each.tick),
      each.definition,
      each.next === undefined ? '' : String(each.next),
      each.overlap ? '1' : '0',
      each.letter,
      String(each.latest),
      String(each.jobs.length),
      ...each.jobs.flatMap(({ tick, json }) => [String(tick), json]),
    ]);
    const [now, mine, known, next, due, done] = (await this.#run(
      beatScript,
      { worker: this.#worker, app },
      rest,
    )) as [number, number, number, number, string[], (string | number)[]];
    return {
      now,
      mine: mine === 1,
      known: known === 1,
      next: next < 0 ? undefined : next,
      due: inRows(due, 3).map(([name, tick, definition]) => ({
        name: name!,
        tick: Number(tick),
        definition: definition!,
      })),
      done: inRows(done, 3).map(([name, fired, skipped]) => ({
        name: name as string,
        fired: fired as number,
        skipped: skipped as number,
      })),
    };
  }

  async releaseBeat(): Promise<void> {
    const { control } = this.keys;
    await this.#run(releaseBeatScript, { worker: this.#worker, control }, [], 1_000);
  }

  /** @param app that has now written down its entries; empty: none has */
  writeEntries(app: string, changes: readonly EntryChange[]) {
    const rest = changes.flatMap(({ name, seen, definition, tick }) => [
      name,
      seen,
      definition,
      tick === undefined ? '' : String(tick),
    ]);
    const { control } = this.keys;
    return this.#run(writeEntriesScript, { app, control }, rest) as Promise<
      'written' | 'changed' | 'full'
    >;
  }

  /** The entries of these names, or all, and the server's time. */
  async entries(names?: readonly string[]): Promise<{ now: number; entries: StoredEntry[] }> {
    const wanted = names ?? (await this.#entryNames());
    let now = 0;
    const entries: StoredEntry[] = [];
    for (let i = 0; i === 0 || i < wanted.length; i += ENTRIES_A_CALL) {
      const reply = (await this.#run(entriesScript, {}, wanted.slice(i, i + ENTRIES_A_CALL))) as [
        number,
        string[][],
      ];
      now = reply[0];
      for (const [name, definition, tick, last, state] of reply[1]) {
        entries.push({
          name: name!,
          definition: definition!,
          tick: tick ? Number(tick) : undefined,
          last: last!,
          state: state!,
        });
      }
    }
    return { now, entries };
  }

  async #entryNames(): Promise<string[]> {
    const names = new Set<string>(); // a scan may tell of an entry twice
    let cursor = '0';
    do {
      const [next, found] = await this.#connection.call((client) =>
        client.hscan(this.keys.entries, cursor, 'COUNT', ENTRIES_A_CALL),
      );
      for (let i = 0; i < found.length; i += 2) names.add(found[i]!);
      cursor = next;
    } while (cursor !== '0');
    return [...names].sort();
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

  /** Id of the worker that beats. */
  beatHolder(): Promise<Reply> {
    return this.#connection.call((client) => client.get(this.keys.beat));
  }
}

const refusals = (flat: string[]): Refusal[] =>
  inRows(flat, 2).map(([ticket, why]) => ({ ticket: ticket!, why: why as Refusal['why'] }));

function inRows<T>(flat: readonly T[], width: number): T[][] {
  const rows: T[][] = [];
  for (let i = 0; i < flat.length; i += width) rows.push(flat.slice(i, i + width));
  return rows;
}
