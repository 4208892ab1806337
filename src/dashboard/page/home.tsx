/** Is it all right? For a look of ten seconds: a line for everything, then a row for each queue. */
import type { LatelyReply, QueueSummary } from './api.js';
import { Do, setPaused } from './actions.tsx';
import { Banners } from './banners.tsx';
import { TopFailures } from './failures.tsx';
import { count, duration, figure, plural, rate } from './format.ts';
import { limitText } from './limits.ts';
import { useRates } from './rates.ts';
import { hrefOf } from './route.ts';
import { useReply } from './server.ts';
import { Spark } from './spark.tsx';
import { Table } from './table.tsx';
import { Fact, NameLink } from './text.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useState } from './vendor/hooks.js';

const LATELY_MS = 15_000;

export function Home({ queues }: { queues: readonly QueueSummary[] }): JSX.Element {
  const workers = queues.reduce((sum, each) => sum + each.workers, 0);
  return (
    <Fragment>
      <h1 class="sr">Overview</h1>
      <Banners well={`${plural(queues.length, 'queue')}, ${plural(workers, 'worker')}.`} />
      <Totals queues={queues} />
      <Queues queues={queues} />
      <TopFailures most={5} />
    </Fragment>
  );
}

function Totals({ queues }: { queues: readonly QueueSummary[] }): JSX.Element {
  const sum = (of: (queue: QueueSummary) => number): number =>
    queues.reduce((all, queue) => all + of(queue), 0);
  const oldest = Math.max(-1, ...queues.map(({ oldestWaitingMs = -1 }) => oldestWaitingMs));
  const failed = sum(({ counts }) => counts.failed);
  return (
    <dl class="facts totals">
      <Fact name="Waiting">{figure(sum(({ counts }) => counts.queued))}</Fact>
      <Fact name="Oldest waiting">{oldest < 0 ? '–' : duration(oldest)}</Fact>
      <Fact name="Running">
        {count(sum(({ counts }) => counts.active))}{' '}
        <small>of {count(sum(({ slots }) => slots))}</small>
      </Fact>
      <Fact name="Scheduled">{figure(sum(({ counts }) => counts.scheduled))}</Fact>
      <Fact name="Failed" bad={failed > 0}>
        {figure(failed)}
      </Fact>
      <Fact name="Workers">{count(sum(({ workers }) => workers))}</Fact>
    </dl>
  );
}

type Row = QueueSummary & { done: number[]; failed: number[] };

interface Head {
  label: string;
  class?: string;
  names?: boolean;
  /** The greatest first; missing: by name. */
  weight?: (row: Row) => number;
  cell: (row: Row) => ComponentChildren;
}

const HEADS: Head[] = [
  { label: 'Queue', class: 'who', cell: (row) => <Who {...row} /> },
  {
    label: 'Last hour',
    class: 'lately',
    weight: ({ done }) => done.reduce((a, b) => a + b, 0),
    cell: ({ done, failed }) => <Spark values={done} bad={failed} label="done" />,
  },
  {
    label: 'Waiting',
    class: 'n s-queued',
    weight: ({ counts }) => counts.queued,
    cell: (row) => <Depth row={row} state="queued" />,
  },
  {
    label: 'Oldest',
    class: 'n',
    weight: ({ oldestWaitingMs = -1 }) => oldestWaitingMs,
    cell: ({ oldestWaitingMs: ms }) => (ms === undefined ? '–' : duration(ms)),
  },
  {
    label: 'Running',
    class: 'n s-active',
    weight: ({ counts }) => counts.active,
    cell: (row) => (
      <Fragment>
        <Depth row={row} state="active" /> <small>of {count(row.slots)}</small>
      </Fragment>
    ),
  },
  {
    label: 'Scheduled',
    class: 'n s-scheduled',
    weight: ({ counts }) => counts.scheduled + counts.waiting,
    cell: (row) => <Depth row={row} state="scheduled" />,
  },
  {
    label: 'Failed',
    class: 'n s-failed',
    weight: ({ counts }) => counts.failed,
    cell: (row) => <Depth row={row} state="failed" />,
  },
  {
    label: 'Done',
    class: 'n s-completed',
    weight: ({ counts }) => counts.completed,
    cell: (row) => <Depth row={row} state="completed" />,
  },
  { label: 'Rate', class: 'n', cell: ({ stats }) => <Rate stats={stats} /> },
  {
    label: 'Workers',
    class: 'n',
    weight: ({ workers }) => workers,
    cell: ({ workers }) => <span class={workers === 0 ? 'bad' : undefined}>{count(workers)}</span>,
  },
];

function Queues({ queues }: { queues: readonly QueueSummary[] }): JSX.Element {
  const [by, setBy] = useState('');
  const lately = useReply<LatelyReply>('lately', LATELY_MS).data?.queues ?? [];
  const recent = new Map(lately.map((each) => [each.name, each]));
  const rows = queues.map((queue): Row => ({
    done: [],
    failed: [],
    ...recent.get(queue.name),
    ...queue,
  }));
  const weight = HEADS.find(({ label }) => label === by)?.weight;
  if (weight) rows.sort((a, b) => weight(b) - weight(a));
  if (by === 'Queue') rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <Table
      class="queues"
      columns={HEADS.map(({ label, weight: sorts, ...head }) => ({
        ...head,
        label,
        sorted: by !== label ? undefined : sorts ? 'descending' : 'ascending',
        head:
          sorts || label === 'Queue' ? (
            <button type="button" class="sort" onClick={() => setBy(label)}>
              {label}
              <span aria-hidden="true">{by === label ? ' ▾' : ''}</span>
            </button>
          ) : (
            label
          ),
      }))}
      rows={rows}
      row={({ name }) => ({ key: name, 'data-queue': name })}
      actions={({ name, counts }) => (
        <Do small what={() => setPaused(name, !counts.paused)}>
          {counts.paused ? 'Resume' : 'Pause'}
          <span class="sr"> queue {name}</span>
        </Do>
      )}
    />
  );
}

const Who = ({ name, counts }: Row): JSX.Element => (
  <Fragment>
    <NameLink href={hrefOf('overview', { queue: name })} text={name} most={60} />
    {counts.paused && <span class="badge b-paused">paused</span>}
    {counts.limit && <span class="badge">at most {limitText(counts.limit)}</span>}
  </Fragment>
);

interface DepthProps {
  row: Row;
  state: 'queued' | 'active' | 'scheduled' | 'failed' | 'completed';
}

const Depth = ({ row: { name, counts }, state }: DepthProps): JSX.Element => (
  <a
    class={counts[state] === 0 ? 'depth-of zero' : 'depth-of'}
    href={hrefOf('jobs', { queue: name, state })}
    aria-label={`${count(counts[state])} ${state}`}
  >
    <b>{figure(counts[state])}</b>
  </a>
);

function Rate({ stats }: Pick<QueueSummary, 'stats'>): JSX.Element {
  const live = useRates(stats);
  return <span>{live ? rate(live('completed')) : '…'}</span>;
}
