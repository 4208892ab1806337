/** What runs by the clock: when next, and what became of the last time. */
import type { CronReply, QueuesReply } from './api.js';
import { runNow } from './actions.tsx';
import { apiPath, get } from './client.ts';
import { duration } from './format.ts';
import { usePoll } from './poll.ts';
import { hrefOf, jobHref } from './route.ts';
import { Name, State } from './text.tsx';
import { Time } from './time.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

type Entry = CronReply['entries'][number];

export function Cron({ queues }: { queues: QueuesReply }): JSX.Element {
  const { data, error } = usePoll<CronReply>(
    'cron',
    (signal) => get(apiPath('cron'), signal),
    2_000,
  );
  const entries = data?.entries ?? [];
  return (
    <Fragment>
      <h1>Cron</h1>
      {error && !data && (
        <p class="empty" role="alert">
          <Name text={error.message} most={400} />
        </p>
      )}
      {data && entries.length === 0 && (
        <p class="empty">
          Nothing runs by the clock. Give a job <code>cron</code> or <code>every</code>, or call{' '}
          <code>queue.schedule</code>.
        </p>
      )}
      {entries.length > 0 && (
        <table class="cron">
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">When</th>
              <th scope="col">Next</th>
              <th scope="col">Last</th>
              {!queues.readOnly && (
                <th scope="col">
                  <span class="sr">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <Row key={`${entry.queue} ${entry.name}`} entry={entry} readOnly={queues.readOnly} />
            ))}
          </tbody>
        </table>
      )}
    </Fragment>
  );
}

function Row({ entry, readOnly }: { entry: Entry; readOnly: boolean }): JSX.Element {
  const { queue, name, fn } = entry;
  return (
    <tr data-entry={name}>
      <td class="who">
        <strong>
          <Name text={name} most={80} />
        </strong>
        <span class="fn">
          <Name text={fn} most={60} />{' '}
          <code>
            <Name text={entry.args.text} most={80} />
          </code>
        </span>
        <a class="queue" href={hrefOf('overview', { queue })}>
          <Name text={queue} most={40} />
        </a>
      </td>
      <td data-label="When">
        {entry.cron === undefined ? (
          `every ${duration(entry.every ?? 0)}`
        ) : (
          <span>
            <code>
              <Name text={entry.cron} most={80} />
            </code>{' '}
            <small>
              <Name text={entry.timezone ?? 'UTC'} most={40} />
            </small>
          </span>
        )}
      </td>
      <td data-label="Next">
        <Time at={entry.nextAt} exactly />
      </td>
      <td data-label="Last">
        <Last entry={entry} />
      </td>
      {!readOnly && (
        <td class="acts">
          <button type="button" class="small" onClick={() => void runNow(queue, name)}>
            Run now<span class="sr"> {name.slice(0, 100)}</span>
          </button>
        </td>
      )}
    </tr>
  );
}

const BECAME = {
  fired: 'fired',
  skipped: 'skipped: the run before was unfinished',
  missed: 'missed: no worker was there',
};

function Last({ entry }: { entry: Entry }): JSX.Element {
  const { lastAt, last, lastJob, lastState, queue } = entry;
  if (lastAt === undefined && lastJob === undefined) return <span class="none">not yet</span>;
  return (
    <div>
      <Time at={lastAt} />{' '}
      {last && <span class={last === 'fired' ? undefined : 'warn'}>{BECAME[last]} </span>}
      {lastJob !== undefined && (
        <span>
          <a href={jobHref(queue, lastJob)} title={lastJob.slice(0, 300)}>
            job
          </a>{' '}
          {lastState && <State state={lastState as 'unknown'} />}
        </span>
      )}
    </div>
  );
}
