/** One call as it is made to minq, and what the model answers to it. */
import type { Redis } from 'ioredis';
import type { Store } from '../../../src/store/store.ts';
import type { QueueName } from './operations.ts';

export interface Real {
  store(queue: QueueName, worker?: string): Store;
  readonly plain: Redis;
  pass(ms: number): Promise<unknown>;
}

export interface Move {
  /** What is done, for people. */
  readonly title: string;
  /** The only queue it may change. */
  readonly queue: QueueName;
  /** Answer of the model; none where it promises nothing. */
  readonly expected?: unknown;
  /** Sends the call at once. Its answer as it is to be compared. */
  send(real: Real): Promise<unknown>;
  /** Who asked for work, and whether it was a worker that woke up. */
  readonly turnOf?: string;
  /** On which of its two tracks: what one is given, the other never is. */
  readonly track?: number;
  readonly wakes?: string;
  /** Of a flow whose parts are written one after the other: steps that are not there yet. */
  readonly coming?: readonly string[];
}

export const quoted = (values: readonly string[]): string => values.join(', ') || 'nothing';
