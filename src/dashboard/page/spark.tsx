/** A small drawing of the last hour: how much in each part of it. What it shows stands beside it in words. */
import { plural } from './format.ts';
import { h, type JSX } from './vendor/preact.js';

interface SparkProps {
  /** The oldest first. */
  values: readonly number[];
  /** Drawn over them. */
  bad?: readonly number[];
  label: string;
}

const [WIDTH, HEIGHT] = [100, 22];

export function Spark({ values, bad = [], label }: SparkProps): JSX.Element {
  const most = Math.max(1, ...values, ...bad);
  const step = WIDTH / Math.max(1, values.length, bad.length);
  const sum = [...(values.length > 0 ? values : bad)].reduce((a, b) => a + b, 0);
  const bar = (kind: string) => (value: number, i: number) => {
    const height = value === 0 ? 0 : Math.max(1.5, (value / most) * HEIGHT);
    return (
      <rect
        key={`${kind}${i}`}
        class={kind}
        x={i * step}
        y={HEIGHT - height}
        width={step - 1}
        height={height}
      />
    );
  };
  return (
    <svg
      class="spark"
      role="img"
      aria-label={`Last hour: ${plural(sum, label, label)}`}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      {values.map(bar('good'))}
      {bad.map(bar('ill'))}
    </svg>
  );
}
