/** How long the runs of a function waited, and took: how many of them how long. */
import { count, duration } from './format.ts';
import { h, type JSX } from './vendor/preact.js';

interface TimesProps {
  label: string;
  /** One more than there are bounds: the last ones took longer. */
  counts: readonly number[];
  /** In ms. */
  bounds: readonly number[];
}

export function Times({ label, counts, bounds }: TimesProps): JSX.Element {
  const most = Math.max(1, ...counts);
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  const shown = counts.slice(Math.max(0, first), last + 1);
  return (
    <dl class="times" aria-label={label}>
      <dt class="head">{label}</dt>
      {shown.map((many, i) => {
        const bound = bounds[Math.max(0, first) + i];
        return (
          <div key={i}>
            <dt>{bound === undefined ? 'longer' : `to ${duration(bound)}`}</dt>
            <dd>
              <meter min={0} max={most} value={many} aria-hidden="true" />
              {count(many)}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
