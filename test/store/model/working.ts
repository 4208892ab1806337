/** Moves of workers: turns that claim and settle, heartbeats, the end; each of them sent again, or too late. */
import { parseTicket, type Outcome } from '../../../src/job/job.ts';
import type { Settlement } from '../../../src/store/settlement.ts';
import { begun, heartbeat, leave, progress, turn } from './life.ts';
import type { Move } from './move.ts';
import { quoted } from './move.ts';
import { LEASE_MS, type NewTurn, type Operation, type Settle, type TrackIndex, type WorkerName } from './operations.ts'; // prettier-ignore
import { idOf, ticketOf } from './queue.ts';
import type { ModelWorker, SentTurn, World } from './world.ts';

const ERROR = { name: 'Error', message: 'no luck' };
const PRESENCE = '{"host":"h"}';
export const APP = 'app';

function outcomeOf({ how, ms }: Settle, number: number): Outcome {
  switch (how) {
    case 'completed':
      return { kind: how, result: number % 5 === 0 ? undefined : `"r${number}"` };
    case 'failed':
      return { kind: how, error: { ...ERROR, message: `no luck ${number}` } };
    case 'cancelled':
      return { kind: how, reason: 'expired' };
    case 'retry':
    case 'postponed':
      return { kind: how, error: ERROR, delayMs: ms };
    case 'released':
      return { kind: how };
  }
}

/**
 * What the worker says has become of tickets it holds, or has held: it may be wrong.
 * @param before what goes with it; of one job, no two runs end in the same turn
 */
function settlementsOf(
  world: World,
  worker: ModelWorker,
  wanted: readonly Settle[],
  before: readonly Settlement[] = [],
): Settlement[] {
  let left = [...worker.held, ...worker.past];
  const without = (taken: string) => (left = left.filter((ticket) => idOf(ticket) !== idOf(taken)));
  for (const { job } of before) without(job.ticket);
  return wanted.flatMap((each) => {
    const ticket = left[each.pick % Math.max(1, left.length)];
    if (ticket === undefined) return [];
    without(ticket);
    const number = world.number();
    const followUp = each.followUp && (each.how === 'failed' || each.how === 'completed');
    return {
      job: { ticket, attempt: parseTicket(ticket).attempt, claimedAt: world.clock.now },
      outcome: outcomeOf(each, number),
      ranMs: 2,
      keptMs: each.ms,
      free: each.ms === 0,
      followUp: followUp ? { id: `j${number}`, how: '', json: `{"fn":"g","args":[${number}]}` } : undefined, // prettier-ignore
    };
  });
}

function turnMove(world: World, worker: ModelWorker, track: TrackIndex, sent: SentTurn, what: string): Move {
  const { id, queue } = worker;
  const { number, want, named, settlements } = sent;
  const key = track === 0 ? id : `${id} on its second track`;
  const expected = turn(world.queues[queue], key, number, LEASE_MS, want, settlements, named);
  for (const { followUp } of settlements) if (followUp) world.remember(queue, followUp.id);
  const settled = settlements.map(({ job }) => job.ticket);
  worker.claimedAt = expected.now;
  worker.held = worker.held.filter((ticket) => !settled.includes(ticket));
  worker.past = [...new Set([...settled, ...worker.past])].slice(0, 4);
  for (const { ticket } of expected.claimed) {
    if (!worker.held.includes(ticket)) worker.held.push(ticket);
  }
  const endings = settlements.map((each) => `${each.job.ticket} ${endingOf(each)}`);
  const settles = endings.length > 0 ? ` settles ${endings.join(', ')};` : '';
  const gets = quoted(expected.claimed.map(({ ticket }) => ticket));
  return {
    title: `${key} ${what} ${number}:${settles} wants ${want} (${quoted(named)} first), gets ${gets}`,
    queue,
    expected,
    send: (real) => real.store(queue, id).turn(number, LEASE_MS, want, settlements, { named, track }),
    ...(want > 0 && { turnOf: id, track }),
  };
} // prettier-ignore

function endingOf({ outcome, keptMs, followUp }: Settlement): string {
  const after = followUp ? `, then ${followUp.id}` : '';
  if ('delayMs' in outcome) return `${outcome.kind} in ${outcome.delayMs} ms${after}`;
  return outcome.kind === 'released' ? outcome.kind : `${outcome.kind} (kept ${keptMs} ms)${after}`;
}

export function newTurnMove(world: World, { worker: name, track, want, named: picks, settle }: NewTurn): Move {
  const worker = world.worker(name);
  const settlements = settlementsOf(world, worker, settle);
  const later = world.queues[worker.queue].inOrder('scheduled');
  const named = [...new Set(picks.flatMap((pick) => later[pick] ?? []))].map(ticketOf);
  const own = worker.tracks[track];
  const sent = { number: ++own.number, want, named, settlements };
  own.older = own.last;
  own.last = sent;
  return turnMove(world, worker, track, sent, 'turn');
} // prettier-ignore

/** Its reply was lost. What finished meanwhile goes with it. */
export function turnAgainMove(
  world: World, { worker: name, track, settle, claims }: Extract<Operation, { do: 'turn again' }>,
): Move | undefined {
  const worker = world.worker(name);
  const own = worker.tracks[track];
  if (!own.last) return undefined;
  const { settlements } = own.last;
  const more = settlementsOf(world, worker, settle, settlements);
  own.last = { ...own.last, ...(!claims && { want: 0 }), settlements: [...settlements, ...more] };
  return turnMove(world, worker, track, own.last, 'sends again turn');
} // prettier-ignore

/** It was long on its way. Nobody hears the answer. */
export function oldTurnMove(world: World, name: WorkerName, track: TrackIndex): Move | undefined {
  const worker = world.worker(name);
  const { older } = worker.tracks[track];
  if (!older) return undefined;
  const { turnOf: _, ...move } = turnMove(world, worker, track, older, 'is late with turn');
  return move;
}

export function heartbeatMove(world: World, name: WorkerName, again: boolean): Move {
  const worker = world.worker(name);
  const { id, queue } = worker;
  if (!again) worker.counted = { number: worker.counted.number + 1, pairs: ['f:runs', '2'] };
  const { counted } = worker;
  const tickets = [...worker.held, ...worker.past.slice(0, 1)];
  return {
    title: `${id} heartbeat${again ? ' again' : ''}: holds ${quoted(tickets)}`,
    queue,
    expected: heartbeat(world.queues[queue], id, LEASE_MS, tickets, APP, counted),
    send: (real) => real.store(queue, id).heartbeat(PRESENCE, LEASE_MS, tickets, APP, counted),
  };
}

export function begunMove(world: World, name: WorkerName, pick: number): Move | undefined {
  const { id, queue, held, past, claimedAt } = world.worker(name);
  const all = [...held, ...past];
  const ticket = all[pick % Math.max(1, all.length)];
  if (ticket === undefined) return undefined;
  begun(world.queues[queue], [ticket], claimedAt + LEASE_MS);
  return {
    title: `${id} says that ${ticket} has begun`,
    queue,
    send: (real) => real.store(queue, id).begun([{ ticket, claimedAt }], LEASE_MS),
  };
}

export function leaveMove(world: World, name: WorkerName, again: boolean): Move | undefined {
  const worker = world.worker(name);
  const { queue } = worker;
  if (again && !worker.left) return undefined;
  if (!again) {
    const counted = { number: worker.counted.number + 1, pairs: ['f:runs', '1'] };
    worker.left = { id: worker.id, counted };
    world.startAnew(worker);
  }
  const { id, counted } = worker.left!;
  leave(world.queues[queue], id, counted);
  return {
    title: `${id} leaves${again ? ', said again' : ''}`,
    queue,
    send: (real) => real.store(queue, id).leave(counted),
  };
}

export function progressMove(world: World, name: WorkerName, pick: number): Move | undefined {
  const { id, queue, held, past } = world.worker(name);
  const tickets = [...held, ...past];
  const ticket = tickets[pick % Math.max(1, tickets.length)];
  if (ticket === undefined) return undefined;
  const json = `{"at":${world.number()}}`;
  return {
    title: `${id} tells the progress of ${ticket}`,
    queue,
    expected: progress(world.queues[queue], ticket, json),
    send: (real) => real.store(queue, id).progress(ticket, json),
  };
}

/** A worker with nothing to do takes the token, if there is one, and will look for work. */
export function waitMove(world: World, name: WorkerName): Move {
  const { id, queue } = world.worker(name);
  return {
    title: `${id} waits for something to claim`,
    queue,
    send: (real) => real.plain.lpop(real.store(queue).keys.wake),
    wakes: id,
  };
}
