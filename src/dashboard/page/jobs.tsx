/** The jobs of a queue by state, searched and in pages. */
import type { JobRow, JobsReply, JobState, QueueReply, QueuesReply } from './api.js';
import { Do, isPurgeable, onThese, purge, retryAll } from './actions.tsx';
import { count, figure } from './format.ts';
import { JobList, type Ticks } from './job-list.tsx';
import { hrefOf, withQuery } from './route.ts';
import { get, usePoll, useReply } from './server.ts';
import { STATES, Trouble } from './text.tsx';
import { Fragment, h, type JSX, type RefObject } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

const PAGE = 50;
const EVERY_MS = 2_000;
/** Parts that are looked through before somebody is asked to go on. */
const PARTS = 5;

interface JobsProps {
  queue: string;
  queues: QueuesReply;
  asked: Record<string, string>;
}

export function Jobs({ queue, queues, asked }: JobsProps): JSX.Element {
  const { fn = '', error = '', kind = '', args = '', from = '' } = asked;
  const state = STATES.find((each) => each === asked['state']) ?? 'failed';
  // Where the pages before this one begin, and this one: `0-50-100`.
  const trail = from
    .split('-')
    .map(Number)
    .filter((n) => n > 0);
  const filter = { fn, error, kind, args };
  const query: JobsQuery = { queue, state, ...filter, offset: trail.at(-1) ?? 0 };
  const filtered = isFilter(filter);
  const key = `jobs ${JSON.stringify(query)}`;
  const [further, setFurther] = useState({ key, parts: PARTS });
  const parts = further.key === key ? further.parts : PARTS;
  const polled = usePoll(`${key} ${parts}`, (signal) => search(query, parts, signal), EVERY_MS);

  const { data: found } = polled;
  const counts = queues.queues.find(({ name }) => name === queue)?.counts;
  const total = found?.total ?? counts?.[state] ?? 0;
  const known = useReply<QueueReply>(withQuery('queue', { queue }), 30_000).data?.functions ?? [];
  const functions = new Set([
    ...known.map((each) => each.fn),
    ...(found?.jobs.flatMap((job) => job.fn?.slice(0, 200) ?? []) ?? []),
  ]);
  const ticks = useTicks(key, found?.jobs);
  const go = (to: number[]): string =>
    hrefOf('jobs', { queue, state, ...filter, from: to.join('-') });
  return (
    <Fragment>
      <header class="title">
        <h1>Jobs</h1>
        {queues.queues.length > 1 && <QueueChoice queue={queue} queues={queues} state={state} />}
      </header>
      <nav class="tabs" aria-label="States">
        {STATES.map((each) => (
          <a
            key={each}
            class={`s-${each}`}
            href={hrefOf('jobs', { queue, state: each, fn, error, args })}
            aria-current={each === state ? 'page' : undefined}
          >
            {each} <b>{figure(counts?.[each] ?? 0)}</b>
          </a>
        ))}
      </nav>
      <JobFilter
        filter={filter}
        functions={[...functions]}
        onFilter={(filter) => location.replace(hrefOf('jobs', { queue, state, ...filter }))}
      />
      <div class="bar">
        <p role="status">{found ? summary(query, found, total) : 'Asking Redis…'}</p>
        {found?.unfinished && (
          <button type="button" onClick={() => setFurther({ key, parts: parts + 4 * PARTS })}>
            Search further
          </button>
        )}
        {total > 0 && (
          <span class="buttons">
            {ticks.ids.length > 0 ? (
              <Bulk queue={queue} state={state} ids={ticks.ids} />
            ) : (
              state === 'failed' &&
              kind === '' &&
              args === '' && (
                <Do what={() => retryAll(queue, fn, error, total)}>
                  {filtered ? 'Retry all matching' : 'Retry all'}…
                </Do>
              )
            )}
          </span>
        )}
      </div>
      <Trouble {...polled} />
      {found && found.jobs.length > 0 && (
        <JobList queue={queue} state={state} jobs={found.jobs} ticks={ticks} />
      )}
      {found?.jobs.length === 0 && !found.unfinished && (
        <p class="empty">{whyEmpty(state, filtered, query.offset)}</p>
      )}
      <nav class="pages" aria-label="Pages of jobs">
        {trail.length > 0 && (
          <a rel="prev" href={go(trail.slice(0, -1))}>
            ← Previous
          </a>
        )}
        {found?.next !== undefined && !found.unfinished && (
          <a rel="next" href={go([...trail, found.next])}>
            Next →
          </a>
        )}
      </nav>
      {total > 0 && isPurgeable(state) && (
        <p class="far">
          <Do what={() => purge(queue, state, total)}>
            Remove all {count(total)} {state}…
          </Do>
        </p>
      )}
    </Fragment>
  );
}

/** What may be done to those that are ticked. */
function Bulk({
  queue,
  state,
  ids,
}: {
  queue: string;
  state: JobState;
  ids: string[];
}): JSX.Element {
  const over = ['failed', 'cancelled'].includes(state);
  return (
    <Fragment>
      {over && <Do what={() => onThese('retry', queue, ids)}>Retry {ids.length}…</Do>}
      {!over && state !== 'completed' && (
        <Do what={() => onThese('cancel', queue, ids)}>Cancel {ids.length}…</Do>
      )}
      {state !== 'active' && (
        <Do what={() => onThese('remove', queue, ids)}>Remove {ids.length}…</Do>
      )}
    </Fragment>
  );
}

/** Of the jobs that are shown, those that are ticked. */
function useTicks(key: string, jobs: readonly JobRow[] = []): Ticks {
  const [ticked, setTicked] = useState({ key, ids: new Set<string>() });
  const chosen = ticked.key === key ? ticked.ids : new Set<string>();
  const ids = jobs.map(({ id }) => id).filter((id) => chosen.has(id));
  const tick = (changed: readonly string[], on: boolean): void => {
    const next = new Set(ids);
    for (const id of changed) {
      if (on) next.add(id);
      else next.delete(id);
    }
    setTicked({ key, ids: next });
  };
  return { ids, tick };
}

interface JobsQuery extends Filter {
  queue: string;
  state: JobState;
  offset: number;
}

interface Found {
  jobs: JobRow[];
  /** In this state, whatever the filter. */
  total: number;
  /** Where the next page begins; missing at the end. */
  next?: number | undefined;
  /** The page isn't full, but the search was long enough for now. */
  unfinished: boolean;
}

/**
 * A page of jobs. With a filter the server looks through a part at a time: goes on until the page is full.
 * @param most how many parts are looked through
 */
async function search(query: JobsQuery, most: number, signal: AbortSignal): Promise<Found> {
  // Jobs move on while they are looked through: one may come twice.
  const jobs = new Map<string, JobRow>();
  let { offset } = query;
  for (let part = 1; ; part++) {
    const path = withQuery('jobs', { ...query, offset, limit: PAGE - jobs.size });
    const { jobs: more, total, next } = await get<JobsReply>(path, signal);
    for (const job of more) jobs.set(job.id, job);
    const full = jobs.size >= PAGE;
    const over = next === undefined || full || !isFilter(query);
    if (over || part >= most) return { jobs: [...jobs.values()], total, next, unfinished: !over };
    offset = next;
  }
}

function summary(query: JobsQuery, found: Found, total: number): string {
  const { state, offset } = query;
  const { jobs, next = total, unfinished } = found;
  if (!isFilter(query)) {
    const which = jobs.length > 0 ? `${count(offset + 1)}–${count(offset + jobs.length)} of ` : '';
    return `${which}${count(Math.max(total, jobs.length))} ${state}`;
  }
  const full = jobs.length >= PAGE ? ' (a page)' : '';
  const searched = `${count(Math.min(next, total))} of ${count(total)} ${state}`;
  return `${count(jobs.length)}${full} found; searched ${searched}${unfinished ? ' so far' : ''}`;
}

const WHY_EMPTY: Record<JobState, string> = {
  failed: 'No failed jobs. Jobs come here when their retries are used up.',
  queued: 'No job waits for a free slot.',
  active: 'No job is running.',
  scheduled: 'No job is scheduled: those with a delay wait here, and those that will be retried.',
  waiting: 'No step of a flow waits for others.',
  completed: 'No completed jobs are kept: results are forgotten after a while (resultTtl).',
  cancelled: 'No cancelled jobs are kept.',
};

function whyEmpty(state: JobState, filtered: boolean, offset: number): string {
  if (filtered)
    return `No ${state} job matches. Functions are found by their whole name, errors by any piece of name, message or stack.`;
  return offset > 0 ? 'Nothing is here any more: the jobs have moved on.' : WHY_EMPTY[state];
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

interface Filter {
  fn: string;
  error: string;
  /** Key of a kind of failure. */
  kind: string;
  args: string;
}

const isFilter = ({ fn, error, kind, args }: Filter): boolean =>
  [fn, error, kind, args].some((each) => each !== '');

interface JobFilterProps {
  filter: Filter;
  /** Of the jobs that are shown. */
  functions: readonly string[];
  onFilter: (filter: Filter) => void;
}

const PAUSE_MS = 300;

/** By function, by text of the error; and the way straight to one job. */
function JobFilter({ filter, functions, onFilter }: JobFilterProps): JSX.Element {
  const [fn, error, args] = [useInput(), useInput(), useInput()];
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // Changed elsewhere, by a link or the way back: but not while somebody types.
  useEffect(() => {
    if (timer.current !== undefined) return;
    fn.current!.value = filter.fn;
    error.current!.value = filter.error;
    args.current!.value = filter.args;
  }, [filter.fn, filter.error, filter.args]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const send = (): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const [name, text, piece] = [fn, error, args].map(({ current }) => current!.value);
    onFilter({ fn: name!, error: text!, args: piece!, kind: filter.kind });
  };
  const typed = (): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(send, PAUSE_MS);
  };
  return (
    <div class="filters">
      <form role="search" onInput={typed} onSubmit={instead(send)}>
        <Field
          label="Function (its whole name)"
          type="search"
          name="fn"
          list="functions"
          input={fn}
        />
        <Field label="Text in the error" type="search" name="error" input={error} />
        <Field label="Text in the arguments" type="search" name="args" input={args} />
        <datalist id="functions">
          {functions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      {filter.kind !== '' && (
        <button type="button" onClick={() => onFilter({ ...filter, fn: '', kind: '' })}>
          Of one kind of error ×
        </button>
      )}
    </div>
  );
}

const useInput = () => useRef<HTMLInputElement>(null);

const instead =
  (act: () => void) =>
  (event: Event): void => {
    event.preventDefault();
    act();
  };

interface FieldProps {
  label: string;
  type: 'search';
  name: string;
  list?: string;
  input: RefObject<HTMLInputElement | null>;
}

const Field = ({ label, input, ...rest }: FieldProps): JSX.Element => (
  <label>
    <span>{label}</span>
    <input ref={input} {...rest} autocomplete="off" spellcheck={false} />
  </label>
);
