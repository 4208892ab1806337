/**
 * Plays a history twice, in the model and for real, and compares after every call: its answer, the whole state, the
 * invariants. All calls are sent before the first answer is read: a history costs about one round trip.
 */
import { Store } from '../../../src/store/store.ts';
import type { Move, Real } from './move.ts';
import { movesOf } from './moves.ts';
import type { Operation } from './operations.ts';
import { Promises } from './promises.ts';
import { prepare, read, type Snapshot } from './snapshot.ts';
import { differences, viewOfModel, viewOfRedis, type View } from './view.ts';
import { VirtualTime } from './virtual-time.ts';
import { BEGIN, World } from './world.ts';

interface Played {
  move: Move;
  view: View;
  reply: Promise<unknown>;
  snapshot: Promise<Snapshot>;
}

/** Model and Redis don't agree. */
export class Disagreement extends Error {}

export class Player implements Real {
  readonly #time: VirtualTime;
  readonly #stores = new Map<string, Store>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  async prepare(): Promise<void> {
    await this.#time.connect();
    await prepare(this.plain, 'q', 'r');
  }

  get plain() {
    return this.#time.plain;
  }

  store(queue: string, worker = '-'): Store {
    const key = `${queue} ${worker}`;
    let store = this.#stores.get(key);
    if (!store) this.#stores.set(key, (store = new Store(this.#time, 'minq', queue, worker)));
    return store;
  }

  pass(ms: number): Promise<unknown> {
    return this.#time.pass(ms);
  }

  /** @throws {Disagreement} */
  async play(operations: readonly Operation[]): Promise<void> {
    const world = new World();
    const [emptied, played] = this.#time.together(() => [
      this.#time.reset(BEGIN),
      operations.flatMap((operation) =>
        movesOf(world, operation).map((move) => this.#play(world, move)),
      ),
    ]);
    await Promise.all([emptied, ...played.flatMap(({ reply, snapshot }) => [reply, snapshot])]);
    const promises = new Promises();
    for (const [i, { move, view, ...real }] of played.entries()) {
      const [reply, found] = [await real.reply, await real.snapshot];
      const wrong = [
        ...wrongAnswer(move, reply, found),
        ...differences(view, viewOfRedis(found)),
        ...(reply instanceof Error ? [] : promises.check(move, reply, found)),
      ];
      if (wrong.length > 0) throw new Disagreement(story(played.slice(0, i + 1), wrong));
    }
  }

  #play({ queues }: World, move: Move): Played {
    return {
      move,
      reply: move.send(this).catch((error: unknown) => error),
      snapshot: read(this.plain, move.queue),
      view: viewOfModel(queues[move.queue]),
    };
  }
}

function wrongAnswer({ expected }: Move, reply: unknown, found: Snapshot): string[] {
  if (reply instanceof Error) return [`the call failed: ${reply.message}`];
  if (expected === undefined) return [];
  const actual = sameNext(expected, reply, found) ? { ...(reply as object), nextIn: (expected as { nextIn: number }).nextIn } : reply; // prettier-ignore
  const [ours, theirs] = [JSON.stringify(expected), JSON.stringify(actual)];
  return ours === theirs ? [] : [`the answer\n    model: ${ours}\n    Redis: ${theirs}`];
}

/** A worker may come earlier than it must: for void tickets, or because a token lies there for it. */
function sameNext(expected: unknown, reply: unknown, { dropped, wake }: Snapshot): boolean {
  if (typeof reply !== 'object' || reply === null || !('nextIn' in reply)) return false;
  const { nextIn } = expected as { nextIn: number };
  return nextIn !== 0 && (reply.nextIn === 0 ? dropped.size > 0 : wake.length > 0);
}

const story = (played: readonly Played[], wrong: readonly string[]): string =>
  ['', ...played.map(({ move }, i) => `${String(i + 1).padStart(4)}. ${move.title}`), '', ...wrong.map((line) => `  ${line}`)].join('\n'); // prettier-ignore
