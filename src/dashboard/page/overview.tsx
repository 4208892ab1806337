/** What is stuck, and why: for a look of ten seconds. */
import type { JobsReply, QueueReply, QueuesReply, WorkersReply } from './api.js';
import { Banners } from './banners.tsx';
import { apiPath, get } from './client.ts';
import { useNow } from './clock.ts';
import { failureFinding, queueFindings, workersFindings } from './findings.ts';
import { Functions } from './functions.tsx';
import { Plots } from './plots.tsx';
import { usePoll } from './poll.ts';
import { QueueCards } from './queue-cards.tsx';
import { hrefOf, jobHref } from './route.ts';
import { Name } from './text.tsx';
import { Time } from './time.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

interface OverviewProps {
  queue: string;
  queues: QueuesReply;
  span: 'hour' | 'day';
}

export function Overview({ queue, queues, span }: OverviewProps): JSX.Element {
  const now = useNow();
  const path = apiPath('queue', { queue, span });
  const chosen = usePoll<QueueReply>(path, (signal) => get(path, signal), 2_000);
  const workers = usePoll<WorkersReply>(
    'workers',
    (signal) => get(apiPath('workers'), signal),
    5_000,
  );
  const findings = [
    ...queues.queues.flatMap(queueFindings),
    ...workersFindings(workers.data?.workers ?? [], now),
    ...(chosen.data ? failureFinding(queue, chosen.data.history, chosen.data.now) : []),
  ];
  return (
    <Fragment>
      <h1>Overview</h1>
      <Banners findings={findings} readOnly={queues.readOnly} />
      <QueueCards queues={queues} chosen={queue} />
      {chosen.error && !chosen.data && (
        <p class="empty" role="alert">
          <Name text={chosen.error.message} most={400} />
        </p>
      )}
      {chosen.data && (
        <Fragment>
          {queues.queues.length > 1 && (
            <p class="about">
              Below: queue{' '}
              <strong>
                <Name text={queue} />
              </strong>
            </p>
          )}
          {chosen.data.counts.failed > 0 && <LastFailures queue={queue} />}
          <Plots key={queue} chosen={chosen.data} span={span} />
          <Functions queue={queue} rows={chosen.data.functions} />
        </Fragment>
      )}
    </Fragment>
  );
}

function LastFailures({ queue }: { queue: string }): JSX.Element | null {
  const path = apiPath('jobs', { queue, state: 'failed', limit: 5 });
  const { data } = usePoll<JobsReply>(path, (signal) => get(path, signal), 5_000);
  if (!data || data.jobs.length === 0) return null;
  return (
    <section aria-label="Last failures">
      <h2>
        Last failures{' '}
        <small>
          <a href={hrefOf('jobs', { queue, state: 'failed' })}>all</a>
        </small>
      </h2>
      <ul class="failures">
        {data.jobs.map((job) => (
          <li key={job.id}>
            <Time at={job.endedAt} />
            <a href={jobHref(queue, job.id)}>
              <Name text={job.fn ?? job.id} most={60} />
            </a>
            <span class="error">
              <Name text={job.error?.text ?? 'no error is recorded'} most={300} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
