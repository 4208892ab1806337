/** What a turn gave, as a worker reads it. */
import { inRows, type Reply } from './caller.ts';

export interface Turn {
  /** Server time, epoch ms. */
  now: number;
  /** Milliseconds until something falls due; 0: there is more to claim; -1: nothing in sight. */
  nextIn: number;
  /** Settlements that were refused: the lease was lost, or the job is gone from Redis. */
  refused: Refusal<'lost' | 'gone' | 'taken'>[];
  claimed: Claim[];
  /** What flows have to tell other queues. */
  post: string[];
}

/**
 * A ticket claimed, with the texts of its record (null: missing; a number: it was not sent, and is so many bytes long) and
 * of its last failed attempt, if any.
 */
export interface Claim {
  ticket: string;
  record: string | number | null;
  lastError: string | null;
  /** Server time, epoch ms. */
  claimedAt: number;
}

export interface Refusal<Why extends string = 'lost' | 'gone'> {
  ticket: string;
  why: Why;
}

/** As the script replies; see there. */
export type TurnReply = [number, number, string[], string[], Reply[], Reply[], string[]];

export function readTurn([
  now,
  nextIn,
  refused,
  tickets,
  records,
  failures,
  post,
]: TurnReply): Turn {
  const claimed = tickets.map((ticket, i) => ({
    ticket,
    record: records[i] ?? null,
    lastError: failures[i] ?? null,
    claimedAt: now,
  }));
  return { now, nextIn, refused: refusals(refused), claimed, post };
}

export const refusals = (flat: string[]): Refusal[] =>
  inRows(flat, 2).map(([ticket, why]) => ({ ticket: ticket!, why: why as Refusal['why'] }));
