/** What people do with a queue, in the model. */
import {
  ended,
  known,
  recordOf,
  ticketOf,
  type FinalState,
  type ModelJob,
  type ModelQueue,
} from './queue.ts';

const RUN_AGAIN = '{"name":"RunAgain","message":"run again by hand"}';

/** A job that waits leaves its flow; what comes after it can't go on. */
function drop(queue: ModelQueue, jobs: readonly ModelJob[]): void {
  for (const job of jobs) if (!ended(job)) queue.follow(job, '{"state":"cancelled"}');
  // It is out before what follows it is looked at, or it would be failed itself.
  for (const job of jobs) if (job.state === 'waiting') job.state = 'scheduled';
  queue.drawConsequences();
  for (const job of jobs) queue.forget(job);
}

export function cancel(queue: ModelQueue, id: string): string {
  const job = queue.jobs.get(id);
  if (!job) return 'unknown';
  if (ended(job)) return 'ended';
  if (job.state === 'waiting' && !job.step?.next) return 'flow';
  if (job.state === 'active') {
    queue.want(job);
    return 'cancelling';
  }
  queue.cancelled(job);
  queue.drawConsequences();
  return 'cancelled';
}

export function retry(queue: ModelQueue, ids: readonly string[]): string[] {
  return ids.map((id) => {
    const job = known(queue, id);
    if (!job) return 'unknown';
    if (job.state !== 'failed' && job.state !== 'cancelled') return 'other';
    // A step that never had its turn lacks its first argument.
    if (job.step && !job.begun) return 'other';
    job.attempts.push(`${job.endedAt}${job.outcome}`);
    Object.assign(job, { outcome: undefined, endedAt: undefined, progress: undefined, lastError: RUN_AGAIN, attempt: 1 }); // prettier-ignore
    job.run++;
    queue.line(job);
    return 'queued';
  });
}

const PUT_OFF = '{"name":"RunAgain","message":"put at another time by hand"}';

export function reschedule(queue: ModelQueue, id: string, due: number): string {
  const job = queue.jobs.get(id);
  if (!job) return 'unknown';
  if (job.state !== 'scheduled') return 'other';
  job.lastError ??= PUT_OFF;
  queue.line(job, due);
  return job.state;
}

export function remove(queue: ModelQueue, id: string): string {
  const job = queue.jobs.get(id);
  if (!job) return 'unknown';
  if (job.state === 'active') return 'active';
  queue.leaveLine(job);
  drop(queue, [job]);
  return 'removed';
}

/** @returns how many jobs are gone */
export function purge(queue: ModelQueue, state: 'queued' | 'scheduled' | FinalState): number {
  const jobs = state === 'queued' ? queue.take(Infinity) : queue.inOrder(state);
  drop(queue, jobs);
  return jobs.length;
}

/** Who waits for these results: the outcome if it is there, '' where it will be told, null of an unknown job. */
export function watch(queue: ModelQueue, ids: readonly string[], channel: string): (string | null)[] {
  return ids.map((id) => {
    const job = known(queue, id);
    if (!job) return null;
    if (ended(job)) return `${job.endedAt}${job.outcome}`;
    if (!job.waiters.includes(channel)) job.waiters.push(channel);
    return '';
  });
} // prettier-ignore

/** What is known of a job, as `info` gives it. */
export function info(queue: ModelQueue, id: string): { row: unknown[]; attempts: unknown } {
  const job = known(queue, id);
  if (!job) return { row: [id, 'unknown'], attempts: null };
  const over = ended(job);
  const at = over || job.state === 'queued' || job.state === 'waiting' ? null : String(job.at);
  const row = [
    id, over ? 'ended' : job.state, ticketOf(job), at, recordOf(job),
    over ? `${job.endedAt}${job.outcome}` : null, job.lastError ?? null, job.progress ?? null,
  ]; // prettier-ignore
  const lines = job.attempts.map((line) => `${line}\n`).join('');
  return { row, attempts: lines === '' ? null : lines };
}

export function counts(queue: ModelQueue): unknown[] {
  const inState = (state: string) => [...queue.jobs.values()].filter((job) => job.state === state && known(queue, job.id)).length; // prettier-ignore
  const states = ['scheduled', 'queued', 'active', 'completed', 'failed', 'cancelled'];
  const { concurrency, rate } = queue.limit;
  const limits = [concurrency, rate?.count, rate?.perMs].map((n) =>
    n === undefined ? null : String(n),
  );
  const any = limits.some((each) => each !== null);
  return [
    ...states.map(inState),
    queue.paused ? 1 : 0,
    inState('waiting'),
    ...(any ? [limits] : []),
  ];
}
