/** Rows of jobs, with what matters in their state. */
import type { JobRow, JobState } from './api.js';
import { JobActions } from './actions.tsx';
import { duration } from './format.ts';
import { hrefOf, jobHref } from './route.ts';
import { server } from './server.ts';
import { Table, type Column } from './table.tsx';
import { Name, NameLink, Since, Time } from './text.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

const WHEN = {
  waiting: ['Enqueued', 'enqueuedAt'],
  scheduled: ['Due', 'dueAt'],
  queued: ['Enqueued', 'enqueuedAt'],
  active: ['Started', 'startedAt'],
  completed: ['Ended', 'endedAt'],
  failed: ['Ended', 'endedAt'],
  cancelled: ['Ended', 'endedAt'],
} as const;

interface JobListProps {
  queue: string;
  state: JobState;
  jobs: readonly JobRow[];
  ticks: Ticks;
}

/** Which jobs are ticked. */
export interface Ticks {
  ids: string[];
  tick: (ids: readonly string[], on: boolean) => void;
}

export function JobList({ queue, state, jobs, ticks }: JobListProps): JSX.Element {
  const [when, at] = WHEN[state];
  return (
    <Table
      class="jobs"
      columns={[
        ...(server.readOnly ? [] : [tickColumn(jobs, ticks)]),
        { head: 'Job', class: 'who', cell: (job) => <Who queue={queue} state={state} job={job} /> },
        { head: 'Arguments', class: 'args', cell: ({ args }) => <Arguments text={args.text} /> },
        { head: when, cell: (job) => <Time at={job[at]} /> },
        { head: 'Attempt', class: 'n', cell: ({ attempt }) => attempt },
        {
          head: state === 'completed' ? 'Took' : 'What is known',
          class: 'known',
          cell: (job) => <Known job={job} queue={queue} />,
        },
      ]}
      rows={jobs}
      row={({ id }) => ({ key: id, 'data-job': id })}
      actions={(job) => <JobActions queue={queue} job={job} listed />}
    />
  );
}

function tickColumn(jobs: readonly JobRow[], { ids, tick }: Ticks): Column<JobRow> {
  const box = (what: string, of: string[]): JSX.Element => (
    <input
      type="checkbox"
      aria-label={what}
      checked={of.every((id) => ids.includes(id))}
      onChange={(event) => tick(of, event.currentTarget.checked)}
    />
  );
  return {
    class: 'tick',
    head: box(
      'All on this page',
      jobs.map(({ id }) => id),
    ),
    cell: ({ id }) => box(`Job ${id.slice(0, 100)}`, [id]),
  };
}

const Arguments = ({ text }: { text: string }): JSX.Element => (
  <code>
    <Name text={text} most={200} />
  </code>
);

interface CellProps {
  queue: string;
  job: JobRow;
}

function Who({ queue, state, job }: CellProps & { state: JobState }): JSX.Element {
  const { id, fn, priority } = job;
  return (
    <Fragment>
      <NameLink class="id" href={jobHref(queue, id)} text={id} most={40} />
      <NameLink
        class="fn"
        href={hrefOf('jobs', { queue, state, fn })}
        title="Only jobs of this function"
        text={fn ?? '(unreadable)'}
        most={60}
      />
      {priority !== 'normal' && <span class="badge">{priority}</span>}
    </Fragment>
  );
}

function Known({ queue, job }: CellProps): JSX.Element {
  const { state, startedAt, ranMs, progress, failedStep, reason, error } = job;
  return (
    <div>
      {state === 'active' && startedAt !== undefined && (
        <span>
          running for <Since at={startedAt} />{' '}
        </span>
      )}
      {ranMs !== undefined && <span>{duration(ranMs)} </span>}
      {progress && (
        <span>
          at <Name text={progress.text} most={80} />{' '}
        </span>
      )}
      {failedStep !== undefined && (
        <span>
          because of <a href={jobHref(queue, failedStep)}>another step</a>{' '}
        </span>
      )}
      {reason && (
        <span>
          <Name text={reason} most={80} />{' '}
        </span>
      )}
      {error && (
        <span class="error">
          {state === 'failed' ? '' : 'last error: '}
          <Name text={error.text} most={300} />
        </span>
      )}
    </div>
  );
}
