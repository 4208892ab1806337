/** What is to be recorded of a job that has ended, run or not. */
import { JSON } from '../job/globals.ts';
import type { JobFunction } from '../job/define.ts';
import { parseTicket, type ClaimedJob, type JobRecord, type Outcome } from '../job/job.ts';
import type { NewJob } from '../job/record.ts';
import type { Keep } from '../store/store.ts';
import type { Claim } from '../store/turn.ts';
import { resultTtlOf, type Run } from './executor.ts';
import type { Finished } from './track.ts';

export interface Ending {
  job: Pick<ClaimedJob, 'id' | 'run' | 'ticket' | 'attempt' | 'claimedAt'>;
  outcome: Outcome;
  ranMs?: number;
  /** Where they are known. */
  record?: JobRecord | undefined;
  fn?: JobFunction | undefined;
  run?: Run | undefined;
}

/** A job of which nothing but its ticket is known, or needed. */
export const heldOf = ({ ticket, claimedAt }: Pick<Claim, 'ticket' | 'claimedAt'>) => ({
  ...parseTicket(ticket),
  ticket,
  claimedAt,
});

export function finishedOf(
  { job, outcome, ranMs = 0, record, fn, run }: Ending,
  keep: Keep,
  queue: string,
): Finished {
  const resultTtl = resultTtlOf(record, fn, keep.completed.age);
  const keptMs = outcome.kind === 'completed' ? resultTtl : keep.failed.age;
  const followUp =
    outcome.kind === 'failed' && fn ? failureJob(job, record!, outcome, fn, queue) : undefined;
  return { job, outcome, ranMs, keptMs, free: resultTtl === 0, followUp, run };
}

/**
 * The job named by `onFailure`. Its id is fixed by the run that failed: sent twice, it is one job. One that belongs to another queue
 * is told to it as what flows tell each other is: ` queue|id`.
 */
function failureJob(
  job: Pick<ClaimedJob, 'id' | 'run' | 'attempt'>,
  record: JobRecord,
  outcome: Outcome & { kind: 'failed' },
  fn: JobFunction,
  queue: string,
): NewJob | undefined {
  const handler = fn.options.onFailure;
  if (handler === undefined) return undefined;
  const what = {
    id: job.id,
    fn: fn.name,
    args: record.args,
    error: outcome.error,
    attempt: job.attempt,
  };
  const id = `${job.id}:failure:${job.run}`;
  const { failureQueue = queue } = fn;
  return {
    id: failureQueue === queue ? id : ` ${failureQueue}|${id}`,
    how: '',
    json: JSON.stringify({ fn: handler, args: [what], ...(record.meta && { meta: record.meta }) }),
  };
}
