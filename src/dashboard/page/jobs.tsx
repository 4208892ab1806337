/** The jobs of a queue by state, searched and in pages. */
import type { JobState, QueuesReply } from './api.js';
import { PURGEABLE, purge, retryAll, type Purgeable } from './actions.tsx';
import { count, figure } from './format.ts';
import { JobFilter } from './job-filter.tsx';
import { JobList } from './job-list.tsx';
import { usePoll } from './poll.ts';
import { hrefOf } from './route.ts';
import { PAGE, search, type Found, type JobsQuery } from './search.ts';
import { Name } from './text.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';
import { useState } from './vendor/hooks.js';

const TABS: JobState[] = [
  'failed',
  'queued',
  'active',
  'scheduled',
  'waiting',
  'completed',
  'cancelled',
];
const EVERY_MS = 2_000;
/** Parts that are looked through before somebody is asked to go on. */
const PARTS = 5;

interface JobsProps {
  queue: string;
  queues: QueuesReply;
  asked: Record<string, string>;
}

export function Jobs({ queue, queues, asked }: JobsProps): JSX.Element {
  const state = TABS.find((each) => each === asked['state']) ?? 'failed';
  // Where the pages before this one begin, and this one: `0-50-100`.
  const trail = (asked['from'] ?? '')
    .split('-')
    .map(Number)
    .filter((n) => n > 0);
  const offset = trail.at(-1) ?? 0;
  const fn = asked['fn'] ?? '';
  const error = asked['error'] ?? '';
  const filtered = fn !== '' || error !== '';
  const query: JobsQuery = { queue, state, fn, error, offset };
  const key = `jobs ${JSON.stringify(query)}`;
  const [further, setFurther] = useState({ key, parts: PARTS });
  const parts = further.key === key ? further.parts : PARTS;
  const { data, error: wrong } = usePoll<Found>(
    `${key} ${parts}`,
    (signal) => search(query, parts, signal),
    EVERY_MS,
  );

  const counts = queues.queues.find(({ name }) => name === queue)?.counts;
  const total = data?.total ?? counts?.[state] ?? 0;
  const functions = [...new Set(data?.jobs.flatMap((job) => job.fn?.slice(0, 200) ?? []))];
  const go = (from: number[]): string =>
    hrefOf('jobs', { queue, state, fn, error, from: from.join('-') });
  const next = data?.next;
  return (
    <Fragment>
      <header class="title">
        <h1>Jobs</h1>
        {queues.queues.length > 1 && <QueueChoice queue={queue} queues={queues} state={state} />}
      </header>
      <nav class="tabs" aria-label="States">
        {TABS.map((each) => (
          <a
            key={each}
            class={`s-${each}`}
            href={hrefOf('jobs', { queue, state: each, fn, error })}
            aria-current={each === state ? 'page' : undefined}
          >
            {each} <b>{figure(counts?.[each] ?? 0)}</b>
          </a>
        ))}
      </nav>
      <JobFilter
        queue={queue}
        fn={fn}
        error={error}
        functions={functions}
        onFilter={(nextFn, nextError) =>
          location.replace(hrefOf('jobs', { queue, state, fn: nextFn, error: nextError }))
        }
      />
      <div class="bar">
        <p role="status">
          <Summary found={data} total={total} state={state} offset={offset} filtered={filtered} />
        </p>
        {data?.unfinished && (
          <button type="button" onClick={() => setFurther({ key, parts: parts + 4 * PARTS })}>
            Search further
          </button>
        )}
        {!queues.readOnly && total > 0 && (
          <span class="buttons">
            {state === 'failed' && (
              <button type="button" onClick={() => void retryAll(queue, { fn, error }, total)}>
                {filtered ? 'Retry all matching' : 'Retry all'}…
              </button>
            )}
            {PURGEABLE.includes(state) && (
              <button type="button" onClick={() => void purge(queue, state as Purgeable, total)}>
                Remove all {state}…
              </button>
            )}
          </span>
        )}
      </div>
      {wrong && !data && (
        <p class="empty" role="alert">
          <Name text={wrong.message} most={400} />
        </p>
      )}
      {data && data.jobs.length > 0 && (
        <JobList queue={queue} state={state} jobs={data.jobs} readOnly={queues.readOnly} />
      )}
      {data && data.jobs.length === 0 && !data.unfinished && (
        <p class="empty">{emptyText(state, filtered, offset)}</p>
      )}
      <nav class="pages" aria-label="Pages of jobs">
        {trail.length > 0 && (
          <a rel="prev" href={go(trail.slice(0, -1))}>
            ← Previous
          </a>
        )}
        {next !== undefined && !data?.unfinished && (
          <a rel="next" href={go([...trail, next])}>
            Next →
          </a>
        )}
      </nav>
    </Fragment>
  );
}

interface SummaryProps {
  found: Found | undefined;
  total: number;
  state: string;
  offset: number;
  filtered: boolean;
}

function Summary({ found, total, state, offset, filtered }: SummaryProps): JSX.Element {
  if (!found) return <span>Asking Redis…</span>;
  const { jobs, next } = found;
  if (!filtered) {
    const to = offset + jobs.length;
    return (
      <span>
        {jobs.length > 0 ? `${count(offset + 1)}–${count(to)} of ` : ''}
        {count(Math.max(total, jobs.length))} {state}
      </span>
    );
  }
  const searched = next === undefined ? total : Math.min(next, total);
  return (
    <span>
      {count(jobs.length)}
      {jobs.length >= PAGE ? ' (a page)' : ''} found; searched {count(searched)} of {count(total)}{' '}
      {state}
      {found.unfinished ? ' so far' : ''}
    </span>
  );
}

function emptyText(state: JobState, filtered: boolean, offset: number): string {
  if (filtered)
    return `No ${state} job matches. Functions are found by their whole name, errors by any piece of name, message or stack.`;
  if (offset > 0) return 'Nothing is here any more: the jobs have moved on.';
  const why: Record<JobState, string> = {
    failed: 'No failed jobs. Jobs come here when their retries are used up.',
    queued: 'No job waits for a free slot.',
    active: 'No job is running.',
    scheduled: 'No job is scheduled: those with a delay wait here, and those that will be retried.',
    waiting: 'No step of a flow waits for others.',
    completed: 'No completed jobs are kept: results are forgotten after a while (resultTtl).',
    cancelled: 'No cancelled jobs are kept.',
  };
  return why[state];
}

interface QueueChoiceProps {
  queue: string;
  queues: QueuesReply;
  state: string;
}

function QueueChoice({ queue, queues, state }: QueueChoiceProps): JSX.Element {
  const names = queues.queues.map(({ name }) => name);
  return (
    <label class="choice">
      <span>Queue</span>
      <select
        value={queue}
        onChange={(event) =>
          (location.hash = hrefOf('jobs', { queue: event.currentTarget.value, state }))
        }
      >
        {(names.includes(queue) ? names : [queue, ...names]).map((name) => (
          <option key={name} value={name}>
            {name.slice(0, 80)}
          </option>
        ))}
      </select>
    </label>
  );
}
