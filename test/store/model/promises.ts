/**
 * What must be true from one moment to the next, whatever the model says: fences only grow, leases and ticks never go
 * back, no job is lost from the books, and who waits for work is woken.
 */
import { violationsIn, type Members } from '../../helpers/invariants.ts';
import type { TurnReply } from './life.ts';
import type { Move } from './move.ts';
import { USERS } from './operations.ts';
import { idOf } from './queue.ts';
import type { Snapshot } from './snapshot.ts';
import { withoutVoid } from './view.ts';

export class Promises {
  readonly #last = new Map<string, Snapshot>();
  /** Tickets that were given out, with who got them. */
  readonly #given = new Map<string, string>();
  readonly #awake = new Map<string, Set<string>>();

  /** @returns what is broken, a line for each */
  check(move: Move, reply: unknown, now: Snapshot): string[] {
    const before = this.#last.get(move.queue);
    this.#last.set(move.queue, now);
    return [
      ...invariants(now, [...this.#comingTo(move.queue), ...(move.coming ?? [])]),
      ...(before ? goneBack(before, now) : []),
      ...this.#givenTwice(move, reply, now),
      ...this.#asleep(move, reply, now),
    ];
  }

  /** Nodes on other queues of which this one will hear: steps that are not over, and messages on their way. */
  #comingTo(queue: string): string[] {
    const others = [...this.#last].filter(([name]) => name !== queue);
    return others.flatMap(([, { jobs, outcomes, outbox }]) => [
      ...[...jobs.keys()].filter((id) => !outcomes.has(id)),
      ...outbox.map((text) => /\|(\S+)/.exec(text)![1]!),
    ]);
  }

  /** A ticket is the right to one run: nobody else ever gets it. */
  #givenTwice({ queue, turnOf, track }: Move, reply: unknown, { jobs }: Snapshot): string[] {
    const found: string[] = [];
    const to = `${turnOf} on track ${track}`;
    for (const { ticket } of turnOf === undefined ? [] : (reply as TurnReply).claimed) {
      const owner = this.#given.get(`${queue} ${ticket}`) ?? to;
      this.#given.set(`${queue} ${ticket}`, owner);
      if (owner !== to) found.push(`${ticket} was given to ${owner}, and now to ${to}`);
    }
    // An id that is minq's own, and was forgotten, comes back only by the same call sent again after that.
    for (const key of this.#given.keys()) {
      const [of, ticket] = key.split(' ') as [string, string];
      const id = idOf(ticket);
      if (of === queue && !USERS.has(id) && !jobs.has(id)) this.#given.delete(key);
    }
    return found;
  }

  /** As long as something can be claimed, a token lies there, or somebody is awake to claim it. */
  #asleep({ queue, wakes, turnOf }: Move, reply: unknown, now: Snapshot): string[] {
    let awake = this.#awake.get(queue);
    if (!awake) this.#awake.set(queue, (awake = new Set()));
    if (wakes !== undefined && reply !== null) awake.add(wakes);
    if (turnOf !== undefined) awake.delete(turnOf);
    // Of a queue with a limit the turn said when to look again; what the model expects of that is compared.
    if (now.paused !== null || now.limit.size > 0 || now.wake.length > 0 || awake.size > 0)
      return [];
    const line = (['high', 'queued', 'low'] as const).flatMap((list) => withoutVoid(now, list));
    return line.length > 0 ? [`nobody is woken for ${line.join(', ')}`] : [];
  }
}

/** The invariants of every moment. */
const invariants = (now: Snapshot, elsewhere: readonly string[]): string[] => {
  const members: Members = (name) => {
    const content = now[name];
    if (Array.isArray(content)) return content;
    if (name === 'tickets' || name === 'flows') return [...now[name]].flat();
    return [...content.keys()];
  };
  return violationsIn(members, now.wake.length, elsewhere);
};

function goneBack(before: Snapshot, now: Snapshot): string[] {
  const found: string[] = [];
  for (const [ticket, till] of now.active) {
    const old = before.active.get(ticket);
    if (old !== undefined && till < old) found.push(`the lease of ${ticket} went back from ${old} to ${till}`); // prettier-ignore
  }
  for (const [name, tick] of now.cron) {
    const old = before.cron.get(name) ?? Infinity; // so far away: it was paused
    const same = before.entries.get(name) === now.entries.get(name);
    if (same && old < Infinity && tick < old) found.push(`the tick of ${name} went back from ${old} to ${tick}`); // prettier-ignore
  }
  for (const [id, ticket] of now.tickets) {
    const old = before.tickets.get(id);
    if (old !== undefined && runOf(ticket) < runOf(old)) found.push(`after ${old} came ${ticket}`);
  }
  const [enqueued, kept] = [Number(now.stats.get('enqueued') ?? 0), now.jobs.size];
  const gone = Number(before.stats.get('enqueued') ?? 0) - before.jobs.size;
  if (enqueued - kept < gone) found.push(`${kept} jobs are there of ${enqueued}: more than were enqueued`); // prettier-ignore
  for (const [name, count] of before.stats) {
    if (Number(now.stats.get(name) ?? 0) < Number(count)) found.push(`counter ${name} went back from ${count}`); // prettier-ignore
  }
  return found;
}

const runOf = (ticket: string): number => Number(/:(\d+):\d+[hl]?$/.exec(ticket)?.[1]);
