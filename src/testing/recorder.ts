/** `recorder()`: a queue that checks and encodes as the real one does, and writes down what it would have sent. */
import { Redis } from 'ioredis';
import { Date, JSON } from '../job/globals.ts';
import { describeError, encodeResult } from '../job/codec.ts';
import { MinqError, RedisCommandError, ResultNotFoundError } from '../job/errors.ts';
import type { EnqueueOptions } from '../job/options.ts';
import type { StoredOutcome } from '../job/job.ts';
import { GATHERED } from '../flow/plan.ts';
import type { Lane, Pending } from '../queue/pending.ts';
import { Queue, type QueueOptions } from '../queue/queue.ts';
import type { AnyJobs, JobName, JobResult } from '../queue/signature.ts';
import type { Waiter } from '../queue/waiter.ts';

/** A job that was enqueued, or a step of a flow. */
export interface Enqueued {
  id: string;
  queue: string;
  fn: string;
  /** As JSON brings them to the function; of a step, without the results that come in front. */
  args: unknown[];
  /** With the queue's defaults; durations in ms. `id` and `queue` stand beside. */
  options: Omit<EnqueueOptions, 'id' | 'queue'>;
  /** Of a step: what the steps of one flow have in common. */
  flow?: string;
}

/** What a recorder is beside a queue. */
export interface Recorder<Jobs = AnyJobs> {
  /** What was enqueued, in order; the steps of a flow as they stand in it. */
  readonly enqueued: Enqueued[];
  /** Names of the cron entries that `schedule` was given, with their definitions. */
  readonly scheduled: Map<string, Record<string, unknown>>;
  /**
   * What `result()` and `call()` give for jobs of this function; of a flow, its last step counts.
   * @param result the value, or a function of the arguments; what that throws, the job has failed with
   * @example queue.returns('chargeCard', { receipt: 'r1' })
   */
  returns<N extends JobName<Jobs>>(
    fn: N,
    result: JobResult<Jobs[N]> | ((...args: never[]) => unknown),
  ): void;
}

const WHY = 'a recorder has no Redis: look at what it has enqueued, or use testing(jobs)';

/** Who wants to know what only Redis knows is told so. */
class NoRedis extends Redis {
  override async connect(): Promise<void> {
    this.emit('error', new RedisCommandError(WHY));
  }
}
const nowhere = {
  options: {},
  duplicate: () => new NoRedis({ lazyConnect: true }),
};

class RecordingQueue<Jobs> extends Queue<Jobs> implements Recorder<Jobs> {
  readonly enqueued: Enqueued[] = [];
  readonly scheduled = new Map<string, Record<string, unknown>>();
  readonly #results = new Map<string, unknown>();
  readonly #ids = new Set<string>();

  returns(fn: string, result: unknown): void {
    this.#results.set(fn, result);
  }

  /** @internal */
  protected override makeLane(queue: string): Lane {
    const store = this.makeStore(queue);
    const add = (job: Pending) => job.accept(!this.#isNew(job, queue));
    const wait = (_: unknown, waiter: Waiter) => this.#answer(waiter);
    const sent = { add, drained: async () => {} };
    return {
      announced: { at: Infinity, done: Promise.resolve() },
      context: {
        store,
        check: () => this.assertOpen(),
        results: { wait, expect: () => undefined, enqueued: wait },
      },
      batch: sent,
      calls: sent,
      flow: async ({ flow }, { steps }) => {
        const before = this.enqueued.findIndex((each) => each.flow === flow); // its steps on other queues
        const all = before < 0 ? [] : this.enqueued.splice(before);
        for (const { id, how, json } of steps) {
          const [, letter, delay] = how.split(' ');
          const step = readRecord(id, queue, json, `${letter} - +${delay}`);
          if (step.fn !== GATHERED) all.push({ ...step, flow });
        }
        this.enqueued.push(...all.toSorted((a, b) => numberOf(a) - numberOf(b)));
      },
      leave: async () => {},
      schedule: async (name, definition) => {
        this.scheduled.set(name, JSON.parse(definition) as Record<string, unknown>);
      },
    };
  }

  /** An id of the caller's is taken until the job has ended, and here none ever ends. */
  #isNew({ id, how, json }: Pending, queue: string): boolean {
    const key = `${queue} ${id}`;
    if (this.#ids.has(key)) return false;
    this.#ids.add(key);
    this.enqueued.push(readRecord(id, queue, json, how));
    return true;
  }

  #answer(waiter: Waiter): void {
    const job = this.enqueued.find(({ id }) => id === waiter.id);
    if (!job) return waiter.reject(new ResultNotFoundError(waiter.id));
    if (!this.#results.has(job.fn)) {
      const why = `no result was given for "${job.fn}": call returns('${job.fn}', ...) first`;
      return waiter.reject(new MinqError('NO_RESULT', why));
    }
    void outcomeOf(this.#results.get(job.fn), job.args).then((outcome) => waiter.resolve(outcome));
  }
}

/** As it would be stored, and read again. */
async function outcomeOf(result: unknown, args: readonly unknown[]): Promise<StoredOutcome> {
  try {
    const value: unknown = await (typeof result === 'function' ? result(...args) : result);
    const json = encodeResult(value);
    return { state: 'completed', result: json === undefined ? undefined : JSON.parse(json) };
  } catch (error) {
    return { state: 'failed', error: describeError(error) };
  }
}

/** A step's place in its flow: `<flow>.<number>`. */
const numberOf = ({ id }: Enqueued): number => Number(id.slice(id.indexOf('.') + 1));

const PRIORITIES: Record<string, 'high' | 'low'> = { h: 'high', l: 'low' };

/** @param how see `NewJob` */
function readRecord(id: string, queue: string, json: string, how: string): Enqueued {
  const { fn, args, call: _, ...options } = JSON.parse(json) as Enqueued & EnqueueOptions & { call?: string }; // prettier-ignore
  const [letter = 'n', mode = '-', due = '0'] = how.split(' ');
  const read: Enqueued['options'] = { ...(options as object) };
  if (PRIORITIES[letter]) read.priority = PRIORITIES[letter];
  if (mode !== '-' && mode !== 'pending') read.unique = mode as 'kept';
  if (due.startsWith('+')) read.delay = Number(due.slice(1));
  else if (due !== '0') read.runAt = new Date(Number(due));
  if (read.delay === 0) delete read.delay;
  return { id, queue, fn, args, options: read };
}

/**
 * A queue without Redis, for unit tests of code that enqueues: it checks names, arguments and options as the real one does,
 * and writes down what it would have sent. Whatever needs a Redis (`counts()`, `handle.info()`) rejects and says so.
 * @param options as of `Queue`; one without `redis`
 * @example const queue = recorder<typeof import('./jobs.ts')>(); await signUp(queue, 'ann@example.com'); queue.enqueued
 */
export function recorder<Jobs = AnyJobs>(
  name?: string,
  options?: Omit<QueueOptions<Jobs>, 'redis'>,
): Queue<Jobs> & Recorder<Jobs> {
  return new RecordingQueue<Jobs>(name, { ...options, redis: nowhere as never });
}
