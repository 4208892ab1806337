import type { JobFunction } from '../job/define.ts';
import type { ClaimedJob, JobRecord, Outcome } from '../job/job.ts';
import type { NewJob } from '../job/record.ts';

/** The job named by `onFailure`. Its id is fixed by the run that failed: sent twice, it is one job. */
export function failureJob(
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
