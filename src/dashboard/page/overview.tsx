/** What is stuck, and why: for a look of ten seconds. */
import type { JobsReply, QueueReply, QueuesReply, WorkersReply } from './api.js';
import { Do, setPaused } from './actions.tsx';
import { failureFinding, queueFindings, workersFindings, type Finding } from './findings.ts';
import { Functions } from './functions.tsx';
import { Plots } from './plots.tsx';
import { QueueCards } from './queue-cards.tsx';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { useReply } from './server.ts';
import { Name, NameLink, Trouble } from './text.tsx';
import { Time, useNow } from './time.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

const MOST_BANNERS = 12;

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

function Banners({ findings }: { findings: readonly Finding[] }): JSX.Element {
  const first = findings.toSorted((a, b) => Number(b.bad) - Number(a.bad)).slice(0, MOST_BANNERS);
  return (
    <section class="banners" aria-label="What needs attention">
      {first.map(({ key, bad, about, what, hint, link, resume }) => (
        <div key={key} class={bad ? 'banner b-bad' : 'banner b-warn'}>
          <span class="sign" aria-hidden="true">
            {bad ? '✕' : '!'}
          </span>
          <p>
            <span class="sr">{bad ? 'Problem: ' : 'Warning: '}</span>
            <strong>
              <Name text={about} most={80} />
            </strong>{' '}
            {what}{' '}
            {hint && (
              <small>
                <Name text={hint} most={300} />
              </small>
            )}
          </p>
          {link && <a href={link.href}>{link.label}</a>}
          {resume !== undefined && (
            <Do small what={() => setPaused(resume, false)}>
              Resume
            </Do>
          )}
        </div>
      ))}
      {findings.length > MOST_BANNERS && (
        <p class="more">{findings.length - MOST_BANNERS} more of the kind</p>
      )}
    </section>
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
