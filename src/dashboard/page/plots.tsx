/** The last hour or day of a queue, drawn. */
import type { HistoryPoint, QueueReply } from './api.js';
import { figure } from './format.ts';
import { hrefOf } from './route.ts';
import { colorOf, onTheme } from './theme.ts';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';
import uPlot from './vendor/uplot.js';

interface PlotsProps {
  chosen: QueueReply;
  span: 'hour' | 'day';
}

export function Plots({ chosen, span }: PlotsProps): JSX.Element {
  const { history, name, starts } = chosen;
  const spanS = span === 'hour' ? 3_600 : 86_400;
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
      {starts.length > 0 && history.length >= 2 && (
        <p class="none">Dotted lines: workers that are alive were started, as by a deploy.</p>
      )}
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
            spanS={spanS}
            starts={starts}
            series={[
              perMinute('completed', '--completed'),
              perMinute('enqueued', '--queued', true),
            ]}
          />
          <Plot
            title="Failures"
            unit="a minute"
            at={at}
            spanS={spanS}
            starts={starts}
            series={[perMinute('failed', '--failed'), perMinute('retried', '--scheduled', true)]}
          />
          <Plot
            title="Depth"
            unit="jobs"
            at={at}
            spanS={spanS}
            starts={starts}
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

interface Series {
  label: string;
  /** Name of the custom property in style.css. */
  color: string;
  /** Told apart without colours. */
  dashed?: boolean;
  values: number[];
}

interface PlotProps {
  title: string;
  unit: string;
  /** Epoch seconds. */
  at: number[];
  /** What is shown, in seconds. */
  spanS: number;
  series: Series[];
  /** When workers were started, epoch ms: a deploy, perhaps. */
  starts: readonly number[];
}

const HEIGHT = 150;

/** With a crosshair that pointer and arrow keys move; its values stand in words below it. */
function Plot({ title, unit, at, series, spanS, starts }: PlotProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [scheme, setScheme] = useState(0);
  const data: uPlot.AlignedData = [at, ...series.map(({ values }) => values)];

  useEffect(() => {
    return onTheme(() => setScheme((before) => before + 1));
  }, []);

  useEffect(() => {
    const element = place.current!;
    const made = new uPlot(optionsOf(series, element.clientWidth, spanS, starts), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [scheme, spanS, starts.join(), series.map(({ label }) => label).join()]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [`${at[0]} ${at.at(-1)} ${at.length}`]);

  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : undefined;
    const made = plot.current;
    if (step === undefined || !made) return;
    event.preventDefault();
    const from = made.cursor.idx ?? at.length;
    const to = Math.min(at.length - 1, Math.max(0, from + step));
    made.setCursor({ left: made.valToPos(at[to]!, 'x'), top: HEIGHT / 3 });
  };

  return (
    <figure class="plot">
      <figcaption>
        {title} <small>{unit}</small>
      </figcaption>
      <div
        ref={place}
        class="canvas"
        role="group"
        tabIndex={0}
        aria-label={`${title}, ${unit}. ${series.map(summary).join('; ')}. Arrow keys move the crosshair.`}
        onKeyDown={move}
      />
    </figure>
  );
}

const summary = ({ label, values }: Series): string =>
  `${label}: last ${format(values.at(-1) ?? 0)}, highest ${format(Math.max(0, ...values))}`;

const format = (n: number): string =>
  n < 10 && !Number.isInteger(n) ? n.toFixed(1) : figure(Math.round(n));

/** Where nobody points, the legend tells of the newest point. */
const showLast = (plot: uPlot): void => {
  if ((plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: plot.data[0].length - 1 });
};

const time = (s: number): string => {
  const date = new Date(s * 1_000);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
};

/** A line where workers were started. */
const markStarts =
  (starts: readonly number[], color: string) =>
  (plot: uPlot): void => {
    const { ctx, bbox, scales } = plot;
    const { min = 0, max = 0 } = scales['x'] ?? {};
    ctx.save();
    ctx.strokeStyle = color;
    ctx.setLineDash([2, 3]);
    for (const start of new Set(starts.map((ms) => Math.round(ms / 60_000) * 60))) {
      if (start < (min ?? 0) || start > (max ?? 0)) continue;
      const x = Math.round(plot.valToPos(start, 'x', true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };

function optionsOf(
  series: Series[],
  width: number,
  spanS: number,
  starts: readonly number[],
): uPlot.Options {
  const color = colorOf;
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: color('--muted'), font, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, sync: { key: 'history' }, y: false },
    // A whole hour, or day, even where there is nothing of most of it.
    scales: {
      x: { range: (_plot, _low, high) => [(high || Date.now() / 1_000) - spanS, high] },
      y: { range: (_plot, _low, high) => [0, Math.max(1, (high || 0) * 1.1)] },
    },
    hooks: {
      ready: [showLast],
      draw: [showLast, markStarts(starts, color('--accent'))],
      setCursor: [showLast],
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 60,
        size: 26,
        values: (_plot, splits) => splits.map(time),
      },
      {
        ...axis,
        size: 46,
        space: 34,
        grid: { stroke: color('--line'), width: 1 },
        values: (_plot, splits) => splits.map(format),
      },
    ],
    series: [
      { label: 'At', value: (_plot, s) => (s === null ? '–' : time(s)) },
      ...series.map(({ label, color: name, dashed }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        ...(dashed
          ? { dash: [4, 3] }
          : { fill: color(name).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.1)') }),
        points: { show: false },
        value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value)),
      })),
    ],
  };
}
