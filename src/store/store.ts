/**
 * The state of one queue in Redis: a method for each transition, and nobody else changes it.
 * The transitions themselves are in scripts/; here their arguments are laid out and their replies read.
 */
import { now } from '../job/globals.ts';
import { isName } from '../job/names.ts';
import type { NewJob } from '../job/record.ts';
import { BLOCKED_MS, BLOCKED_TIMES } from './buckets.ts';
import type { Connection } from '../redis/connection.ts';
import { Caller, inRows, type Reply } from './caller.ts';
import { CronStore } from './cron.ts';
import { deadlineIn, type Deadline } from '../job/duration.ts';
import { FigureStore } from './figures.ts';
import { FlowStore } from './flow.ts';
import { queuesKey, type QueueKeys } from './keys.ts';
import { RepairStore } from './repair.ts';
import {
  cancelScript,
  pauseScript,
  purgeScript,
  removeScript,
  rescheduleScript,
  resumeScript,
  retryScript,
} from './scripts/control.ts';
import { callScripts, enqueueScripts, laidOut } from './scripts/enqueue.ts';
import { forgetScript } from './scripts/forget.ts';
import { limitScript } from './scripts/limit.ts';
import { turnScript } from './scripts/turn.ts';
import { readTurn, refusals, type Refusal, type Turn, type TurnReply } from './turn.ts';
import {
  heartbeatScript,
  keepLogScript,
  leaveScript,
  progressScript,
  pruneScript,
} from './scripts/upkeep.ts';
import {
  countsScript,
  infoScript,
  listScript,
  strangersScript,
  watchScript,
} from './scripts/views.ts';
import { settlementArgs, type Counted, type Settlement } from './settlement.ts';

/** Most queues that are known by name; the ones not seen for longest are forgotten. */
const MAX_QUEUES = 1_000;

/** How long outcomes are kept, in ms, and how many of them. */
export interface Keep {
  completed: { age: number; count: number };
  failed: { age: number; count: number };
}

/** Most bytes of records in a reply, where nothing else is said. */
const ROOM = 4_194_304;

/** Of a whole queue. */
export interface Limit {
  concurrency?: number | undefined;
  rate?: { count: number; perMs: number } | undefined;
}

const NOTHING: Counted = { number: 0, pairs: [] };

export class Store {
  readonly queue: string;
  readonly keys: QueueKeys;
  readonly cron: CronStore;
  readonly flows: FlowStore;
  readonly repairs: RepairStore;
  readonly figures: FigureStore;
  readonly #caller: Caller;
  /** For turns: two may be under way, and each has a key for what it claimed. */
  readonly #tracks: readonly [Caller, Caller];

  /** @param worker id of the worker on whose behalf this store claims; producers have none */
  constructor(connection: Connection, prefix: string, queue: string, worker = '-') {
    this.#caller = new Caller(connection, prefix, queue, worker);
    this.#tracks = [this.#caller, new Caller(connection, prefix, queue, `${worker}:2`)];
    this.queue = queue;
    this.keys = this.#caller.keys;
    this.cron = new CronStore(this.#caller);
    this.flows = new FlowStore(this.#caller);
    this.repairs = new RepairStore(this.#caller);
    this.figures = new FigureStore(this.#caller);
  }

  /** The same of another queue. */
  on(queue: string): Store {
    const { connection, prefix, worker } = this.#caller;
    return new Store(connection, prefix, queue, worker);
  }

  // ---- The life of a job --------------------------------------------------------------------

  /** @returns the indexes of those that were refused because their job exists, and ids of jobs that are meant where they are others */
  async enqueue(
    jobs: readonly NewJob[],
    deadline?: Deadline,
  ): Promise<{ refused: Set<number>; renamed: Map<number, string> }> {
    const { kind, args } = laidOut(jobs);
    const reply = await this.#caller.run(enqueueScripts[kind], {}, args, deadline);
    const [refused = [], renamed = []] = reply as [number[]?, (number | string)[]?];
    return {
      refused: new Set(refused),
      renamed: new Map(inRows(renamed, 2) as [number, string][]),
    };
  }

  /**
   * Enqueues jobs, and has `channel` told how each ends.
   * @returns for each of them what `watch` says, nothing where all were new; and the indexes of those that were refused
   */
  async call(
    jobs: readonly NewJob[],
    channel: string,
    deadline?: Deadline,
  ): Promise<{ refused: Set<number>; outcomes: Reply[] }> {
    const { kind, args } = laidOut(jobs);
    const reply = await this.#caller.run(callScripts[kind], { channel }, args, deadline);
    const [refused, outcomes] = reply as [number[], Reply[]];
    return { refused: new Set(refused), outcomes };
  }

  /**
   * One turn of a worker. Sent again under the same number, it has no other effect than once.
   * @param want how many jobs to claim
   * @param named tickets to look for in `scheduled` first, though they aren't due
   * @param room most bytes of records in the reply; one comes at least, though with no room at all only its length
   * @param track which of the worker's two: each has its own numbers
   */
  async turn(
    turn: number,
    leaseMs: number,
    want: number,
    settlements: readonly Settlement[],
    {
      named = [],
      room = ROOM,
      track = 0,
    }: { named?: readonly string[]; room?: number; track?: number } = {},
  ): Promise<Turn> {
    const { groups, followUps } = settlementArgs(settlements);
    const reply = await this.#tracks[track]!.run(
      turnScript,
      {
        turn,
        lease: leaseMs,
        want,
        settled: settlements.length,
        followUps: followUps.length,
        named: named.length,
        room,
      },
      followUps.length + named.length > 0 ? groups.concat(followUps, named) : groups,
    );
    return readTurn(reply as TurnReply);
  }

  /**
   * These have begun: from now on a crash charges them. What isn't active any more is left as it is; sent again, or late, it
   * shortens no lease.
   * @param claims with the server time of their claim
   */
  async begun(
    claims: readonly { ticket: string; claimedAt: number }[],
    leaseMs: number,
  ): Promise<void> {
    const leases = claims.flatMap(({ ticket, claimedAt }) => [claimedAt + leaseMs, ticket]);
    const { active } = this.keys;
    await this.#caller.connection.call((client) => client.zadd(active, 'XX', 'GT', ...leases));
  }

  /**
   * Renews the leases of these tickets; says which are lost, and which somebody wants cancelled.
   * @param presence JSON object
   */
  async heartbeat(
    presence: string,
    leaseMs: number,
    tickets: readonly string[],
    app = '',
    { number, pairs }: Counted = NOTHING,
  ): Promise<{ lost: Refusal[]; unwanted: string[]; tick: number; appKnown: boolean }> {
    const [lost, unwanted, tick, known] = (await this.#caller.run(
      heartbeatScript,
      { worker: this.#caller.worker, presence, lease: leaseMs, app, number, held: tickets.length },
      tickets.concat(pairs),
    )) as [string[], string[], number, number];
    return { lost: refusals(lost), unwanted, tick, appKnown: known === 1 };
  }

  /** Tells the workers of this queue. */
  async tell(message: string): Promise<void> {
    await this.#caller.connection.call((client) => client.publish(this.keys.control, message));
  }

  /** Jobs due soon whose function was unknown where they were claimed: ticket and last error of each. */
  async strangers(): Promise<string[][]> {
    return inRows((await this.#caller.run(strangersScript, {})) as string[], 2);
  }

  async leave({ number, pairs }: Counted = NOTHING): Promise<void> {
    await this.#caller.run(
      leaveScript,
      { worker: this.#caller.worker, number },
      pairs,
      deadlineIn(1_000),
    );
  }

  /** Where the names of all queues are. */
  get queuesKey(): string {
    return queuesKey(this.#caller.prefix);
  }

  /** Says that this queue is used, to those who ask for all queues. */
  async announce(): Promise<void> {
    const key = this.queuesKey;
    const { connection } = this.#caller;
    await Promise.all([
      connection.call((client) => client.zadd(key, now(), this.queue)),
      connection.call((client) => client.zremrangebyrank(key, 0, -MAX_QUEUES - 1)),
    ]);
  }

  /** @returns whether the run is still the one in charge */
  /** Adds lines to the log of a job that this ticket runs. */
  keepLog(ticket: string, text: string): Promise<unknown> {
    return this.#caller.run(keepLogScript, { ticket, text });
  }

  async progress(ticket: string, json: string): Promise<boolean> {
    return (await this.#caller.run(progressScript, { ticket, json })) === 'stored';
  }

  /**
   * Removes what is kept too long, and notes how things stand.
   * @param keep the bounds from now on, for all workers of the queue
   * @returns whether there is more to remove
   */
  async prune(keep?: Keep): Promise<boolean> {
    const args = {
      keepCompleted: keep?.completed.count ?? '',
      keepFailed: keep?.failed.count ?? '',
      keepFailedMs: keep?.failed.age ?? '',
    };
    return (await this.#caller.run(pruneScript, args)) === 'more';
  }

  // ---- What people do ------------------------------------------------------------------------

  cancel(id: string) {
    return this.#caller.run(cancelScript, { id, control: this.keys.control }) as Promise<
      'unknown' | 'ended' | 'cancelling' | 'cancelled' | 'flow'
    >;
  }

  /** @param ids at most 100; of a step for which others were revived its mark */
  retry(ids: readonly string[]) {
    return this.#caller.run(retryScript, {}, ids) as Promise<
      ('unknown' | 'other' | 'given up' | 'queued')[]
    >;
  }

  /** @param due `+<ms>` from now, or epoch ms */
  reschedule(id: string, due: string) {
    return this.#caller.run(rescheduleScript, { id, due }) as Promise<
      'unknown' | 'other' | 'scheduled' | 'queued'
    >;
  }

  remove(id: string) {
    return this.#caller.run(removeScript, { id }) as Promise<'unknown' | 'active' | 'removed'>;
  }

  /** @returns how many tickets were taken out, and how many jobs they stood for */
  async purge(state: string): Promise<{ taken: number; jobs: number }> {
    const [taken, jobs] = (await this.#caller.run(purgeScript, { state })) as [number, number];
    return { taken, jobs };
  }

  async pause(): Promise<void> {
    await this.#caller.run(pauseScript, {});
  }

  async resume(): Promise<void> {
    await this.#caller.run(resumeScript, {});
  }

  /** @param limit undefined: none */
  async limit({ concurrency, rate }: Limit = {}): Promise<void> {
    const args = {
      concurrency: concurrency ?? '',
      rate: rate?.count ?? '',
      per: rate?.perMs ?? '',
    };
    await this.#caller.run(limitScript, args);
  }

  /** Removes the queue, unless workers are alive or jobs have not ended. @returns how many of these there are */
  async forget(): Promise<{ workers: number; jobs: number }> {
    const [workers, jobs] = (await this.#caller.run(forgetScript, {})) as [number, number];
    if (workers === 0 && jobs <= 0) {
      const { connection, prefix } = this.#caller;
      await connection.call((client) => client.zrem(queuesKey(prefix), this.queue));
    }
    return { workers, jobs };
  }

  // ---- Views -----------------------------------------------------------------------------------

  /** Outcomes that are there already; `''` where `channel` will be told; null for an unknown job. */
  watch(ids: readonly string[], channel: string, deadline?: Deadline): Promise<Reply[]> {
    return this.#caller.run(watchScript, { channel }, ids, deadline) as Promise<Reply[]>;
  }

  async info(id: string): Promise<{ row: Reply[]; attempts: Reply; log: Reply }> {
    const reply = (await this.#caller.run(infoScript, { id })) as [Reply[], Reply?, Reply?];
    const [row, attempts = null, log = null] = reply;
    return { row, attempts, log };
  }

  /**
   * @param only `text`: in lower case, as it stands in JSON; `most`: how many jobs to look through
   * @returns how many were looked through
   */
  async list(
    state: string,
    offset: number,
    limit: number,
    { fn = '', text = '', inArgs = '', most = limit, bytes = 0 } = {},
  ): Promise<{ seen: number; rows: Reply[][] }> {
    const args = { state, offset, limit, fn, piece: text, inArgs, most, bytes };
    const [seen, rows] = (await this.#caller.run(listScript, args)) as [number, Reply[][]];
    return { seen, rows };
  }

  /** Redis's clock, epoch ms. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.#caller.connection.call((client) => client.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  /** Names of the queues that anybody has used, the last one first. */
  async queues(): Promise<string[]> {
    return (await this.knownQueues())?.names ?? [];
  }

  /** The same, with what stands among them and is no name: somebody else wrote it. Nothing at all where the key is of another type. */
  async knownQueues(): Promise<{ names: string[]; stray: string[] } | undefined> {
    try {
      const key = this.queuesKey;
      const all = await this.#caller.connection.call((client) =>
        client.zrange(key, '0', '-1', 'REV'),
      );
      return { names: all.filter(isName), stray: all.filter((name) => !isName(name)) };
    } catch (error) {
      if (/WRONGTYPE/.test((error as Error).message)) return undefined;
      throw error;
    }
  }

  /** As the script replies: see there. */
  counts(): Promise<(number | Reply[])[]> {
    return this.#caller.run(countsScript, {}) as Promise<(number | Reply[])[]>;
  }

  /** Counters of jobs, and of what happened to workers. */
  async stats() {
    const { connection } = this.#caller;
    const [stored, [blocked, blockedMs]] = await Promise.all([
      connection.call((client) => client.hgetall(this.keys.stats)),
      connection.call((client) => client.hmget(this.keys.timings, BLOCKED_TIMES, BLOCKED_MS)),
    ]);
    return { stored, blocked, blockedMs };
  }

  workers(): Promise<Record<string, string>> {
    return this.#caller.connection.call((client) => client.hgetall(this.keys.workers));
  }

  /** Id of the worker that beats. */
  beatHolder(): Promise<Reply> {
    return this.#caller.connection.call((client) => client.get(this.keys.beat));
  }
}
