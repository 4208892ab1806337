/** The queues that are shown, over one connection, however many they are. */
import { Operator } from '../queue/operator.ts';
import type { HandleContext } from '../queue/handle.ts';
import { Results } from '../queue/results.ts';
import { Connection } from '../redis/connection.ts';
import { Store } from '../store/store.ts';
import type { ResolvedEnqueueOptions } from '../job/checks.ts';
import { newId } from '../job/id.ts';
import { parseRecord, type JobState } from '../job/job.ts';
import { newJob } from '../job/record.ts';
import { readRecent } from '../views/statistics.ts';
import { findJobs, type FoundJobs, type JobFilter } from '../views/inspector.ts';
import { readNames, type QueueFinding } from '../views/findings.ts';
import { Refusal } from './answer.ts';
import type { Settings } from './settings.ts';

/** Most of them that are looked at for one page. */
const MOST_QUEUES = 100;
const CALL_TIMEOUT_MS = 5_000;
/** Minutes. */
const PART = 3;

/** Most bytes of a value in a list. */
const LIST_BYTES = 2_000;

/** A queue to look at and to act on. */
export class Shown extends Operator {
  readonly name: string;
  readonly #context: HandleContext;

  constructor(store: Store, results: Results) {
    super();
    this.name = store.queue;
    this.#context = { store, results, check() {} };
  }

  protected override context(): HandleContext {
    return this.#context;
  }

  protected override handles(): HandleContext {
    return this.#context;
  }

  /** As `find`, for a list: what is long is told by its length. */
  page(state: JobState, wanted: JobFilter & { offset: number; limit: number }): Promise<FoundJobs> {
    return findJobs(this.store, state, wanted, LIST_BYTES);
  }

  /** Whether it knows the job. */
  async knows(id: string): Promise<boolean> {
    return (await this.store.flows.states([id]))[0] !== 'unknown';
  }

  /**
   * Enqueues a job like this one, with other arguments.
   * @returns its id
   * @throws {BadRecordError} where the record can't be read
   */
  async copy(id: string, args: readonly unknown[]): Promise<string> {
    const { record } = parseRecord((await this.store.info(id)).row[4] ?? null);
    const { fn, retries, backoff, timeout, resultTtl, priority, meta } = record;
    const options = { retries, backoff, timeout, resultTtl, priority, meta };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)); // prettier-ignore
    const job = newJob(fn, args, given as ResolvedEnqueueOptions, newId());
    await this.store.enqueue([job]);
    return job.id;
  }

  /** Of the last hour, in parts of three minutes, the oldest first: how many were done, and failed. */
  async lately(): Promise<Record<'done' | 'failed', number[]>> {
    const recent = await readRecent(this.store);
    const inParts = (minutes: number[] = []) =>
      Array.from({ length: minutes.length / PART }, (_, i) =>
        Math.round(minutes.slice(i * PART, (i + 1) * PART).reduce((a, b) => a + b, 0)),
      );
    return { done: inParts(recent?.completed), failed: inParts(recent?.failed) };
  }
}

export class Queues {
  readonly #named: readonly string[] | undefined;
  readonly #connection: Connection;
  readonly #first: Store;
  readonly #results: Results;

  /** @throws {InvalidArgumentError} now, not at the first request, for what can't lead to a Redis */
  constructor({ redis, prefix = 'minq', queues }: Settings) {
    const open = () =>
      new Connection(redis, { name: 'minq:dashboard', callTimeoutMs: CALL_TIMEOUT_MS });
    this.#named = queues;
    this.#connection = open();
    this.#first = new Store(this.#connection, prefix, queues?.[0] ?? 'default');
    this.#results = new Results(open, 'dashboard', CALL_TIMEOUT_MS); // no page waits for one
  }

  /** Of the queues that are shown, at most 100. */
  async all(): Promise<Shown[]> {
    const names = this.#named ?? [this.#first.queue, ...(await this.#first.queues())];
    return [...new Set(names)].slice(0, MOST_QUEUES).map((name) => this.#on(name));
  }

  /**
   * Only those that are shown, or a stranger could have others made known.
   * @throws {Refusal} for any other
   */
  async get(name: string | undefined): Promise<Shown> {
    const queue = (await this.all()).find((one) => one.name === name);
    if (!queue) throw new Refusal(404, `there is no queue ${JSON.stringify(name?.slice(0, 64))}`);
    return queue;
  }

  /** What is wrong with the list of their names. */
  async strays(): Promise<QueueFinding[]> {
    return this.#named ? [] : readNames(this.#first);
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #on(name: string): Shown {
    return new Shown(this.#first.on(name), this.#results);
  }
}
