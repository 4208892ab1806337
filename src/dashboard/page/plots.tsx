/** The last hour or day of a queue, drawn. */
import type { HistoryPoint, QueueReply } from './api.js';
import { Plot } from './plot.tsx';
import { hrefOf } from './route.ts';
import { h, type JSX } from './vendor/preact.js';

interface PlotsProps {
  chosen: QueueReply;
  span: 'hour' | 'day';
}

export function Plots({ chosen, span }: PlotsProps): JSX.Element {
  const { history, name } = chosen;
  const at = history.map((point) => point.at / 1_000);
  const perMinute = (of: keyof HistoryPoint) =>
    history.map((point) => (point[of] * 60_000) / point.ms);
  const depth = (of: keyof HistoryPoint) => history.map((point) => point[of]);
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
              { label: 'completed', color: '--completed', values: perMinute('completed') },
              { label: 'enqueued', color: '--queued', dashed: true, values: perMinute('enqueued') },
            ]}
          />
          <Plot
            title="Failures"
            unit="a minute"
            at={at}
            series={[
              { label: 'failed', color: '--failed', values: perMinute('failed') },
              {
                label: 'retried',
                color: '--scheduled',
                dashed: true,
                values: perMinute('retried'),
              },
            ]}
          />
          <Plot
            title="Depth"
            unit="jobs"
            at={at}
            series={[
              { label: 'queued', color: '--queued', values: depth('queued') },
              { label: 'active', color: '--active', values: depth('active') },
              {
                label: 'scheduled',
                color: '--scheduled',
                dashed: true,
                values: depth('scheduled'),
              },
            ]}
          />
        </div>
      )}
    </section>
  );
}
