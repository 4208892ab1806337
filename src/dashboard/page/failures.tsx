/** What fails, by kind: how often, since when, an example, and what may be done to all of a kind. */
import type { FailureKind, FailuresReply } from './api.js';
import { Do, removeKind, retryKind } from './actions.tsx';
import { count, plural } from './format.ts';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { useReply } from './server.ts';
import { Spark } from './spark.tsx';
import { Table, type Column } from './table.tsx';
import { Name, NameLink, Time, Trouble } from './text.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

const EVERY_MS = 10_000;

/** @param queue all of them, where there is none */
export function FailuresPage({ queue }: { queue: string | undefined }): JSX.Element {
  const polled = useReply<FailuresReply>(withQuery('failures', { queue }), EVERY_MS);
  const { data } = polled;
  return (
    <Fragment>
      <header class="title">
        <h1>Failures</h1>
        {data && <p>{summary(data)}</p>}
        {queue !== undefined && (
          <p>
            of <Name text={queue} most={40} /> · <a href={hrefOf('failures')}>all queues</a>
          </p>
        )}
      </header>
      <Trouble {...polled} />
      {data && data.kinds.length === 0 && (
        <p class="empty">Nothing has failed. Jobs come here when their retries are used up.</p>
      )}
      {data && data.kinds.length > 0 && <Kinds kinds={data.kinds} />}
    </Fragment>
  );
}

function summary({ kinds, looked, caused }: FailuresReply): string {
  const because =
    caused > 0 ? `; ${count(caused)} are steps that failed only because another did` : '';
  return `${plural(looked, 'failed job')}, ${plural(kinds.length, 'kind')} of error${because}`;
}

interface TopFailuresProps {
  queue?: string;
  most: number;
}

/** The most frequent ones, on the pages of other things. */
export function TopFailures({ queue, most }: TopFailuresProps): JSX.Element | null {
  const { data } = useReply<FailuresReply>(withQuery('failures', { queue }), EVERY_MS);
  if (!data || data.kinds.length === 0) return null;
  return (
    <section aria-label="What fails">
      <h2>
        What fails{' '}
        <small>
          <a href={hrefOf('failures', { queue })}>all {plural(data.kinds.length, 'kind')}</a>
        </small>
      </h2>
      <Kinds kinds={data.kinds.slice(0, most)} />
    </section>
  );
}

const COLUMNS: Column<FailureKind>[] = [
  { head: 'Jobs', class: 'n', cell: (kind) => <b class="many">{count(kind.count)}</b> },
  { head: 'What', class: 'what', cell: (kind) => <What kind={kind} /> },
  {
    head: 'Last hour',
    class: 'lately',
    cell: ({ lately }) => <Spark values={[]} bad={lately} label="failed" />,
  },
  { head: 'Last', cell: ({ lastAt }) => <Time at={lastAt} /> },
  { head: 'First', cell: ({ firstAt }) => <Time at={firstAt} /> },
];

const Kinds = ({ kinds }: { kinds: readonly FailureKind[] }): JSX.Element => (
  <Table
    class="kinds"
    columns={COLUMNS}
    rows={kinds}
    row={({ queue, key }) => ({ key: `${queue} ${key}`, 'data-kind': key })}
    actions={({ queue, key, fn, count: many }) => (
      <Fragment>
        <Do small what={() => retryKind(queue, key, fn, many)}>
          Retry {count(many)}…
        </Do>
        <Do small what={() => removeKind(queue, key, fn, many)}>
          Remove {count(many)}…
        </Do>
      </Fragment>
    )}
  />
);

const What = ({ kind: row }: { kind: FailureKind }): JSX.Element => {
  const { queue, fn, kind, key, id, error } = row;
  return (
    <Fragment>
      <a class="kind" href={hrefOf('jobs', { queue, state: 'failed', kind: key })}>
        <Name text={kind} most={200} />
      </a>
      <small>
        <Name text={fn ?? '(unreadable)'} most={60} /> on{' '}
        <NameLink href={hrefOf('overview', { queue })} text={queue} most={40} /> · e.g.{' '}
        <NameLink href={jobHref(queue, id)} text={error.text} most={120} />
      </small>
    </Fragment>
  );
};
