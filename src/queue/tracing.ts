/**
 * `diagnostics_channel` tracing channel of enqueues: who listens may write trace headers into a job's `meta` before its
 * record is made, and hears how it went. The channel of runs is in worker/executor.ts.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import type { Job } from './handle.ts';
import { checkMeta } from '../job/checks.ts';

/** Message of the tracing channel `minq:enqueue`: one for each job, or for each flow. */
export interface EnqueueMessage {
  /** Of a flow: that of its last step, as of the handle that `enqueue` gives; so are `fn` and `id`. */
  readonly queue: string;
  readonly fn: string;
  readonly id: string;
  /**
   * What is written here at `start` travels with the job. It begins as a copy of the job's own `meta`; for a flow it
   * is empty, and each step has it beneath its own.
   */
  readonly meta: Record<string, string>;
  /** At `asyncEnd`: the handle, where the enqueue went well. */
  result?: Job;
  /** At `error` and after: why it didn't. */
  error?: unknown;
}

const channel = tracingChannel<unknown, EnqueueMessage>('minq:enqueue');

/** @returns undefined when nobody listens, which is to cost nothing */
export function traceEnqueue(
  queue: string,
  fn: string,
  id: string,
  meta?: Record<string, string>,
): EnqueueTrace | undefined {
  return channel.hasSubscribers
    ? new EnqueueTrace({ queue, fn, id, meta: { ...meta } })
    : undefined;
}

/**
 * The events are those of `tracePromise`, in its order. It can't be used as it is: `enqueueMany` makes all records
 * before it sends one, and what is made must have the headers in it.
 */
export class EnqueueTrace {
  readonly #message: EnqueueMessage;

  constructor(message: EnqueueMessage) {
    this.#message = message;
  }

  /**
   * @param make makes what is to be sent, with this `meta`
   * @throws what `make` throws, and {InvalidArgumentError} when a listener wrote what is no text
   */
  start<T>(make: (meta: Record<string, string> | undefined) => T): T {
    const message = this.#message;
    try {
      return channel.start.runStores(message, () => {
        try {
          const meta = checkMeta(message.meta, 'meta (minq:enqueue)');
          return make(Object.keys(meta).length === 0 ? undefined : meta);
        } finally {
          channel.end.publish(message);
        }
      });
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  done(job: Job): void {
    this.#message.result = job;
    channel.asyncStart.publish(this.#message);
    channel.asyncEnd.publish(this.#message);
  }

  fail(error: unknown): void {
    this.#message.error = error;
    channel.error.publish(this.#message);
    channel.asyncStart.publish(this.#message);
    channel.asyncEnd.publish(this.#message);
  }
}
