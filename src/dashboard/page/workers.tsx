/** Who works: slots, what runs in them, and how the event loop fares. */
import type { WorkersReply } from './api.js';
import { apiPath, get } from './client.ts';
import { useNow } from './clock.ts';
import { SILENT_MS } from './findings.ts';
import { bytes, count, duration } from './format.ts';
import { usePoll } from './poll.ts';
import { hrefOf, jobHref } from './route.ts';
import { Name } from './text.tsx';
import { Time } from './time.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

type Worker = WorkersReply['workers'][number];

/** A loop that is late by so much is felt by every job. */
const LATE_MS = 100;

export function Workers(): JSX.Element {
  const { data, error } = usePoll<WorkersReply>(
    'workers',
    (signal) => get(apiPath('workers'), signal),
    2_000,
  );
  const workers = (data?.workers ?? []).toSorted((a, b) => order(a).localeCompare(order(b)));
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const busy = workers.reduce((sum, each) => sum + each.busy, 0);
  return (
    <Fragment>
      <header class="title">
        <h1>Workers</h1>
        {workers.length > 0 && (
          <p>
            {count(workers.length)}, with {count(busy)} of {count(slots)} slots busy
          </p>
        )}
      </header>
      {error && !data && (
        <p class="empty" role="alert">
          <Name text={error.message} most={400} />
        </p>
      )}
      {data && workers.length === 0 && (
        <p class="empty">
          No worker is alive. Start one: <code>npx minq worker ./jobs.ts</code>
        </p>
      )}
      <div class="workers">
        {workers.map((worker) => (
          <Card key={`${worker.queue} ${worker.id}`} worker={worker} />
        ))}
      </div>
    </Fragment>
  );
}

const order = ({ queue, host, pid, id }: Worker): string => `${queue} ${host} ${pid} ${id}`;

function Card({ worker }: { worker: Worker }): JSX.Element {
  const now = useNow();
  const silent = now - worker.seenAt > SILENT_MS;
  const { loop, blocked, memory } = worker;
  return (
    <article class={silent ? 'card silent' : 'card'} data-worker={worker.id}>
      <header>
        <h2>
          <Name text={`${worker.host}/${worker.pid}`} most={80} />
        </h2>
        {silent && <span class="badge b-bad">silent</span>}
        {worker.beat && (
          <span class="badge" title="It fires the ticks of cron">
            cron
          </span>
        )}
        <a class="queue" href={hrefOf('overview', { queue: worker.queue })}>
          <Name text={worker.queue} most={40} />
        </a>
      </header>
      <dl class="facts">
        <div>
          <dt>Slots busy</dt>
          <dd>
            <meter
              min={0}
              max={Math.max(1, worker.concurrency)}
              value={worker.busy}
              aria-hidden="true"
            />
            {count(worker.busy)} of {count(worker.concurrency)}
          </dd>
        </div>
        <div>
          <dt>Loop delay p99 · max</dt>
          <dd class={loop.p99 > LATE_MS ? 'bad' : undefined}>
            {duration(loop.p99)} · {duration(loop.max)}
            {loop.p99 > LATE_MS && <span class="sr"> late</span>}
          </dd>
        </div>
        <div>
          <dt>Memory · heap</dt>
          <dd>
            {bytes(memory.rss)} · {bytes(memory.heap)}
          </dd>
        </div>
        <div>
          <dt>Last sign of life</dt>
          <dd class={silent ? 'bad' : undefined}>
            <Time at={worker.seenAt} />
          </dd>
        </div>
        <div>
          <dt>Started</dt>
          <dd>
            <Time at={worker.startedAt} />
          </dd>
        </div>
        <div>
          <dt>minq · Node</dt>
          <dd>
            <Name text={`${worker.version} · ${worker.node}`} most={40} />
          </dd>
        </div>
      </dl>
      {blocked && (
        <p class="blocked">
          <strong>Event loop blocked</strong> for {duration(blocked.ms)}, <Time at={blocked.at} />
          {blocked.jobs.length > 0 && (
            <span>
              , by {blocked.jobs.length > 1 ? 'one of ' : ''}
              {blocked.jobs.slice(0, 10).map((job) => (
                <a key={job.id} href={jobHref(worker.queue, job.id)}>
                  <Name text={job.fn} most={60} />{' '}
                </a>
              ))}
            </span>
          )}
        </p>
      )}
      <Running worker={worker} now={now} />
    </article>
  );
}

function Running({ worker, now }: { worker: Worker; now: number }): JSX.Element {
  const { running, busy } = worker;
  if (running.length === 0)
    return <p class="idle">{busy > 0 ? 'What it runs is not told.' : 'Idle.'}</p>;
  // The figures are as old as the sign of life that brought them.
  const ageMs = Math.max(0, now - worker.seenAt);
  const longest = running.toSorted((a, b) => b.sinceMs - a.sinceMs);
  return (
    <div class="scroll running" tabIndex={0} role="group" aria-label="Jobs it runs">
      <ul>
        {longest.map((job) => (
          <li key={job.id}>
            <span class="n">{duration(job.sinceMs + ageMs)}</span>
            <a href={jobHref(worker.queue, job.id)}>
              <Name text={job.fn} most={60} />
            </a>
            <span class="id">
              <Name text={job.id} most={40} />
            </span>
          </li>
        ))}
        {busy > running.length && <li>and {count(busy - running.length)} more</li>}
      </ul>
    </div>
  );
}
