/** What is stuck, and why: for a look of ten seconds. */
import type {
  FindingsReply,
  FunctionTimes,
  JobsReply,
  JobState,
  Percentiles,
  QueueReply,
  QueuesReply,
  QueueSummary,
  Stats,
} from './api.js';
import { Do, setPaused } from './actions.tsx';
import { linkOf } from './findings.ts';
import { count, duration, figure, rate } from './format.ts';
import { Plots } from './plots.tsx';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { useReply } from './server.ts';
import { Table } from './table.tsx';
import { Fact, Name, NameLink, Time, Trouble } from './text.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useRef, useState } from './vendor/hooks.js';

const MOST_BANNERS = 12;

interface OverviewProps {
  queue: string;
  queues: QueuesReply;
  span: 'hour' | 'day';
}

export function Overview({ queue, queues, span }: OverviewProps): JSX.Element {
  const polled = useReply<QueueReply>(withQuery('queue', { queue, span }));
  const { data: chosen } = polled;
  return (
    <Fragment>
      <h1>Overview</h1>
      <Banners />
      <QueueCards queues={queues.queues} chosen={queue} />
      <Trouble {...polled} />
      {chosen && queues.queues.length > 1 && (
        <p class="about">
          Below: queue{' '}
          <strong>
            <Name text={queue} />
          </strong>
        </p>
      )}
      {chosen && chosen.counts.failed > 0 && <LastFailures queue={queue} />}
      {chosen && <Plots key={queue} chosen={chosen} span={span} />}
      {chosen && <Functions queue={queue} rows={chosen.functions} />}
    </Fragment>
  );
}

/** Of all queues, whichever is chosen. */
function Banners(): JSX.Element {
  const findings = useReply<FindingsReply>('findings', 5_000).data?.findings ?? [];
  return (
    <section class="banners" aria-label="What needs attention">
      {findings.slice(0, MOST_BANNERS).map((finding) => (
        <Banner key={`${finding.check} ${finding.worker ?? finding.queue}`} finding={finding} />
      ))}
      {findings.length > MOST_BANNERS && (
        <p class="more">{findings.length - MOST_BANNERS} more of the kind</p>
      )}
    </section>
  );
}

function Banner({ finding }: { finding: FindingsReply['findings'][number] }): JSX.Element {
  const { check, ok, message, mend, queue } = finding;
  const link = linkOf(finding);
  return (
    <div class={ok ? 'banner b-warn' : 'banner b-bad'}>
      <span class="sign" aria-hidden="true">
        {ok ? '!' : '✕'}
      </span>
      <p>
        <span class="sr">{ok ? 'Warning: ' : 'Problem: '}</span>
        <strong>
          <Name text={message} most={300} />
        </strong>{' '}
        {mend && (
          <small>
            <Name text={mend} most={300} />
          </small>
        )}
      </p>
      {link && <a href={link.href}>{link.label}</a>}
      {check === 'paused' && (
        <Do small what={() => setPaused(queue, false)}>
          Resume
        </Do>
      )}
    </div>
  );
}

function LastFailures({ queue }: { queue: string }): JSX.Element | null {
  const failed = { queue, state: 'failed' };
  const { data } = useReply<JobsReply>(withQuery('jobs', { ...failed, limit: 5 }), 5_000);
  if (!data || data.jobs.length === 0) return null;
  return (
    <section aria-label="Last failures">
      <h2>
        Last failures{' '}
        <small>
          <a href={hrefOf('jobs', failed)}>all</a>
        </small>
      </h2>
      <ul class="failures">
        {data.jobs.map(({ id, fn = id, endedAt, error }) => (
          <li key={id}>
            <Time at={endedAt} />
            <NameLink href={jobHref(queue, id)} text={fn} most={60} />
            <span class="error">
              <Name text={error?.text ?? 'no error is recorded'} most={300} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const DEPTHS: JobState[] = [
  'queued',
  'active',
  'scheduled',
  'waiting',
  'failed',
  'completed',
  'cancelled',
];

interface QueueCardsProps {
  queues: readonly QueueSummary[];
  chosen: string;
}

const QueueCards = ({ queues, chosen }: QueueCardsProps): JSX.Element => (
  <section class="cards" aria-label="Queues">
    {queues.map((queue) => (
      <Card key={queue.name} queue={queue} chosen={queue.name === chosen} />
    ))}
  </section>
);

function Card({ queue, chosen }: { queue: QueueSummary; chosen: boolean }): JSX.Element {
  const { name, counts, stats, oldestWaitingMs, busy, slots, workers } = queue;
  const live = useRates(stats);
  return (
    <article class={chosen ? 'card chosen' : 'card'} data-queue={name}>
      <header>
        <h2>
          <NameLink
            href={hrefOf('overview', { queue: name })}
            aria-current={chosen ? 'true' : undefined}
            text={name}
            most={60}
          />
        </h2>
        {counts.paused && <span class="badge b-paused">paused</span>}
        {counts.limit && <span class="badge">at most {limitText(counts.limit)}</span>}
        <Do small what={() => setPaused(name, !counts.paused)}>
          {counts.paused ? 'Resume' : 'Pause'}
          <span class="sr"> queue {name}</span>
        </Do>
      </header>
      <ul class="depth">
        {DEPTHS.map((state) => (
          <li key={state} class={`s-${state}${counts[state] === 0 ? ' zero' : ''}`}>
            <a
              href={hrefOf('jobs', { queue: name, state })}
              title={`${count(counts[state])} ${state}`}
            >
              <b>{figure(counts[state])}</b> <span>{state}</span>
            </a>
          </li>
        ))}
      </ul>
      <dl class="facts">
        <Fact name="Oldest waiting">
          {oldestWaitingMs === undefined ? '–' : duration(oldestWaitingMs)}
        </Fact>
        <Fact name="Done now">{live ? rate(live('completed')) : '…'}</Fact>
        <Fact name="Failing now" bad={live && live('failed') > 0}>
          {live ? rate(live('failed')) : '…'}
        </Fact>
        <Fact name="Slots busy">
          {count(busy)} of {count(slots)}
        </Fact>
        <Fact name="Workers" bad={workers === 0}>
          {count(workers)}
        </Fact>
      </dl>
    </article>
  );
}

/** The rate is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

/**
 * How fast a queue works now: made of its counters' differences between two looks.
 * @returns what is done a second, by the name of the counter; undefined until there were two looks
 */
function useRates(stats: Stats): ((name: keyof Stats) => number) | undefined {
  const { current: looks } = useRef<{ at: number; stats: Stats }[]>([]);
  const at = performance.now();
  // Drawn again without a new answer, it isn't a look.
  if (looks.at(-1)?.stats !== stats) looks.push({ at, stats });
  while (looks.length > 2 && at - looks[1]!.at >= WINDOW_MS) looks.shift();
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const seconds = (last.at - first.at) / 1_000;
  if (seconds < 0.5) return undefined;
  return (name) => Math.max(0, last.stats[name] - first.stats[name]) / seconds;
}

type Row = FunctionTimes & { queue: string };

interface Column {
  label: string;
  /** The greatest first; missing: by name. */
  weight?: (row: Row) => number;
  cell: (row: Row) => ComponentChildren;
}

const runs = (row: Row): number => row.completed + row.failed + row.retried;

const COLUMNS: Column[] = [
  { label: 'Function', cell: ({ fn }) => <Name text={fn} most={60} /> },
  { label: 'Runs', weight: runs, cell: (row) => count(runs(row)) },
  { label: 'Failed', weight: (row) => row.failed, cell: (row) => <Failed {...row} /> },
  { label: 'Retried', weight: (row) => row.retried, cell: (row) => count(row.retried) },
  {
    label: 'Wait p50 · p95 · p99',
    weight: (row) => row.wait.p95 ?? -1,
    cell: (row) => <Three {...row.wait} />,
  },
  {
    label: 'Run p50 · p95 · p99',
    weight: (row) => row.run.p95 ?? -1,
    cell: (row) => <Three {...row.run} />,
  },
];

interface FunctionsProps {
  queue: string;
  rows: readonly FunctionTimes[];
}

function Functions({ queue, rows }: FunctionsProps): JSX.Element {
  const [by, setBy] = useState('Failed');
  const { weight } = COLUMNS.find(({ label }) => label === by)!;
  const sorted = rows
    .map((row) => ({ ...row, queue }))
    .toSorted((a, b) => (weight && (weight(b) - weight(a) || runs(b) - runs(a))) || order(a, b));
  return (
    <section aria-label="Functions">
      <h2>
        Functions <small>in the last hour or two</small>
      </h2>
      {rows.length === 0 ? (
        <p class="empty">No job has ended lately: functions are listed here once they have run.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Table of functions">
          <Table
            columns={COLUMNS.map(({ label, weight, cell }) => ({
              cell,
              class: weight && 'n',
              names: !weight,
              sorted: by !== label ? undefined : weight ? 'descending' : 'ascending',
              head: (
                <button type="button" class="sort" onClick={() => setBy(label)}>
                  {label}
                  <span aria-hidden="true">{by === label ? ' ▾' : ''}</span>
                </button>
              ),
            }))}
            rows={sorted}
            row={({ fn }) => ({ key: fn })}
          />
        </div>
      )}
    </section>
  );
}

const order = (a: Row, b: Row): number => (a.fn < b.fn ? -1 : a.fn > b.fn ? 1 : 0);

function Failed({ queue, fn, failed }: Row): JSX.Element {
  if (failed === 0) return <span>0</span>;
  return <a href={hrefOf('jobs', { queue, state: 'failed', fn })}>{count(failed)}</a>;
}

function Three({ p50, p95, p99 }: Percentiles): JSX.Element {
  const shown = (ms: number | undefined): string => (ms === undefined ? '–' : duration(ms));
  return (
    <span class="three">
      <span>{shown(p50)}</span>
      <span>{shown(p95)}</span>
      <span>{shown(p99)}</span>
    </span>
  );
}

function limitText({ rate, concurrency }: NonNullable<QueueSummary['counts']['limit']>): string {
  const begin = rate && `${count(rate.count)} begin in ${duration(rate.perMs)}`;
  return [begin, concurrency !== undefined && `${count(concurrency)} at once`]
    .filter(Boolean)
    .join(', ');
}
