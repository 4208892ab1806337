/** The life of a job in the model: enqueue, turn, heartbeat, and what a worker does beside. */
import type { NewJob } from '../../../src/job/record.ts';
import { settlementArgs, type Settlement } from '../../../src/store/settlement.ts';
import { askAbout } from './flows.ts';
import { BEGINS_LATER_MS } from '../../../src/store/scripts/limit.ts';
import {
  ended,
  idOf,
  known,
  ticketOf,
  LANES,
  type Lane,
  type ModelJob,
  type ModelQueue,
  recordOf,
} from './queue.ts';

const CANCELLED_KEPT_MS = 3_600_000;
const WORKER_GONE_MS = 60_000;
export const BEAT_MS = 15_000;

export interface Refused {
  ticket: string;
  why: 'lost' | 'gone';
}

export interface TurnReply {
  now: number;
  nextIn: number;
  refused: Refused[];
  claimed: { ticket: string; record: string; lastError: string | null; claimedAt: number }[];
  post: string[];
}

export type Mode = '-' | 'pending' | 'kept' | 'waiting';

/** A job is accepted, or refused because its id is taken. */
export function place(queue: ModelQueue, id: string, json: string, lane: Lane, mode: Mode, due: number): boolean {
  const old = queue.jobs.get(id);
  // The same call sent again is a success, and no second job.
  if (old && (mode === '-' || old.json === json)) return true;
  if (old) {
    if (!ended(old) || (mode === 'kept' && !old.free && known(queue, id))) return false;
    queue.forget(old);
  }
  const job = queue.create(id, json, lane, mode === '-' ? 1 : queue.highestRun + 1);
  queue.beginRuns(job);
  queue.line(job, due);
  return true;
} // prettier-ignore

/** Only one may wait. @returns whether it is accepted, and the id of the job that is meant */
function placeWaiting(queue: ModelQueue, id: string, json: string, lane: Lane, due: number): [boolean, string] {
  const last = queue.again.get(id) ?? id;
  const old = queue.jobs.get(last);
  if (old?.json === json) return [true, last];
  if (old && !ended(old) && old.state !== 'active') return [false, last];
  const goesOn = (each: string) => {
    const job = queue.jobs.get(each);
    return job !== undefined && !ended(job);
  };
  let own = id;
  for (let n = 1; goesOn(own); n++) own = `${id}:again:${n}`;
  const accepted = place(queue, own, json, lane, 'pending', due);
  if (own === id) queue.again.delete(id);
  else queue.again.set(id, own);
  return [accepted, own];
} // prettier-ignore

/** `how` as the script takes it. @returns the indexes of those refused, and of those that are meant to be others, with their ids */
export function enqueue(queue: ModelQueue, jobs: readonly NewJob[]): { refused: number[]; renamed: [number, string][] } {
  const renamed: [number, string][] = [];
  const refused = jobs.flatMap(({ id, how, json }, i) => {
    const [letter = 'n', mode = '-', due = '0'] = how ? how.split(' ') : [];
    const lane = LANES.find((each) => each[0] === letter)!;
    const at = due.startsWith('+') ? queue.now + Number(due) : Number(due);
    if (mode !== 'waiting') return place(queue, id, json, lane, mode as Mode, at) ? [] : [i];
    const [accepted, own] = placeWaiting(queue, id, json, lane, at);
    if (own !== id) renamed.push([i, own]);
    return accepted ? [] : [i];
  });
  return { refused, renamed };
} // prettier-ignore

/** Why a run is refused that is no longer the one in charge. */
const whyRefused = (queue: ModelQueue, ticket: string): Refused => ({
  ticket,
  why: queue.jobs.has(idOf(ticket)) ? 'lost' : 'gone',
});

/** @returns the job, if it goes back to the front of its lane; false where the ticket is no longer in charge */
function settle(queue: ModelQueue, settlement: Settlement): ModelJob | boolean {
  const { outcome, job: run } = settlement;
  const job = queue.running(run.ticket);
  if (!job) return false;
  const json = settlementArgs([settlement]).groups[4]!;
  const { kind } = outcome;
  if (kind === 'completed' || kind === 'failed' || kind === 'cancelled') {
    queue.end(job, kind, json, kind === 'cancelled' ? CANCELLED_KEPT_MS : settlement.keptMs);
    job.free = kind === 'failed' && settlement.free;
    return true;
  }
  if (job.unwanted) {
    queue.cancelled(job);
    return true;
  }
  queue.nextRun(job, kind === 'retry' ? 1 : 0);
  if (kind === 'released') return job;
  job.state = 'scheduled';
  job.at = queue.now + outcome.delayMs;
  job.place = ++queue.places;
  job.lastError = json;
  if (kind === 'retry') job.attempts.push(`${queue.now}${json}`);
  queue.count('retried');
  return true;
}

/** A lease has ended: the run is lost, the job is not. */
function recover(queue: ModelQueue, job: ModelJob): void {
  if (job.unwanted) return;
  const lost = '{"name":"WorkerLostError","message":"the worker died or lost its lease';
  job.lastError = job.told
    ? `${lost}","attempt":${job.attempt}}`
    : `${lost} before it had said that the job began","inHand":true}`;
  if (job.told) job.attempts.push(`${queue.now}${job.lastError}`);
  queue.nextRun(job, job.told ? 1 : 0);
  queue.line(job);
  queue.count('recovered');
}

export function turn(
  queue: ModelQueue,
  worker: string,
  number: number,
  leaseMs: number,
  want: number,
  settlements: readonly Settlement[],
  named: readonly string[],
): TurnReply {
  const { now } = queue;
  let last = queue.turns.get(worker);
  if (last && last.until < now) last = undefined;
  // An old turn that comes late does nothing.
  if (last && number < last.number) return { now, nextIn: -1, refused: [], claimed: [], post: [] };
  const again = last?.number === number ? last : undefined;

  const released: ModelJob[] = [];
  const refused: Refused[] = [];
  const followUps: NewJob[] = [];
  for (const [i, settlement] of settlements.entries()) {
    const settled = settle(queue, settlement);
    if (settled === true && settlement.followUp) followUps.push(settlement.followUp);
    if (typeof settled === 'object') released.push(settled);
    // What the turn settled before it was sent again is no news.
    else if (!settled && i >= (again?.settled ?? 0))
      refused.push(whyRefused(queue, settlement.job.ticket));
  }
  // In front of the queue they stand in their old order.
  for (const job of released.reverse()) {
    Object.assign(job, { state: 'queued', at: 0 });
    queue.lanes[job.lane].unshift(ticketOf(job));
  }
  if (refused.length > 0) queue.count('refused', refused.length);
  for (const { id, json } of followUps) place(queue, id, json, 'normal', '-', 0);

  for (const job of queue.inOrder('scheduled', now)) queue.line(job);
  const over = queue.inOrder('active', now);
  for (const job of over) recover(queue, job);
  for (const job of over) if (job.unwanted) queue.cancelled(job);
  queue.drawConsequences();

  const before = again?.tickets.flatMap((ticket) => queue.running(ticket) ?? []) ?? [];
  // Sent again without a wish to claim, it gives back what it had got.
  for (const job of want > 0 ? [] : before.reverse()) {
    if (job.unwanted) {
      queue.cancelled(job);
      continue;
    }
    queue.nextRun(job, 0);
    Object.assign(job, { state: 'queued', at: 0 });
    queue.lanes[job.lane].unshift(ticketOf(job));
  }
  queue.drawConsequences();
  const most = Math.min(want, allowance(queue).free);
  const claimed = again ? (want > 0 ? before : []) : queue.paused ? [] : claim(queue, most, named);
  if (!again && queue.limit.rate) queue.starts.push(...claimed.map(() => now));
  for (const job of claimed) {
    job.state = 'active';
    const at = now + leaseMs - 0.5;
    if (at > job.at) Object.assign(job, { at, told: false });
  }
  const tickets = claimed.map(ticketOf);
  queue.turns.set(worker, { number, settled: settlements.length, tickets, until: now + 2 * leaseMs }); // prettier-ignore
  return {
    now,
    nextIn: nextIn(queue),
    refused,
    claimed: claimed.map((job) => ({
      ticket: ticketOf(job),
      record: recordOf(job),
      lastError: job.lastError ?? null,
      claimedAt: now,
    })),
    post: queue.outbox.slice(0, 20).map(({ text }) => text),
  };
}

/** Those named first, where they are still put off. */
function claim(queue: ModelQueue, want: number, named: readonly string[]): ModelJob[] {
  const first = named.flatMap((ticket) => {
    const job = queue.jobs.get(idOf(ticket));
    return job?.state === 'scheduled' && ticketOf(job) === ticket ? job : [];
  });
  const taken = first.slice(0, want);
  for (const job of taken) Object.assign(job, { state: 'active', at: 0 });
  return [...taken, ...queue.take(want - taken.length)];
}

/** How many more may be claimed, and when the next one may, where the rate is used up. */
function allowance(queue: ModelQueue): { free: number; at?: number } {
  const { concurrency = Infinity, rate } = queue.limit;
  const free = concurrency - queue.inOrder('active').length;
  if (!rate) return { free: Math.max(0, free) };
  const per = rate.perMs + BEGINS_LATER_MS;
  const counted = queue.starts.filter((at) => at > queue.now - per).sort((a, b) => a - b);
  queue.starts = counted;
  const left = rate.count - counted.length;
  if (left > 0) return { free: Math.max(0, Math.min(free, left)) };
  return { free: 0, at: Math.max(queue.now + 1, counted[-left]! + per + 1) };
}

/** 0: there is more to claim; -1: nothing is in sight. */
function nextIn(queue: ModelQueue): number {
  const coming = [...queue.inOrder('scheduled'), ...queue.inOrder('active')].map(({ at }) => at);
  const { free, at } = allowance(queue);
  if (!queue.paused && free > 0 && LANES.some((lane) => queue.inLine(lane).length > 0)) return 0;
  // A ticket that is void is found out when it is claimed.
  const waits = !queue.paused && LANES.some((lane) => queue.lanes[lane].length > 0);
  if (waits && at !== undefined) coming.push(at);
  return coming.length === 0 ? -1 : Math.max(0, Math.ceil(Math.min(...coming) - queue.now));
}

/** Runs have begun. One that is lost is left alone; said late, it shortens no lease. */
export function begun(queue: ModelQueue, tickets: readonly string[], at: number): void {
  for (const ticket of tickets) {
    const job = queue.running(ticket);
    if (job && at > job.at) Object.assign(job, { at, told: true });
  }
}

/** What a worker has counted counts once, however often it is sent. */
function tally(queue: ModelQueue, worker: string, number: number, pairs: readonly string[]): number {
  const before = queue.workers.get(worker)?.counted ?? 0;
  if (number <= before) return before;
  for (let i = 0; i < pairs.length; i += 2) {
    queue.timings.set(pairs[i]!, (queue.timings.get(pairs[i]!) ?? 0) + Number(pairs[i + 1]));
  }
  return number;
} // prettier-ignore

export function heartbeat(
  queue: ModelQueue,
  worker: string,
  leaseMs: number,
  tickets: readonly string[],
  app: string,
  counted: { number: number; pairs: readonly string[] },
) {
  queue.workers.set(worker, {
    at: queue.now,
    counted: tally(queue, worker, counted.number, counted.pairs),
  });
  const { beat } = queue;
  if (beat?.worker === worker && beat.until >= queue.now) beat.until = queue.now + BEAT_MS;
  const lost = tickets.filter((ticket) => !queue.running(ticket));
  for (const ticket of tickets) {
    const job = queue.running(ticket);
    if (job) Object.assign(job, { at: queue.now + leaseMs, told: true });
  }
  const ticks = [...queue.entries.values()].flatMap(({ tick = Infinity }) =>
    tick === Infinity ? [] : tick,
  );
  return {
    lost: lost.map((ticket) => whyRefused(queue, ticket)),
    unwanted: tickets.filter((ticket) => queue.running(ticket)?.unwanted),
    tick: ticks.length > 0 ? Math.min(...ticks) : -1,
    appKnown: queue.apps.has(app),
  };
}

export function leave(
  queue: ModelQueue,
  worker: string,
  counted: { number: number; pairs: readonly string[] },
): void {
  const last = queue.left.get(worker);
  const again = last && last.until >= queue.now && counted.number <= last.number;
  if (!again) tally(queue, worker, counted.number, counted.pairs);
  queue.left.set(worker, { number: counted.number, until: queue.now + WORKER_GONE_MS });
  queue.workers.delete(worker);
  queue.turns.delete(worker);
}

export function progress(queue: ModelQueue, ticket: string, json: string): boolean {
  const job = queue.running(ticket);
  if (job) job.progress = json;
  return job !== undefined;
}

/** What was kept long enough goes, and workers that gave no sign of life. */
export function prune(queue: ModelQueue): boolean {
  for (const job of queue.jobs.values()) {
    if (ended(job) && job.at <= queue.now) queue.forget(job);
  }
  for (const [worker, { at }] of queue.workers) {
    if (at < queue.now - WORKER_GONE_MS) queue.workers.delete(worker);
  }
  const [due] = [...queue.building].filter(([, until]) => until <= queue.now).sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)); // prettier-ignore
  if (!due) return false;
  const [part] = due;
  if (part.endsWith(' gone')) {
    queue.building.delete(part);
  } else {
    queue.building.set(part, queue.now + 60_000);
    askAbout(queue, part);
  }
  return true;
}
