/** The flows of one queue in Redis: a method for each transition. */
import { MinqError } from '../job/errors.ts';
import type { Caller, Reply } from './caller.ts';
import {
  cancelFlowScript,
  deliverScript,
  enqueueFlowScript,
  statesScript,
} from './scripts/flow.ts';
import { MESSAGES_A_CALL, PIECES_A_CALL, reviveScript, type Piece } from './scripts/revive.ts';

export interface PlannedStep {
  id: string;
  /**
   * What follows, and how it is begun: `<node> <lane letter> <delay>`; and a star where the flow's shape is to be
   * forgotten with it.
   */
  how: string;
  json: string;
}

/** What one queue gets of a flow. */
export interface QueuePart {
  readonly steps: PlannedStep[];
  /** Groups, and the flow's shape, by field of `flows`. */
  readonly fields: [field: string, value: string][];
}

/** A flow as its queues are told of it. */
export interface PlannedFlow {
  readonly flow: string;
  /** How many steps there are. */
  readonly total: number;
  /** By queue. Where the flow begins comes last: before that, all the others are to be in their place. */
  readonly parts: ReadonlyMap<string, QueuePart>;
  /** What is begun when all is there. */
  readonly start: { queue: string; node: string };
}

/** Calls after which a queue whose flows have work all the time is let be. */
const MOST_BUSY = 1_000;
/** Steps of a flow in one call. */
const STEPS_A_CALL = 1_000;

export class FlowStore {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Writes down this queue's part of a flow, in calls of up to 1,000 steps. The last call begins it, if it begins here.
   * @throws {MinqError} `FLOW_GIVEN_UP`: the calls before the last took so long that the flow was given up
   */
  async enqueue(plan: PlannedFlow, { steps, fields }: QueuePart): Promise<void> {
    const { flow, start } = plan;
    const { queue } = this.#caller;
    const here = start.queue === queue;
    // Steps and groups are numbered from 0: whoever gives the flow up removes as many of both.
    const total = Math.max(
      plan.total,
      ...[...plan.parts.values()].map((each) => each.fields.length),
    );
    const others = here ? [...plan.parts.keys()].filter((each) => each !== queue) : [];
    const write = async (some: readonly PlannedStep[], begin: string, rest: readonly string[]) => {
      const reply = await this.#caller.run(
        enqueueFlowScript,
        { flow, total, start: begin, queue, first: start.queue, others: others.join(' '), steps: some.length }, // prettier-ignore
        some.flatMap(({ id, how, json }) => [id, how, json]).concat(rest),
      );
      if (reply === 'given up') {
        throw new MinqError(
          'FLOW_GIVEN_UP',
          `flow ${flow} was given up: its parts came more than a minute apart; nothing of it runs, enqueue it again`,
        );
      }
    };
    let from = 0;
    for (; steps.length - from > STEPS_A_CALL; from += STEPS_A_CALL) {
      await write(steps.slice(from, from + STEPS_A_CALL), '-', []);
    }
    await write(steps.slice(from), here ? start.node : '', fields.flat());
  }

  /** Does what another queue's flow has to tell this one. @returns to `ask`: `begun`, `gone`, or `waiting` */
  async deliver(kind: string, node: string, payload: string): Promise<string> {
    return (await this.#caller.run(deliverScript, { kind, node, payload })) as string;
  }

  /** These messages of the outbox were delivered. @returns the next ones */
  async delivered(messages: readonly string[]): Promise<string[]> {
    const { outbox } = this.#caller.keys;
    for (const message of messages) await this.#caller.connection.call((client) => client.lrem(outbox, 1, message)); // prettier-ignore
    const next = await this.#caller.connection.call((client) =>
      client.lrangeBuffer(outbox, 0, MESSAGES_A_CALL - 1),
    );
    const texts: string[] = [];
    for (const raw of next) {
      const text = raw.toString();
      if (Buffer.from(text).equals(raw)) texts.push(text);
      // None of ours: it could not be taken out by what we read of it, and would be delivered for ever.
      else await this.#caller.connection.call((client) => client.lrem(outbox, 1, raw));
    }
    return texts;
  }

  /** Cancels what is not over of a flow, from this step back. @returns where to go on; -1: nowhere */
  cancel(flow: string, from: number): Promise<number> {
    const { control } = this.#caller.keys;
    return this.#caller.run(cancelFlowScript, { flow, from, control }) as Promise<number>;
  }

  /** Of a flow that is known here: its shape, as JSON. */
  shape(flow: string): Promise<Reply> {
    return this.#caller.connection.call((client) => client.hget(this.#caller.keys.flows, flow));
  }

  /**
   * Puts back pieces of a flow, in calls of up to 1,000, for steps that are to be retried next.
   * @param origins these steps, as far as they are on other queues too
   * @returns why it could not be done; undefined where it was
   */
  async revive(
    origins: readonly string[],
    pieces: readonly Piece[],
  ): Promise<'busy' | 'carried' | 'over' | undefined> {
    for (let from = 0; from === 0 || from < pieces.length; from += PIECES_A_CALL) {
      const some = pieces.slice(from, from + PIECES_A_CALL).flat();
      let reply: unknown = 'busy';
      // Each call takes a part of the work away that flows have.
      for (let calls = 0; reply === 'busy' && calls < MOST_BUSY; calls++) {
        reply = await this.#caller.run(reviveScript, { origins: origins.join(' ') }, some);
      }
      if (reply !== 'revived') return reply as 'busy' | 'carried' | 'over';
    }
    return undefined;
  }

  /** States of up to 1,000 jobs; `unknown` for those that are forgotten; of one that never had its turn, with the step because of which. */
  states(ids: readonly string[]): Promise<string[]> {
    return this.#caller.run(statesScript, {}, ids) as Promise<string[]>;
  }
}
