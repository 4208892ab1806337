/**
 * What may happen to a queue, drawn by fast-check. An operation names workers and user ids, and otherwise only says
 * "the third of those there are": so it makes sense whatever happened before, and a history can be shrunk.
 */
import fc from 'fast-check';
import type { Lane } from './queue.ts';

export const LEASE_MS = 10_000;
/** Workers of queue q, and one of queue r. */
export const WORKERS = ['a', 'b', 'c', 'x'] as const;
export type WorkerName = (typeof WORKERS)[number];
export type QueueName = 'q' | 'r';

/** Ids that users give. */
export const USERS: ReadonlySet<string> = new Set(
  ['u', 'v'].flatMap((id) => [id, ...[1, 2, 3, 4, 5].map((n) => `${id}:again:${n}`)]),
);

export type Ending = 'completed' | 'failed' | 'cancelled' | 'retry' | 'postponed' | 'released';

export interface Settle {
  /** Which of the tickets it holds, then of those it settled before. */
  pick: number;
  how: Ending;
  /** How long the outcome is kept, or the job waits. */
  ms: number;
  followUp: boolean;
}

export interface NewOne {
  /** Of the user's, or a new one of minq's. */
  id: 'u' | 'v' | 'new';
  unique: 'pending' | 'kept' | 'waiting';
  lane: Lane;
  due: 0 | '+1000' | '+30000' | 'at';
}

/** The shape of a flow: `s` a step, `d` one with a delay, `h` of lane high, `r` on the other queue. */
export type Shape = 's' | 'd' | 'h' | 'r' | { c: Shape[] } | { g: Shape[] };

/** A worker has two, each with turns of its own. */
export type TrackIndex = 0 | 1;

export interface NewTurn {
  worker: WorkerName;
  track: TrackIndex;
  want: number;
  /** Jobs that are put off, which it wants all the same. */
  named: number[];
  settle: Settle[];
}

export type Operation =
  | { do: 'enqueue'; queue: QueueName; jobs: NewOne[] }
  | { do: 'enqueue again'; pick: number }
  | { do: 'enqueue flow'; shape: Shape }
  | { do: 'enqueue flow again'; pick: number }
  | ({ do: 'turn' } & NewTurn)
  | { do: 'turn again'; worker: WorkerName; track: TrackIndex; settle: Settle[]; claims: boolean }
  | { do: 'old turn'; worker: WorkerName; track: TrackIndex }
  | { do: 'heartbeat'; worker: WorkerName; again: boolean }
  | { do: 'begun'; worker: WorkerName; pick: number }
  | { do: 'leave'; worker: WorkerName; again: boolean }
  | { do: 'crash'; worker: WorkerName }
  | { do: 'wait'; worker: WorkerName }
  | { do: 'progress'; worker: WorkerName; pick: number }
  | { do: 'cancel' | 'remove' | 'look'; pick: number }
  | { do: 'retry' | 'watch'; picks: number[] }
  | { do: 'reschedule'; pick: number; inMs: number }
  | { do: 'cancel flow'; pick: number }
  /** Somebody writes over a job's record. */
  | { do: 'spoil'; pick: number; text: string }
  | { do: 'purge'; queue: QueueName; state: 'queued' | 'scheduled' | 'completed' | 'failed' | 'cancelled' }
  | { do: 'pause' | 'resume' | 'prune'; queue: QueueName }
  | { do: 'limit'; queue: QueueName; concurrency: number; count: number }
  | { do: 'deliver' | 'delivered'; queue: QueueName; pick: number }
  | { do: 'schedule'; name: 'm' | 'n'; every: number; overlap: boolean; lane: Lane; times: number; paused: boolean; stale: boolean; app: boolean }
  | { do: 'unschedule'; name: 'm' | 'n' }
  | { do: 'beat'; worker: 'a' | 'b' | 'c'; again: boolean; all: boolean }
  | { do: 'release beat'; worker: 'a' | 'b' | 'c' }
  | { do: 'pass'; ms: number }; // prettier-ignore

const PASSING = [
  1, 400, 1_000, 1_001, LEASE_MS / 2, LEASE_MS - 1, LEASE_MS, 2 * LEASE_MS, 2 * LEASE_MS + 1, 30_000, 60_001,
  3_600_000, 7 * 24 * 3_600_000,
]; // prettier-ignore

/** Instead of a record. */
const GARBAGE = ['', 'x', '{', '1700000000000', '1700000000000{"fn":5,"args":{}}', '1700000000000{"fn":"f","args":[],"timeout":"soon"}', '\u0000\uffff']; // prettier-ignore

const pick = fc.nat(15);
const worker = fc.constantFrom(...WORKERS);
const beater = fc.constantFrom('a', 'b', 'c');
const queue = fc.constantFrom<QueueName>('q', 'q', 'q', 'r');
const lane = fc.constantFrom<Lane>('normal', 'normal', 'high', 'low');
const named = fc.oneof({ weight: 4, arbitrary: fc.constant<number[]>([]) }, fc.array(fc.nat(5), { minLength: 1, maxLength: 3 })); // prettier-ignore
const rarely = fc.nat(3).map((n) => n === 3);

const settle: fc.Arbitrary<Settle[]> = fc.array(
  fc.record({
    pick: fc.nat(5),
    how: fc.constantFrom<Ending>(
      'completed', 'completed', 'completed', 'failed', 'retry', 'released', 'postponed', 'cancelled',
    ), // prettier-ignore
    ms: fc.constantFrom(60_000, 5_000, 0),
    followUp: rarely,
  }),
  { maxLength: 3 },
);

const track = fc.constantFrom<TrackIndex>(0, 0, 1);

const newOne: fc.Arbitrary<NewOne> = fc.record({
  id: fc.constantFrom('new', 'new', 'u', 'v'),
  unique: fc.constantFrom<NewOne['unique']>('pending', 'kept', 'waiting'),
  lane,
  due: fc.constantFrom<NewOne['due']>(0, 0, 0, '+1000', '+30000', 'at'),
});

/** Of at most four members each, and two groups deep. */
const leaf = fc.constantFrom<Shape>('s', 's', 's', 'd', 'h', 'r');
const group = (member: fc.Arbitrary<Shape>) =>
  fc.array(member, { maxLength: 3 }).map((g): Shape => ({ g }));
const chain = (each: fc.Arbitrary<Shape>) =>
  fc.array(each, { minLength: 1, maxLength: 3 }).map((c): Shape => ({ c }));
const member = fc.oneof(leaf, leaf, chain(leaf), group(leaf), chain(fc.oneof(leaf, group(leaf))));
const shape = fc.oneof(chain(leaf), group(member), chain(fc.oneof(leaf, group(member))));

const op = <const D extends Operation['do'], T extends object>(
  weight: number,
  what: D,
  rest: { [K in keyof T]: fc.Arbitrary<T[K]> },
) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), ...rest }) as fc.Arbitrary<unknown>,
});

const EVERYTHING = [
  op(14, 'enqueue', { queue, jobs: fc.array(newOne, { minLength: 1, maxLength: 3 }) }),
  op(3, 'enqueue again', { pick: fc.nat(3) }),
  op(4, 'enqueue flow', { shape }),
  op(1, 'enqueue flow again', { pick: fc.nat(2) }),
  op(24, 'turn', { worker, track, want: fc.nat(5), named, settle }),
  op(6, 'turn again', { worker, track, settle: fc.oneof(fc.constant([]), settle), claims: fc.boolean() }), // prettier-ignore
  op(1, 'old turn', { worker, track }),
  op(4, 'heartbeat', { worker, again: rarely }),
  op(5, 'begun', { worker, pick: fc.nat(3) }),
  op(1, 'leave', { worker, again: rarely }),
  op(1, 'crash', { worker }),
  op(4, 'wait', { worker }),
  op(2, 'progress', { worker, pick: fc.nat(3) }),
  op(5, 'cancel', { pick }),
  op(3, 'remove', { pick }),
  op(3, 'look', { pick }),
  op(4, 'retry', { picks: fc.array(pick, { minLength: 1, maxLength: 3 }) }),
  op(3, 'reschedule', { pick, inMs: fc.constantFrom(0, 1_000, 30_000) }),
  op(3, 'watch', { picks: fc.array(pick, { minLength: 1, maxLength: 3 }) }),
  op(1, 'cancel flow', { pick: fc.nat(2) }),
  op(2, 'spoil', { pick, text: fc.constantFrom(...GARBAGE) }),
  op(2, 'purge', {
    queue,
    state: fc.constantFrom('queued', 'scheduled', 'completed', 'failed', 'cancelled'),
  }),
  op(2, 'pause', { queue }),
  op(2, 'limit', { queue, concurrency: fc.constantFrom(0, 0, 1, 3), count: fc.constantFrom(0, 0, 1, 4) }), // prettier-ignore
  op(3, 'resume', { queue }),
  op(4, 'prune', { queue }),
  op(4, 'deliver', { queue: fc.constantFrom('q', 'r'), pick: fc.nat(2) }),
  op(3, 'delivered', { queue: fc.constantFrom('q', 'r'), pick: fc.nat(2) }),
  op(3, 'schedule', {
    name: fc.constantFrom('m', 'n'),
    every: fc.constantFrom(1_000, 20_000),
    overlap: fc.boolean(),
    lane,
    times: fc.constantFrom(0, 0, 1, 2),
    paused: rarely,
    stale: rarely,
    app: fc.boolean(),
  }),
  op(1, 'unschedule', { name: fc.constantFrom('m', 'n') }),
  op(7, 'beat', { worker: beater, again: rarely, all: fc.boolean() }),
  op(1, 'release beat', { worker: beater }),
  op(14, 'pass', { ms: fc.constantFrom(...PASSING) }),
];

/** Where messages go to and fro: flows over both queues, brought once or twice. */
const ON_TWO_QUEUES = [
  op(3, 'enqueue flow', { shape: fc.oneof(group(fc.constantFrom('s', 'r')), shape) }),
  op(4, 'turn', { worker: fc.constantFrom('a', 'x'), track, want: fc.nat(5), named, settle }),
  op(5, 'deliver', { queue: fc.constantFrom('q', 'r'), pick: fc.nat(2) }),
  op(1, 'delivered', { queue: fc.constantFrom('q', 'r'), pick: fc.nat(2) }),
  op(1, 'cancel', { pick }),
  op(1, 'pass', { ms: fc.constantFrom(...PASSING) }),
];

const historyOf = (operations: typeof EVERYTHING) =>
  fc.array(fc.oneof(...operations) as fc.Arbitrary<Operation>, {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  });

export const history = fc.oneof(
  { weight: 6, arbitrary: historyOf(EVERYTHING) },
  { weight: 1, arbitrary: historyOf(ON_TWO_QUEUES) },
);
