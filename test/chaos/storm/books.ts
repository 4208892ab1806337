/** What Redis says in the end of every job that it knows: what the evidence is held against. */
import type { Redis } from 'ioredis';
import { parseOutcome, parseTicket } from '../../../src/job/job.ts';
import { queueKeys } from '../../../src/store/keys.ts';

/** How a job ended, as it is recorded. */
export interface Ended {
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Of the run whose settlement was taken; none where no run was needed to end it. */
  readonly attempt?: number | undefined;
  readonly result?: unknown;
  /** Of the newest ticket there was. */
  readonly newestAttempt: number;
}

export interface Books {
  readonly ended: ReadonlyMap<string, Ended>;
  /** Records without an outcome. */
  readonly unfinished: readonly string[];
  /** Steps of flows that were given up: their producer could not write down all of them. */
  readonly givenUp: number;
}

export async function readBooks(client: Redis, ...queues: string[]): Promise<Books> {
  const all = await Promise.all(queues.map((queue) => readOne(client, queue)));
  return {
    ended: new Map(all.flatMap(({ ended }) => [...ended])),
    unfinished: all.flatMap(({ unfinished }) => unfinished),
    givenUp: all.reduce((sum, { givenUp }) => sum + givenUp, 0),
  };
}

async function readOne(client: Redis, queue: string): Promise<Books> {
  const keys = queueKeys('minq', queue);
  const givenUp = Number(await client.hget(keys.stats, 'dropped:waiting'));
  const [records, outcomes, tickets] = await Promise.all([
    client.hkeys(keys.jobs),
    client.hgetall(keys.outcomes),
    client.hgetall(keys.tickets),
  ]);
  const ended = new Map<string, Ended>();
  for (const [id, text] of Object.entries(outcomes)) {
    const { state, attempt, result } = parseOutcome(text);
    const newestAttempt = parseTicket(tickets[id] ?? `${id}:1:1`).attempt;
    ended.set(id, { state, attempt, result, newestAttempt });
  }
  return { ended, unfinished: records.filter((id) => !ended.has(id)), givenUp };
}
