/** How far a job says it is: a bar where that is a share, else its own words. */
import type { Text } from './api.js';
import { Name, Value } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

export function Progress({ value }: { value: Text }): JSX.Element {
  const share = shareOf(value);
  if (share === undefined) return <Value value={value} label="Progress" />;
  return (
    <div class="bar-of">
      <progress max={1} value={share} aria-label="Progress" />
      <span>{Math.round(share * 100)} %</span>
      {value.text.startsWith('{') && (
        <code>
          <Name text={value.text.replace(/\s+/g, ' ')} most={300} />
        </code>
      )}
    </div>
  );
}

function shareOf({ text, cut }: Text): number | undefined {
  if (cut > 0 || text === '') return undefined;
  const [done = -1, total = 0] = partsOf(JSON.parse(text));
  return done >= 0 && total > 0 && done <= total ? done / total : undefined;
}

/** 0 to 1 is a share, more is percent; `{ done, total }` and what is like it is a share too. */
function partsOf(value: unknown): [done?: number, total?: number] {
  if (typeof value === 'number') return [value, value <= 1 ? 1 : 100];
  if (typeof value !== 'object' || value === null) return [];
  const given = value as Record<string, unknown>;
  const number = (...names: string[]): number | undefined =>
    names.map((name) => given[name]).find((each) => typeof each === 'number');
  const done = number('done', 'current', 'processed', 'completed');
  const total = number('total', 'of', 'max');
  if (done !== undefined && total !== undefined) return [done, total];
  return [number('percent', 'percentage'), 100];
}
