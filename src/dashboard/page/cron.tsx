/** What runs by the clock: when next, and what became of the last time. */
import type { CronReply } from './api.js';
import { Do, pauseEntry, runNow } from './actions.tsx';
import { duration, instant } from './format.ts';
import { hrefOf, jobHref } from './route.ts';
import { useReply } from './server.ts';
import { Table, type Column } from './table.tsx';
import { cronWords } from './words.ts';
import { Name, NameLink, State, Time, Trouble } from './text.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';

type Entry = CronReply['entries'][number];

const COLUMNS: Column<Entry>[] = [
  { head: 'Entry', class: 'who', cell: (entry) => <Who {...entry} /> },
  { head: 'When', cell: (entry) => <When {...entry} /> },
  { head: 'Next', cell: (entry) => <Next {...entry} /> },
  { head: 'Last', cell: (entry) => <Last {...entry} /> },
];

export function Cron(): JSX.Element {
  const polled = useReply<CronReply>('cron');
  const entries = polled.data?.entries;
  return (
    <Fragment>
      <h1>Cron</h1>
      <Trouble {...polled} />
      {entries?.length === 0 && (
        <p class="empty">
          Nothing runs by the clock. Give a job <code>cron</code> or <code>every</code>, or call{' '}
          <code>queue.schedule</code>.
        </p>
      )}
      {entries && entries.length > 0 && (
        <Table
          class="cron"
          columns={COLUMNS}
          rows={entries}
          row={({ queue, name }) => ({ key: `${queue} ${name}`, 'data-entry': name })}
          actions={({ queue, name, paused }) => (
            <Fragment>
              <Do small what={() => runNow(queue, name)}>
                Run now<span class="sr"> {name.slice(0, 100)}</span>
              </Do>
              <Do small what={() => pauseEntry(queue, name, !paused)}>
                {paused ? 'Resume' : 'Pause'}
                <span class="sr"> {name.slice(0, 100)}</span>
              </Do>
            </Fragment>
          )}
        />
      )}
    </Fragment>
  );
}

const Who = ({ queue, name, fn, args }: Entry): JSX.Element => (
  <Fragment>
    <strong>
      <Name text={name} most={80} />
    </strong>
    <span class="fn">
      <Name text={fn} most={60} />{' '}
      <code>
        <Name text={args.text} most={80} />
      </code>
    </span>
    <NameLink class="queue" href={hrefOf('overview', { queue })} text={queue} most={40} />
  </Fragment>
);

function When({ cron, timezone = 'UTC', every = 0 }: Entry): JSX.Element {
  if (cron === undefined) return <span>every {duration(every)}</span>;
  return (
    <span>
      {cronWords(cron)}{' '}
      <code>
        <Name text={cron} most={80} />
      </code>{' '}
      <small>
        <Name text={timezone} most={40} />
      </small>
    </span>
  );
}

function Next({ nextAt, later, paused, fired, times }: Entry): JSX.Element {
  const left = times === undefined ? undefined : Math.max(0, times - fired);
  if (paused) return <span class="warn">paused</span>;
  if (nextAt === undefined) return <span class="none">over</span>;
  return (
    <div>
      <Time at={nextAt} exactly />
      {later.length > 0 && (
        <small class="later"> then {later.map((at) => clock(at, nextAt)).join(', ')}</small>
      )}
      {left !== undefined && (
        <small>
          {' '}
          {left} of {times} left
        </small>
      )}
    </div>
  );
}

/** Of a tick after another one, as much as is new: the time, and the day where it is another. */
function clock(at: number, after: number): string {
  const [day, time = ''] = instant(at).split(' ');
  const shown = time.replace(/\.\d+$/, '').replace(/:00$/, '');
  return day === instant(after).split(' ')[0] ? shown : `${day!.slice(5)} ${shown}`;
}

const BECAME = {
  fired: 'fired',
  skipped: 'skipped: the run before was unfinished',
  missed: 'missed: no worker was there',
  taken: 'nothing ran: another job has its id',
};

function Last({ lastAt, last, lastJob, lastState, queue }: Entry): JSX.Element {
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
          {lastState && <State state={lastState} />}
        </span>
      )}
    </div>
  );
}
