/** What is stuck, and why: for a look of ten seconds. */
import type { JobsReply, QueueReply, QueuesReply, WorkersReply } from './api.js';
import { Banners } from './banners.tsx';
import { failureFinding, queueFindings, workersFindings } from './findings.ts';
import { Functions } from './functions.tsx';
import { Plots } from './plots.tsx';
import { QueueCards } from './queue-cards.tsx';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { useReply } from './server.ts';
import { Name, NameLink, Trouble } from './text.tsx';
import { Time, useNow } from './time.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

interface OverviewProps {
  queue: string;
  queues: QueuesReply;
  span: 'hour' | 'day';
}

export function Overview({ queue, queues, span }: OverviewProps): JSX.Element {
  const now = useNow();
  const polled = useReply<QueueReply>(withQuery('queue', { queue, span }));
  const workers = useReply<WorkersReply>('workers', 5_000);
  const { data: chosen } = polled;
  const findings = [
    ...queues.queues.flatMap(queueFindings),
    ...workersFindings(workers.data?.workers ?? [], now),
    ...(chosen ? failureFinding(chosen) : []),
  ];
  return (
    <Fragment>
      <h1>Overview</h1>
      <Banners findings={findings} />
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
