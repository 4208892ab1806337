/** Times as they are asked for: how long ago, and exactly when on a second look. */
import { ago, duration, instant } from './format.ts';
import { useNow } from './clock.ts';
import { h, type JSX } from './vendor/preact.js';

interface TimeProps {
  at: number | undefined;
  /** Shows the exact time at once. */
  exactly?: boolean;
}

/** `4 min ago`; the exact time shows when pointed at or focused. */
export function Time({ at, exactly }: TimeProps): JSX.Element {
  const now = useNow();
  if (at === undefined) return <span class="none">–</span>;
  const exact = instant(at);
  if (exactly) {
    return (
      <span>
        {ago(at, now)} <small>{exact.replace(/\.\d+/, '')}</small>
      </span>
    );
  }
  return (
    <span class="time" tabIndex={0} data-tip={exact}>
      {ago(at, now)}
      <span class="sr"> ({exact})</span>
    </span>
  );
}

/** How long something has been going on; ticks. */
export function Since({ at }: { at: number }): JSX.Element {
  const now = useNow();
  return <span>{duration(Math.max(0, now - at))}</span>;
}
