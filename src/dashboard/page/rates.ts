/** How fast a queue works now: made of the counters' differences between two looks. */
import type { QueueSummary, Stats } from './api.js';
import { useRef } from './vendor/hooks.js';

interface Look {
  at: number;
  stats: Stats;
}

/** The rate is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

export interface Rate {
  /** Jobs a second; undefined until there were two looks. */
  completed?: number;
  failed?: number;
  enqueued?: number;
}

export function useRates(queues: readonly QueueSummary[]): Map<string, Rate> {
  const looks = useRef(new Map<string, Look[]>());
  const rates = new Map<string, Rate>();
  const at = performance.now();
  for (const { name, stats } of queues) {
    const seen = looks.current.get(name) ?? [];
    // Drawn again without a new answer, it isn't a look.
    if (seen.at(-1)?.stats !== stats) seen.push({ at, stats });
    while (seen.length > 2 && at - seen[1]!.at >= WINDOW_MS) seen.shift();
    looks.current.set(name, seen);
    rates.set(name, rateOf(seen[0]!, seen.at(-1)!));
  }
  return rates;
}

function rateOf(first: Look, last: Look): Rate {
  const seconds = (last.at - first.at) / 1_000;
  if (seconds < 0.5) return {};
  const per = (name: keyof Stats): number =>
    Math.max(0, last.stats[name] - first.stats[name]) / seconds;
  return { completed: per('completed'), failed: per('failed'), enqueued: per('enqueued') };
}
