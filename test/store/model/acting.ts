/** Moves of people and of those who wait for results; of the courier; of time. */
import { queueKeys } from '../../../src/store/keys.ts';
import { cancelFlow } from './flows.ts';
import { prune } from './life.ts';
import type { Move } from './move.ts';
import type { QueueName } from './operations.ts';
import * as people from './people.ts';
import type { World } from './world.ts';

const at = <T>(list: readonly T[], pick: number): T | undefined =>
  list[pick % Math.max(1, list.length)];

export function jobMove(world: World, what: 'cancel' | 'remove' | 'look', pick: number): Move | undefined {
  const named = at(world.ids, pick);
  if (!named) return undefined;
  const { id, queue } = named;
  const model = world.queues[queue];
  if (what === 'look') {
    return {
      title: `look at ${id}`,
      queue,
      expected: [people.counts(model), people.info(model, id)],
      send: async (real) => {
        const store = real.store(queue);
        const [counts, { row, attempts }] = await Promise.all([store.counts(), store.info(id)]);
        return [counts, { row: row.slice(0, 8), attempts }];
      },
    };
  }
  return {
    title: `${what} ${id}`,
    queue,
    expected: people[what](model, id),
    send: (real) => real.store(queue)[what](id),
  };
} // prettier-ignore

export function jobsMove(world: World, what: 'retry' | 'watch', picks: readonly number[]): Move | undefined {
  const first = at(world.ids, picks[0]!);
  if (!first) return undefined;
  const { queue } = first;
  const named = picks.map((pick) => at(world.ids, pick)!).filter((each) => each.queue === queue);
  const ids = named.map(({ id }) => id);
  const model = world.queues[queue];
  const channel = picks.length > 1 ? 'one' : 'other';
  return {
    title: what === 'retry' ? `retry ${ids.join(', ')}` : `client ${channel} waits for ${ids.join(', ')}`,
    queue,
    expected: what === 'retry' ? people.retry(model, ids) : people.watch(model, ids, channel),
    send: (real) => (what === 'retry' ? real.store(queue).retry(ids) : real.store(queue).watch(ids, channel)),
  };
} // prettier-ignore

export function rescheduleMove(world: World, pick: number, inMs: number): Move | undefined {
  const { id, queue } = at(world.ids, pick) ?? {};
  if (!id) return undefined;
  return {
    title: `put ${id} at ${inMs} ms from now`,
    queue: queue!,
    expected: people.reschedule(world.queues[queue!], id, world.clock.now + inMs),
    send: (real) => real.store(queue!).reschedule(id, inMs === 0 ? '0' : `+${inMs}`),
  };
}

/**
 * A record is garbage from now on: nothing else changes, then and later. Only of a job that is enqueued by itself: what is
 * sent once more under an id of the user's, of a tick or of a follow-up is told from another by the record.
 */
export function spoilMove(world: World, pick: number, text: string): Move | undefined {
  const { id, queue } = at(world.ids, pick) ?? {};
  const job = queue && world.queues[queue].jobs.get(id!);
  if (!job || job.step || !/^j\d+$/.test(job.id) || !job.json.startsWith('{"fn":"f"'))
    return undefined;
  job.spoilt = text;
  return {
    title: `somebody writes ${JSON.stringify(text)} over ${id}`,
    queue: queue!,
    send: async (real) => void (await real.plain.hset(queueKeys('minq', queue!).jobs, id!, text)),
  };
}

export function purgeMove(world: World, queue: QueueName, state: Parameters<typeof people.purge>[1]): Move {
  return {
    title: `purge ${state} of ${queue}`,
    queue,
    expected: people.purge(world.queues[queue], state),
    send: async (real) => (await real.store(queue).purge(state)).jobs,
  };
} // prettier-ignore

export function queueMove(world: World, what: 'pause' | 'resume' | 'prune', queue: QueueName): Move {
  const model = world.queues[queue];
  if (what !== 'prune') model.paused = what === 'pause';
  return {
    title: `${what} ${queue}`,
    queue,
    expected: what === 'prune' ? prune(model) : undefined,
    send: (real) => real.store(queue)[what](),
  };
} // prettier-ignore

export function limitMove(
  world: World,
  queue: QueueName,
  concurrency: number,
  count: number,
): Move {
  const limit = {
    ...(concurrency > 0 && { concurrency }),
    ...(count > 0 && { rate: { count, perMs: 1_000 } }),
  };
  const model = world.queues[queue];
  model.limit = limit;
  if (count === 0) model.starts = [];
  return {
    title: `limit ${queue} to ${JSON.stringify(limit)}`,
    queue,
    send: (real) => real.store(queue).limit(limit),
  };
}

/** On each of its queues, as the handle of its last step does it. */
export function cancelFlowMoves(world: World, pick: number): Move[] {
  const { flow, plan } = at(world.flows, pick) ?? {};
  if (!flow || !plan) return [];
  return [...plan.parts.keys()].map((name): Move => {
    const queue = name as QueueName;
    cancelFlow(world.queues[queue], flow);
    return {
      title: `cancel flow ${flow.id} on ${queue}`,
      queue,
      expected: -1,
      send: (real) => real.store(queue).flows.cancel(flow.id, plan.total - 1),
    };
  });
}

/** A message of one queue is brought to another; perhaps it was before. What that answers to a question is brought back. */
export function deliverMoves(world: World, from: QueueName, pick: number): Move[] {
  const message = at(world.queues[from].outbox, pick);
  if (!message) return [];
  const queue = message.to as QueueName;
  const { kind, node, payload } = message;
  message.delivered++;
  const answer = message.carryOut(world.queues[queue]);
  world.queues[queue].drawConsequences();
  const brought: Move = {
    title: `bring to ${queue}: ${message.text}`,
    queue,
    expected: answer,
    send: (real) => real.store(queue).flows.deliver(kind, node, payload),
  };
  if (typeof answer !== 'string') return [brought];
  world.queues[from].building.delete(`${node} ${payload}`);
  const send: Move['send'] = (real) => real.store(from).flows.deliver(answer, node, payload);
  return [brought, { title: `bring back to ${from}: ${answer}`, queue: from, send }];
}

export function deliveredMove(world: World, queue: QueueName, pick: number): Move | undefined {
  const { outbox } = world.queues[queue];
  const message = at(outbox.filter(({ delivered }) => delivered > 0), pick); // prettier-ignore
  if (!message) return undefined;
  outbox.splice(outbox.findIndex(({ text }) => text === message.text), 1); // prettier-ignore
  return {
    title: `it was brought: ${message.text}`,
    queue,
    send: async (real) => void (await real.store(queue).flows.delivered([message.text])),
  };
}

export function passMove(world: World, ms: number): Move {
  world.clock.now += ms;
  return { title: `${ms} ms pass`, queue: 'q', send: async (real) => void (await real.pass(ms)) };
}
