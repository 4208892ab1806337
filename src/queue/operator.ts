/** What operators do with a queue: look at it, and act. The other half of `Queue`. */
import { refuse, show } from '../job/refuse.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';
import { parseDefinition, tickId, tickJob } from '../cron/entry.ts';
import { pauseEntry, readSchedules, removeEntry, type ScheduleInfo } from '../cron/schedules.ts';
import { tellWorkers, type WorkerAnswer, type WorkerOrder } from './control.ts';
import { removeAll, retryAll, retryOne, type Retried } from './failed.ts';
import { Job, type HandleContext } from './handle.ts';
import {
  findJobs,
  readCounts,
  readJobs,
  readWorkers,
  type Counts,
  type FoundJobs,
  type JobFilter,
  type JobInfo,
  type WorkerInfo,
} from '../views/inspector.ts';
import { checkJobId, checkScheduleName } from '../job/names.ts';
import { STATES, type JobState } from '../job/job.ts';
import type { Duration } from '../job/duration.ts';
import { checkFilter, checkFind, checkLimit, checkPage, checkWhen } from '../job/checks.ts';
import { readFailures, type Failures } from '../views/failures.ts';
import { jobsOf, number } from '../views/figures.ts';
import { ofEach } from '../views/each.ts';
import { readFindings, type QueueFinding } from '../views/findings.ts';
import {
  readFunctions,
  readHistory,
  readOldest,
  readStats,
  type FunctionStats,
  type HistoryPoint,
  type Span,
  type Stats,
} from '../views/statistics.ts';
import type { Store } from '../store/store.ts';

export abstract class Operator {
  abstract readonly name: string;

  /** @throws {QueueClosedError} */
  protected abstract context(): HandleContext;

  /** The same for handles, which ask themselves at their first use. */
  protected abstract handles(): HandleContext;

  protected get store(): Store {
    return this.context().store;
  }

  /** Where its jobs and cron entries are: this queue first, then those it has routes to. */
  protected stores(): Store[] {
    return [this.store];
  }

  /**
   * A handle on a job, by its id. No I/O: whether the job exists, or the queue is closed, shows at the first use. One that is not on this
   * queue is then looked for on those it has routes to. (Not on all there are: an id that users give may be there on each of them.)
   */
  job<Result = unknown>(id: string): Job<Result> {
    return new Job(checkJobId(id), undefined, false, this.handles(), () => this.stores().slice(1));
  }

  /** How many jobs are in each state, and whether the queue is paused. */
  async counts(): Promise<Counts> {
    return readCounts(this.store);
  }

  /** A page of the jobs of one state; `limit` 1 to 1,000, default 100. */
  async jobs(state: JobState, page: { offset?: number; limit?: number } = {}): Promise<JobInfo[]> {
    return readJobs(this.store, checkState(state), checkPage(page));
  }

  /**
   * A page of the jobs of one state that are wanted; `limit` 1 to 1,000, default 100. Looks through at most 5,000 jobs:
   * where that wasn't enough, `next` is the offset to go on with.
   * @example await queue.find('failed', { fn: 'sendMail', error: 'ECONNREFUSED' })
   */
  async find(
    state: JobState,
    wanted: JobFilter & { offset?: number; limit?: number } = {},
  ): Promise<FoundJobs> {
    return findJobs(this.store, checkState(state), checkFind(wanted));
  }

  /** The workers that gave a sign of life in the last minute. */
  async workers(): Promise<WorkerInfo[]> {
    return readWorkers(this.store);
  }

  /**
   * Tells the workers of this queue, or one of them, to say that they are there, to stop, or to take another number of jobs at once.
   * @param worker its id, as `workers()` has it
   * @returns for each that is meant whether it has answered within a second
   * @example await queue.control({ concurrency: 50 })
   * @throws {MinqError} `NO_WORKER`
   */
  async control(order: WorkerOrder, worker?: string): Promise<WorkerAnswer[]> {
    return tellWorkers(this.store, order, worker);
  }

  /**
   * What is wrong with this queue, what is worth a look (`warning`), and what was found to be well: as `minq check` says it.
   * A job may wait for 5 minutes.
   */
  async findings(): Promise<QueueFinding[]> {
    return readFindings(this.store);
  }

  /** The cron entries of this queue and of those it has routes to, by name: those of `schedule` and those beside functions. */
  async schedules(): Promise<ScheduleInfo[]> {
    return (await ofEach(this.stores(), readSchedules)).flat();
  }

  /**
   * Removes a cron entry; jobs it has enqueued stay. One that stands beside a function comes back when a worker starts.
   * @returns false when there is none of this name
   */
  async unschedule(name: string): Promise<boolean> {
    return this.#anyEntry(name, removeEntry);
  }

  /**
   * The entry fires no more until it is resumed; a function's own stays paused over restarts and deploys.
   * @returns false when there is none of this name
   */
  async pauseSchedule(name: string): Promise<boolean> {
    return this.#anyEntry(name, (store) => pauseEntry(store, name, true));
  }

  /**
   * From its next tick on it fires again; what fell due meanwhile is not made up for.
   * @returns false when there is none of this name
   */
  async resumeSchedule(name: string): Promise<boolean> {
    return this.#anyEntry(name, (store) => pauseEntry(store, name, false));
  }

  /** @param act is told whether there is one of this name */
  async #anyEntry(
    name: string,
    act: (store: Store, name: string) => Promise<boolean>,
  ): Promise<boolean> {
    checkScheduleName(name);
    for (const store of this.stores()) if (await act(store, name)) return true;
    return false;
  }

  /**
   * Fires a cron entry now, beside its ticks; the job's `tick` is this moment.
   * @throws {MinqError} `NO_SCHEDULE` when there is none of this name
   */
  async runSchedule(name: string): Promise<Job> {
    checkScheduleName(name);
    for (const store of this.stores()) {
      const { now, entries } = await store.cron.entries([name]);
      if (!entries[0]) continue;
      const entry = parseDefinition(entries[0].definition);
      const { json, letter } = tickJob(entry, now);
      const id = tickId(name, now);
      const { refused } = await store.enqueue([{ id, how: `${letter} kept 0`, json }]);
      return new Job(id, entry.fn, refused.has(0), { ...this.context(), store });
    }
    throw new MinqError('NO_SCHEDULE', `there is no cron entry ${show(name)}`);
  }

  /** Failed jobs by function and kind of error, of up to the last 10,000 that are kept. */
  async failures(): Promise<Failures> {
    return readFailures(this.store);
  }

  /** Counters since the queue exists. */
  async stats(): Promise<Stats> {
    return readStats(this.store);
  }

  /** What happened minute by minute in the last hour, or ten minutes at a time in the last day; the oldest first. */
  async history(span: Span): Promise<HistoryPoint[]> {
    return readHistory(this.store, checkOneOf(span, ['hour', 'day'], 'span'));
  }

  /**
   * How the runs of each function ended, how long they waited and took; by name. Workers report every five seconds.
   * @param when `lately`: in the last hour or two (default); `ever`: since the queue exists
   */
  async functions(when: 'lately' | 'ever' = 'lately'): Promise<FunctionStats[]> {
    return readFunctions(this.store, checkOneOf(when, ['lately', 'ever'], 'when'));
  }

  /** How long the job that stands first has waited, in ms; undefined where none waits. */
  async oldestWaitingMs(): Promise<number | undefined> {
    return readOldest(this.store);
  }

  /** Names of all queues that were enqueued to or worked on (of this prefix; at most 1,000), the one last used first. */
  async queues(): Promise<string[]> {
    return this.store.queues();
  }

  /** Redis's clock, epoch ms: what all times are by. */
  async now(): Promise<number> {
    return this.store.now();
  }

  /**
   * Limits the whole queue, over all its workers, from now on: `rate`, how many jobs may begin in any such time (by the moment a
   * worker claims them), and `concurrency`, how many run at once. Waiting jobs keep their order. Read it with `counts()`.
   * @param limit null: none any more
   * @example await queue.limit({ rate: '100/1m', concurrency: 20 })
   * @throws {InvalidArgumentError}
   */
  async limit(limit: { rate?: string; concurrency?: number } | null): Promise<void> {
    const checked = limit === null ? {} : checkLimit(limit);
    if (limit !== null && Object.keys(checked).length === 0) {
      refuse('limit', limit, "give 'rate', 'concurrency' or both; null for none");
    }
    await this.store.limit(checked);
  }

  /** No worker claims from now on. What runs goes on, and so does enqueueing. */
  async pause(): Promise<void> {
    await this.store.pause();
  }

  /** Workers claim again. */
  async resume(): Promise<void> {
    await this.store.resume();
  }

  /**
   * Runs a failed or cancelled job again, with all its attempts. Steps of its flow that failed only because of it wait for their
   * turn again; a group gets the results of its other members from where `result()` has them, as long as they are kept (`resultTtl`).
   * @returns what was done; false when there is no such job, or it is in another state, or is a step that never had its turn
   * @throws {MinqError} `FLOW_BUSY`: its failure is still on its way through its flow
   */
  async retry(id: string): Promise<Retried | false> {
    return retryOne(this.store, checkJobId(id));
  }

  /**
   * Runs again all failed jobs that are wanted, by default all there are; not those that fail meanwhile. Flows are revived as by
   * `retry()`; steps whose failure is still on its way are left.
   * @returns how many
   */
  async retryAll(wanted: JobFilter = {}): Promise<number> {
    return retryAll(this.store, checkFilter(wanted));
  }

  /**
   * Runs a job now that is scheduled for later, or waits for its next attempt.
   * @returns false when there is no such job, or it is in another state
   */
  async runNow(id: string): Promise<boolean> {
    return this.#move(id, '0');
  }

  /**
   * Lets a job that is scheduled, or waits for its next attempt, start at another time. It starts then, though its `expires` is over.
   * @returns false when there is no such job, or it is in another state
   */
  async reschedule(id: string, when: { delay?: Duration; runAt?: Date }): Promise<boolean> {
    return this.#move(id, checkWhen(when));
  }

  async #move(id: string, due: string): Promise<boolean> {
    return ['scheduled', 'queued'].includes(await this.store.reschedule(checkJobId(id), due));
  }

  /**
   * Removes a job without a trace.
   * @returns false when there is no such job
   * @throws {MinqError} `JOB_ACTIVE` while it runs: cancel it first
   */
  async remove(id: string): Promise<boolean> {
    const word = await this.store.remove(id);
    if (word === 'active')
      throw new MinqError('JOB_ACTIVE', `job ${id} is running; cancel it first`);
    return word === 'removed';
  }

  /**
   * Puts jobs back into the queue that lie in no place, because a key was evicted, deleted, or mended by hand; beside running
   * workers, each exactly once. Workers of queues with up to 10,000 waiting jobs do so by themselves, within a minute or two.
   * @returns how many were put back, and how many steps of flows were left: nobody knows whether their turn has come
   */
  async repair(): Promise<{ repaired: number; left: number }> {
    return this.store.repairs.repair();
  }

  /**
   * Removes the queue: its ended jobs, counters, history and cron entries. It is known no more until it is used again.
   * @throws {MinqError} `QUEUE_IN_USE` while a worker is alive (up to a minute after it was killed), or a job has not ended
   */
  async forget(): Promise<void> {
    const { queue } = this.store;
    const { workers, jobs } = await this.store.forget();
    const mend =
      workers > 0
        ? `${number(workers)} of its workers may be alive; stop them`
        : `${jobsOf(jobs)} have not ended; purge or cancel them`;
    if (workers > 0 || jobs > 0) {
      throw new MinqError('QUEUE_IN_USE', `queue ${queue} can't be forgotten: ${mend} first`);
    }
  }

  /**
   * Removes all jobs of one state without a trace, as many as there were at the call; or those that are wanted.
   * @returns how many
   */
  async purge(
    state: Exclude<JobState, 'active' | 'waiting'>,
    wanted: JobFilter = {},
  ): Promise<number> {
    if (['active', 'waiting'].includes(checkState(state))) {
      throw new InvalidArgumentError(`state: "${state}" can't be purged; cancel the jobs instead`);
    }
    const store = this.store;
    const filter = checkFilter(wanted);
    if (Object.values(filter).some((each) => each !== '')) {
      return removeAll(store, state, filter);
    }
    let left = (await readCounts(store))[state];
    let removed = 0;
    while (left > 0) {
      const { taken, jobs } = await store.purge(state);
      if (taken === 0) break;
      removed += jobs;
      left -= jobs;
    }
    return removed;
  }
}

const checkState = (state: unknown): JobState => checkOneOf(state, STATES, 'state');

function checkOneOf<const T extends string>(value: unknown, known: readonly T[], name: string): T {
  if (known.includes(value as T)) return value as T;
  throw new InvalidArgumentError(
    `${name}: ${show(value)} is no ${name}; give one of ${known.join(', ')}`,
  );
}
