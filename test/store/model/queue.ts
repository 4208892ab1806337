/**
 * What a queue is, by its promises: jobs by id, each in one state, and the order in which they wait. Nothing here is
 * taken from the scripts; where the two disagree, one of them is wrong.
 */
import type { FlowStep, FlowGroup, Message } from './flows.ts';

export type Lane = 'high' | 'normal' | 'low';
export const LANES: readonly Lane[] = ['high', 'normal', 'low'];
export type State =
  'waiting' | 'scheduled' | 'queued' | 'active' | 'completed' | 'failed' | 'cancelled';
export type FinalState = 'completed' | 'failed' | 'cancelled';

const HOUR = 3_600_000;
const KEPT_MS = { cancelled: HOUR, failed: 7 * 24 * HOUR };

export interface ModelJob {
  readonly id: string;
  json: string;
  /** What somebody wrote over its record. */
  spoilt?: string;
  enqueuedAt: number;
  lane: Lane;
  run: number;
  attempt: number;
  state: State;
  /** When it is due, its lease ends, or it is forgotten. */
  at: number;
  /** Of those due at the same time, who came first runs first. */
  place: number;
  /** It failed, and no result was to be kept: its id may be given again. */
  free?: boolean | undefined;
  /** Whether Redis was told that the run has begun. */
  told: boolean;
  /** Somebody wants the running job cancelled. */
  unwanted: boolean;
  outcome?: string | undefined;
  endedAt?: number | undefined;
  lastError?: string | undefined;
  progress?: string | undefined;
  /** Its failed attempts, a line each. */
  readonly attempts: string[];
  /** Channels of those who wait for its result. */
  waiters: string[];
  /** Its place in a flow, and whether its turn came. */
  step?: FlowStep | undefined;
  begun?: boolean;
}

export interface ModelTurn {
  number: number;
  settled: number;
  tickets: string[];
  /** So long a turn sent again is known. */
  until: number;
}

export interface ModelEntry {
  definition: string;
  tick: number | undefined;
  /** The last tick, what became of it, the last tick fired, and how often it fired; undefined where that is to be counted anew. */
  last:
    | { tick: number; word: string; fired: number | undefined; times: number | undefined }
    | undefined;
}

export const ticketOf = ({ id, run, attempt, lane }: ModelJob): string =>
  `${id}:${run}:${attempt}${lane === 'normal' ? '' : lane[0]}`;

export const idOf = (ticket: string): string => ticket.replace(/:\d+:\d+[hl]?$/, '');

export class ModelQueue {
  readonly name: string;
  readonly clock: { now: number };
  readonly jobs = new Map<string, ModelJob>();
  /** Tickets in line; those of jobs that left it are void, until they are met. */
  readonly lanes: Record<Lane, string[]> = { high: [], normal: [], low: [] };
  readonly void = new Set<string>();
  readonly stats: Record<string, number> = {};
  paused = false;
  /** Of ids under which the last job has another. */
  readonly again = new Map<string, string>();
  /** How many may run at once, and how many may begin within so many ms. */
  limit: { concurrency?: number; rate?: { count: number; perMs: number } } = {};
  /** When those began that count against the rate. */
  starts: number[] = [];
  /** What was published since the last look. */
  told: string[] = [];
  /** No ticket comes back: a new job of a known id begins above the runs of those that are forgotten. */
  highestRun = 1;
  forgotten = 0;
  places = 0;

  readonly turns = new Map<string, ModelTurn>();
  readonly workers = new Map<string, { at: number; counted: number }>();
  /** Workers that left, with the number of what they counted last: so long a call sent again is known. */
  readonly left = new Map<string, { number: number; until: number }>();
  readonly timings = new Map<string, number>();

  readonly entries = new Map<string, ModelEntry>();
  readonly apps = new Map<string, number>();
  beat: { worker: string; until: number } | undefined;

  readonly groups = new Set<FlowGroup>();
  readonly outbox: Message[] = [];
  /** Parts of flows of which nobody knows here that they have begun, and until when that is waited for. */
  readonly building = new Map<string, number>();
  /** What has ended leads to; done before the call is over. */
  readonly consequences: (() => void)[] = [];

  constructor(name: string, clock: { now: number }) {
    this.name = name;
    this.clock = clock;
  }

  get now(): number {
    return this.clock.now;
  }

  count(counter: string, by = 1): void {
    this.stats[counter] = (this.stats[counter] ?? 0) + by;
  }

  /** The job that runs under this ticket. */
  running(ticket: string): ModelJob | undefined {
    const job = this.jobs.get(idOf(ticket));
    return job?.state === 'active' && ticketOf(job) === ticket ? job : undefined;
  }

  /** Those of one state, the first in time first. */
  inOrder(state: State, upTo = Infinity): ModelJob[] {
    const jobs = [...this.jobs.values()].filter((job) => job.state === state && job.at <= upTo);
    const name = (job: ModelJob) => (ended(job) || state === 'waiting' ? job.id : ticketOf(job));
    const place = (job: ModelJob) => (state === 'scheduled' ? job.place : 0);
    return jobs.sort((a, b) => a.at - b.at || place(a) - place(b) || (name(a) < name(b) ? -1 : 1));
  }

  create(id: string, json: string, lane: Lane, run: number): ModelJob {
    const job: ModelJob = {
      id, json, lane, run,
      enqueuedAt: this.now, attempt: 1, state: 'waiting', at: this.now, place: 0, told: false, unwanted: false, attempts: [], waiters: [],
    }; // prettier-ignore
    this.jobs.set(id, job);
    this.count('enqueued');
    return job;
  }

  /** Ready to be claimed, or later. */
  line(job: ModelJob, due = 0): void {
    if (due > this.now) {
      job.state = 'scheduled';
      job.at = due;
      job.place = ++this.places;
    } else {
      job.state = 'queued';
      job.at = 0;
      this.lanes[job.lane].push(ticketOf(job));
    }
  }

  inLine(lane: Lane): string[] {
    return this.lanes[lane].filter((ticket) => !this.void.has(ticket));
  }

  /** The first ones, high before normal before low. */
  take(count: number): ModelJob[] {
    const taken: ModelJob[] = [];
    for (const lane of LANES) {
      while (taken.length < count && this.lanes[lane].length > 0) {
        const ticket = this.lanes[lane].shift()!;
        if (!this.void.delete(ticket)) taken.push(this.jobs.get(idOf(ticket))!);
      }
    }
    return taken;
  }

  /** No ticket comes back, also where a call sent again brings an id back. */
  beginRuns(job: ModelJob): void {
    if (this.void.has(ticketOf(job))) job.run = this.highestRun + 1;
  }

  /** Out of line, where it stands there. */
  leaveLine(job: ModelJob): void {
    if (job.state === 'queued') this.void.add(ticketOf(job));
  }

  /** The right to the run it had is void. */
  nextRun(job: ModelJob, uses: 0 | 1): void {
    job.run++;
    job.attempt += uses;
    job.unwanted = false;
  }

  end(job: ModelJob, state: FinalState, outcome: string, keptMs: number): void {
    this.leaveLine(job);
    Object.assign(job, { state, outcome, endedAt: this.now, at: this.now + keptMs, unwanted: false, free: false }); // prettier-ignore
    job.lastError = undefined;
    this.count(state);
    this.tell(job, keptMs === 0 ? '' : `${this.now}${outcome}`); // nobody gets what nobody keeps
    this.follow(job, outcome);
    if (keptMs === 0) this.forget(job);
  }

  /** Its worker is told that somebody wants the running job cancelled. */
  want(job: ModelJob): void {
    job.unwanted = true;
    this.told.push(`control ${ticketOf(job)}`);
  }

  cancelled(job: ModelJob): void {
    // A step that never had its turn lacks its argument: it can't be run again.
    const early = job.step && !job.begun ? `,"step":"${job.id}"` : '';
    const outcome = `{"state":"cancelled","reason":"cancelled"${early}}`;
    this.end(job, 'cancelled', outcome, KEPT_MS.cancelled);
  }

  failedFor(job: ModelJob, origin: string, error: string): void {
    const outcome = `{"state":"failed","error":${error},"step":"${origin}"}`;
    this.end(job, 'failed', outcome, KEPT_MS.failed);
  }

  /** What comes after a step of a flow gets its result, or its error. */
  follow({ id, step }: ModelJob, outcome: string): void {
    const next = step?.next;
    if (!next) return;
    const { state, result, error, step: origin } = JSON.parse(outcome) as {
      state: FinalState; result?: unknown; error?: unknown; step?: string;
    }; // prettier-ignore
    if (state === 'completed') {
      this.consequences.push(() => next.go(this, JSON.stringify(result ?? null)));
    } else {
      const why = error ?? { name: 'JobCancelledError', message: `job ${id} was cancelled` };
      this.consequences.push(() => next.fail(this, origin ?? id, JSON.stringify(why)));
    }
  }

  drawConsequences(): void {
    for (let next; (next = this.consequences.shift());) next();
  }

  /** No trace is left of it. Who waits for it hears that it is gone. */
  forget(job: ModelJob): void {
    this.jobs.delete(job.id);
    const first = /^(.+):again:\d+$/.exec(job.id)?.[1];
    if (first !== undefined && this.again.get(first) === job.id) this.again.delete(first);
    this.forgotten++;
    this.highestRun = Math.max(this.highestRun, job.run);
    this.tell(job, '');
  }

  tell(job: ModelJob, text: string): void {
    for (const channel of job.waiters) this.told.push(`${channel} ${job.id} ${text}`);
    job.waiters = [];
  }
}

export const ended = ({ state }: ModelJob): boolean =>
  state === 'completed' || state === 'failed' || state === 'cancelled';

/** What is past its time is unknown from that moment, whenever it is pruned. */
export const known = (queue: ModelQueue, id: string): ModelJob | undefined => {
  const job = queue.jobs.get(id);
  return job && ended(job) && job.at <= queue.now ? undefined : job;
};

/** Its record as it lies in Redis. */
export const recordOf = ({ spoilt, enqueuedAt, json }: ModelJob): string =>
  spoilt ?? `${enqueuedAt}${json}`;
