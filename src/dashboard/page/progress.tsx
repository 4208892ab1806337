/** How far a job says it is: a bar where that is a share, else its own words. */
import type { Text } from './api.js';
import { Name, Value } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

export function Progress({ value }: { value: Text }): JSX.Element {
  const share = shareOf(value);
  if (share === undefined) return <Value value={value} label="Progress" />;
  const percent = Math.round(share * 100);
  return (
    <div class="bar-of">
      <progress max={1} value={share} aria-label="Progress" />
      <span>{percent} %</span>
      {value.text.startsWith('{') && (
        <code>
          <Name text={value.text.replace(/\s+/g, ' ')} most={300} />
        </code>
      )}
    </div>
  );
}

/** 0 to 1 is a share, more is percent; `{ done, total }` and what is like it is a share too. */
export function shareOf({ text, cut }: Text): number | undefined {
  if (cut > 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value === 'number') {
    if (value < 0 || value > 100) return undefined;
    return value <= 1 ? value : value / 100;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const number = (...names: string[]): number | undefined =>
    names.map((name) => given[name]).find((each) => typeof each === 'number');
  const done = number('done', 'current', 'processed', 'completed');
  const total = number('total', 'of', 'max');
  if (done === undefined || total === undefined) {
    const percent = number('percent', 'percentage');
    return percent !== undefined && percent >= 0 && percent <= 100 ? percent / 100 : undefined;
  }
  return total > 0 && done >= 0 && done <= total ? done / total : undefined;
}
