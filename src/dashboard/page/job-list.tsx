/** Rows of jobs, with what matters in their state. */
import type { JobRow, JobState } from './api.js';
import { actionsFor, onJob } from './actions.tsx';
import { duration } from './format.ts';
import { hrefOf, jobHref } from './route.ts';
import { Name } from './text.tsx';
import { Since, Time } from './time.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useLayoutEffect, useRef } from './vendor/hooks.js';

interface JobListProps {
  queue: string;
  state: JobState;
  jobs: readonly JobRow[];
  readOnly: boolean;
}

const WHEN: Record<JobState, string> = {
  waiting: 'Enqueued',
  scheduled: 'Due',
  queued: 'Enqueued',
  active: 'Started',
  completed: 'Ended',
  failed: 'Ended',
  cancelled: 'Ended',
};

export function JobList({ queue, state, jobs, readOnly }: JobListProps): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const focused = useRef<{ row: number; element: Element } | undefined>(undefined);

  // Who retries job after job by keyboard isn't thrown to the top of the page as they leave the list.
  useLayoutEffect(() => {
    const was = focused.current;
    if (!was || was.element.isConnected || document.activeElement !== document.body) return;
    const row = body.current!.rows[Math.min(was.row, body.current!.rows.length - 1)];
    row?.querySelector('a')?.focus();
    focused.current = undefined;
  });
  const remember = (event: FocusEvent): void => {
    const element = event.target as HTMLElement;
    const row = element.closest('tr');
    focused.current = row ? { row: row.sectionRowIndex, element } : undefined;
  };

  return (
    <table class="jobs">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">Arguments</th>
          <th scope="col">{WHEN[state]}</th>
          <th scope="col" class="n">
            Attempt
          </th>
          <th scope="col">{state === 'completed' ? 'Took' : 'What is known'}</th>
          {!readOnly && (
            <th scope="col">
              <span class="sr">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody ref={body} onFocusIn={remember}>
        {jobs.map((job) => (
          <Row key={job.id} queue={queue} job={job} readOnly={readOnly} list={state} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  queue: string;
  list: JobState;
  job: JobRow;
  readOnly: boolean;
}

function Row({ queue, job, readOnly, list }: RowProps): JSX.Element {
  return (
    <tr data-job={job.id}>
      <td class="who">
        <a class="id" href={jobHref(queue, job.id)}>
          <Name text={job.id} most={40} />
        </a>
        <a
          class="fn"
          href={hrefOf('jobs', { queue, state: list, fn: job.fn })}
          title="Only jobs of this function"
        >
          <Name text={job.fn ?? '(unreadable)'} most={60} />
        </a>
        {job.priority !== 'normal' && (
          <span class="badge">{job.priority === 'high' ? 'high' : 'low'}</span>
        )}
      </td>
      <td class="args" data-label="Arguments">
        <code>
          <Name text={job.args.text} most={200} />
        </code>
      </td>
      <td data-label={WHEN[list]}>
        <Time at={whenOf(job, list)} />
      </td>
      <td class="n" data-label="Attempt">
        {job.attempt}
      </td>
      <td class="known">
        <Known job={job} queue={queue} />
      </td>
      {!readOnly && (
        <td class="acts">
          {actionsFor(job).map((action) => (
            <button
              key={action}
              type="button"
              class="small"
              onClick={() => void onJob(action, queue, job.id, job.state)}
            >
              {action[0]!.toUpperCase() + action.slice(1)}
              <span class="sr"> job {job.id.slice(0, 100)}</span>
            </button>
          ))}
        </td>
      )}
    </tr>
  );
}

function whenOf(job: JobRow, list: JobState): number | undefined {
  if (list === 'scheduled') return job.dueAt;
  if (list === 'active') return job.startedAt;
  return list === 'queued' || list === 'waiting' ? job.enqueuedAt : job.endedAt;
}

function Known({ job, queue }: { job: JobRow; queue: string }): JSX.Element {
  return (
    <div>
      {job.state === 'active' && job.startedAt !== undefined && (
        <span>
          running for <Since at={job.startedAt} />{' '}
        </span>
      )}
      {job.ranMs !== undefined && <span class="took">{duration(job.ranMs)} </span>}
      {job.progress && (
        <span class="progress">
          at <Name text={job.progress.text} most={80} />{' '}
        </span>
      )}
      {job.failedStep !== undefined && (
        <span>
          because of <a href={jobHref(queue, job.failedStep)}>another step</a>{' '}
        </span>
      )}
      {job.reason && (
        <span>
          <Name text={job.reason} most={80} />{' '}
        </span>
      )}
      {job.error && (
        <span class="error">
          {job.state === 'failed' ? '' : 'last error: '}
          <Name text={job.error.text} most={300} />
        </span>
      )}
    </div>
  );
}
