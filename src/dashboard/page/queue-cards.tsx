/** Each queue at a glance; its figures lead to the jobs they count. */
import type { JobState, QueueSummary, Stats } from './api.js';
import { Do, setPaused } from './actions.tsx';
import { count, duration, figure, rate } from './format.ts';
import { hrefOf } from './route.ts';
import { Fact, NameLink } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useRef } from './vendor/hooks.js';

const DEPTHS: JobState[] = [
  'queued',
  'active',
  'scheduled',
  'waiting',
  'failed',
  'completed',
  'cancelled',
];

interface QueueCardsProps {
  queues: readonly QueueSummary[];
  chosen: string;
}

export const QueueCards = ({ queues, chosen }: QueueCardsProps): JSX.Element => (
  <section class="cards" aria-label="Queues">
    {queues.map((queue) => (
      <Card key={queue.name} queue={queue} chosen={queue.name === chosen} />
    ))}
  </section>
);

function Card({ queue, chosen }: { queue: QueueSummary; chosen: boolean }): JSX.Element {
  const { name, counts, stats, oldestWaitingMs, busy, slots, workers } = queue;
  const live = useRates(stats);
  return (
    <article class={chosen ? 'card chosen' : 'card'} data-queue={name}>
      <header>
        <h2>
          <NameLink
            href={hrefOf('overview', { queue: name })}
            aria-current={chosen ? 'true' : undefined}
            text={name}
            most={60}
          />
        </h2>
        {counts.paused && <span class="badge b-paused">paused</span>}
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
    </article>
  );
}

/** The rate is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

/**
 * How fast a queue works now: made of its counters' differences between two looks.
 * @returns what is done a second, by the name of the counter; undefined until there were two looks
 */
function useRates(stats: Stats): ((name: keyof Stats) => number) | undefined {
  const { current: looks } = useRef<{ at: number; stats: Stats }[]>([]);
  const at = performance.now();
  // Drawn again without a new answer, it isn't a look.
  if (looks.at(-1)?.stats !== stats) looks.push({ at, stats });
  while (looks.length > 2 && at - looks[1]!.at >= WINDOW_MS) looks.shift();
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const seconds = (last.at - first.at) / 1_000;
  if (seconds < 0.5) return undefined;
  return (name) => Math.max(0, last.stats[name] - first.stats[name]) / seconds;
}
