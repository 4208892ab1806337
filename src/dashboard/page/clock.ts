/** The time by Redis's clock, which is what all the times shown are told by. */
import { useEffect, useState } from './vendor/hooks.js';

let aheadMs = 0;

/** @param redisNow as a reply that has just come says */
export function setClock(redisNow: number): void {
  const ahead = redisNow - Date.now();
  // Within the time a reply takes it's the same clock: else ages would tremble.
  if (Math.abs(ahead - aheadMs) > 1_500) aheadMs = ahead;
}

export const now = (): number => Date.now() + aheadMs;

/** Draws its user again every second, while somebody looks. */
export function useNow(): number {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setAt(now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(at, now());
}
