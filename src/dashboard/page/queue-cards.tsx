/** Each queue at a glance; its figures lead to the jobs they count. */
import type { QueueSummary, QueuesReply } from './api.js';
import { setPaused } from './actions.tsx';
import { count, duration, figure, rate } from './format.ts';
import { useRates, type Rate } from './rates.ts';
import { hrefOf } from './route.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

const SHOWN = [
  'queued',
  'active',
  'scheduled',
  'waiting',
  'failed',
  'completed',
  'cancelled',
] as const;

export function QueueCards({
  queues,
  chosen,
}: {
  queues: QueuesReply;
  chosen: string;
}): JSX.Element {
  const rates = useRates(queues.queues);
  return (
    <section class="cards" aria-label="Queues">
      {queues.queues.map((queue) => (
        <Card
          key={queue.name}
          queue={queue}
          chosen={queue.name === chosen}
          rate={rates.get(queue.name) ?? {}}
          readOnly={queues.readOnly}
        />
      ))}
    </section>
  );
}

interface CardProps {
  queue: QueueSummary;
  chosen: boolean;
  rate: Rate;
  readOnly: boolean;
}

function Card({ queue, chosen, rate: live, readOnly }: CardProps): JSX.Element {
  const { name, counts } = queue;
  return (
    <article class={chosen ? 'card chosen' : 'card'} data-queue={name}>
      <header>
        <h2>
          <a href={hrefOf('overview', { queue: name })} aria-current={chosen ? 'true' : undefined}>
            <Name text={name} most={60} />
          </a>
        </h2>
        {counts.paused && <span class="badge b-paused">paused</span>}
        {!readOnly && (
          <button type="button" class="small" onClick={() => void setPaused(name, !counts.paused)}>
            {counts.paused ? 'Resume' : 'Pause'}
            <span class="sr"> queue {name}</span>
          </button>
        )}
      </header>
      <ul class="depth">
        {SHOWN.map((state) => (
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
        <div>
          <dt>Oldest waiting</dt>
          <dd>{queue.oldestWaitingMs === undefined ? '–' : duration(queue.oldestWaitingMs)}</dd>
        </div>
        <div>
          <dt>Done now</dt>
          <dd>{live.completed === undefined ? '…' : rate(live.completed)}</dd>
        </div>
        <div>
          <dt>Failing now</dt>
          <dd class={live.failed ? 'bad' : undefined}>
            {live.failed === undefined ? '…' : rate(live.failed)}
          </dd>
        </div>
        <div>
          <dt>Slots busy</dt>
          <dd>
            {count(queue.busy)} of {count(queue.slots)}
          </dd>
        </div>
        <div>
          <dt>Workers</dt>
          <dd class={queue.workers === 0 ? 'bad' : undefined}>{count(queue.workers)}</dd>
        </div>
      </dl>
    </article>
  );
}
