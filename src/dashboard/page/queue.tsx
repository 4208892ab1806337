/** One queue: how it stands, what it may do, how the last hour was. */
import type { JobState, QueueReply } from './api.js';
import { Do, setLimit, setPaused } from './actions.tsx';
import { Banners } from './banners.tsx';
import { TopFailures } from './failures.tsx';
import { count, duration, figure, rate } from './format.ts';
import { Functions } from './functions.tsx';
import { limitText } from './limits.ts';
import { Plots } from './plots.tsx';
import { useRates } from './rates.ts';
import { hrefOf, withQuery } from './route.ts';
import { server, useReply } from './server.ts';
import { Fact, Name, Trouble } from './text.tsx';
import { Fragment, h, type JSX } from './vendor/preact.js';
import { useRef } from './vendor/hooks.js';

interface QueuePageProps {
  queue: string;
  span: 'hour' | 'day';
}

export function QueuePage({ queue, span }: QueuePageProps): JSX.Element {
  const polled = useReply<QueueReply>(withQuery('queue', { queue, span }));
  const { data: chosen } = polled;
  return (
    <Fragment>
      <p class="crumbs">
        <a href={hrefOf('overview')}>All queues</a>
      </p>
      <h1>
        <small>Queue</small> <Name text={queue} />
      </h1>
      <Banners queue={queue} />
      <Trouble {...polled} />
      {chosen && <State {...chosen} />}
      <TopFailures queue={queue} most={5} />
      {chosen && <Plots key={queue} chosen={chosen} span={span} />}
      {chosen && <Functions queue={queue} rows={chosen.functions} bounds={chosen.bounds} />}
    </Fragment>
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

function State({
  name,
  counts,
  stats,
  oldestWaitingMs,
  busy,
  slots,
  workers,
}: QueueReply): JSX.Element {
  const live = useRates(stats);
  return (
    <article class="card" data-queue={name}>
      <header>
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
      <Limit name={name} limit={counts.limit} />
    </article>
  );
}

type LimitProps = { name: string; limit: QueueReply['counts']['limit'] };

function Limit({ name, limit }: LimitProps): JSX.Element | null {
  const rateField = useRef<HTMLInputElement>(null);
  const atOnce = useRef<HTMLInputElement>(null);
  if (server.readOnly) return null;
  const { rate: begin, concurrency } = limit ?? {};
  const set = () => setLimit(name, rateField.current!.value.trim(), atOnce.current!.value);
  return (
    <details class="limit">
      <summary>{limit ? 'Change its limits' : 'Limit this queue'}</summary>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          void set();
        }}
      >
        <label>
          <span>Most that begin, e.g. 100/1m</span>
          <input
            ref={rateField}
            type="text"
            placeholder="no limit"
            defaultValue={begin ? `${begin.count}/${begin.perMs}ms` : ''}
          />
        </label>
        <label>
          <span>Most at once, over all workers</span>
          <input
            ref={atOnce}
            type="number"
            min={1}
            placeholder="no limit"
            defaultValue={concurrency === undefined ? '' : String(concurrency)}
          />
        </label>
        <button type="submit">Set the limits</button>
      </form>
    </details>
  );
}
