/** The last hour or day of a queue, drawn. */
import type { HistoryPoint, QueueReply } from './api.js';
import { Plot, type Series } from './plot.tsx';
import { hrefOf } from './route.ts';
import { h, type JSX } from './vendor/preact.js';

interface PlotsProps {
  chosen: QueueReply;
  span: 'hour' | 'day';
}

export function Plots({ chosen, span }: PlotsProps): JSX.Element {
  const { history, name } = chosen;
  const at = history.map((point) => point.at / 1_000);
  const depth = (label: keyof HistoryPoint, color: string, dashed = false): Series => ({
    label,
    color,
    dashed,
    values: history.map((point) => point[label]),
  });
  const perMinute = (label: keyof HistoryPoint, color: string, dashed = false): Series => ({
    ...depth(label, color, dashed),
    values: history.map((point) => (point[label] * 60_000) / point.ms),
  });
  return (
    <section aria-label="History" class="history">
      <header>
        <h2>Last {span}</h2>
        <nav class="segments" aria-label="Time shown">
          {(['hour', 'day'] as const).map((each) => (
            <a
              key={each}
              href={hrefOf('overview', { queue: name, span: each })}
              aria-current={each === span ? 'true' : undefined}
            >
              {each === 'hour' ? 'Hour' : 'Day'}
            </a>
          ))}
        </nav>
      </header>
      {history.length < 2 ? (
        <p class="empty">
          No history yet. Points are made {span === 'hour' ? 'each minute' : 'every ten minutes'} of
          what workers record: the first can be drawn some minutes after jobs have run.
        </p>
      ) : (
        <div class="plots">
          <Plot
            title="Throughput"
            unit="jobs a minute"
            at={at}
            series={[
              perMinute('completed', '--completed'),
              perMinute('enqueued', '--queued', true),
            ]}
          />
          <Plot
            title="Failures"
            unit="a minute"
            at={at}
            series={[perMinute('failed', '--failed'), perMinute('retried', '--scheduled', true)]}
          />
          <Plot
            title="Depth"
            unit="jobs"
            at={at}
            series={[
              depth('queued', '--queued'),
              depth('active', '--active'),
              depth('scheduled', '--scheduled', true),
            ]}
          />
        </div>
      )}
    </section>
  );
}
