/** What is to be recorded of a job that has ended, run or not. */
import { JSON } from '../job/globals.ts';
import type { JobFunction } from '../job/define.ts';
import type { ClaimedJob, JobRecord, Outcome } from '../job/job.ts';
import type { NewJob } from '../job/record.ts';
import type { Keep } from '../store/store.ts';
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

export function finishedOf(
  { job, outcome, ranMs = 0, record, fn, run }: Ending,
  keep: Keep,
): Finished {
  const resultTtl = resultTtlOf(record, fn, keep.completed.age);
  const keptMs = outcome.kind === 'completed' ? resultTtl : keep.failed.age;
  const followUp =
    outcome.kind === 'failed' && fn ? failureJob(job, record!, outcome, fn) : undefined;
  return { job, outcome, ranMs, keptMs, free: resultTtl === 0, followUp, run };
}

/** The job named by `onFailure`. Its id is fixed by the run that failed: sent twice, it is one job. */
function failureJob(
  job: Pick<ClaimedJob, 'id' | 'run' | 'attempt'>,
  record: JobRecord,
  outcome: Outcome & { kind: 'failed' },
  fn: JobFunction,
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
  return {
    id: `${job.id}:failure:${job.run}`,
    how: '',
    json: JSON.stringify({ fn: handler, args: [what], ...(record.meta && { meta: record.meta }) }),
  };
}
