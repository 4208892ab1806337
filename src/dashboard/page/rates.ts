/** How fast a queue works now. */
import type { Stats } from './api.js';
import { useRef } from './vendor/hooks.js';

/** The rate is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

/**
 * How fast a queue works now: made of its counters' differences between two looks.
 * @returns what is done a second, by the name of the counter; undefined until there were two looks
 */
export function useRates(stats: Stats): ((name: keyof Stats) => number) | undefined {
  const { current: looks } = useRef<{ at: number; stats: Stats }[]>([]);
  const at = performance.now();
  // Drawn again without a new answer, it isn't a look.
  if (looks.at(-1)?.stats !== stats) looks.push({ at, stats });
  while (looks.length > 2 && at - looks[1]!.at >= WINDOW_MS) looks.shift();
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const seconds = (last.at - first.at) / 1_000;
  if (seconds < 0.5) return undefined;
  return (name) => Math.max(0, last.stats[name] - first.stats[name]) / seconds;
}
