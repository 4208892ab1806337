/** Times by Redis's clock, as they are asked for: how long ago, and exactly when on a second look. */
import { ago, duration, instant } from './format.ts';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useState } from './vendor/hooks.js';

let aheadMs = 0;

/** @param redisNow as a reply that has just come says */
export function setClock(redisNow: number): void {
  const ahead = redisNow - Date.now();
  // Within the time a reply takes it's the same clock: else ages would tremble.
  if (Math.abs(ahead - aheadMs) > 1_500) aheadMs = ahead;
}

const now = (): number => Date.now() + aheadMs;

/** Draws its user again every second, while somebody looks. */
export function useNow(): number {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setAt(now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(at, now());
}

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
