/**
 * What happened in the last hour, up to this moment: from the samples, and what was counted since the last of them.
 * (`history` ends with the last sample, which may be a minute old.)
 */
import { SAMPLED } from '../store/scripts/sample.ts';
import type { Store } from '../store/store.ts';

const MINUTES = 60;
const MINUTE_MS = 60_000;
/** At most one sample a minute: so many reach back beyond the hour. */
const SAMPLES = MINUTES + 2;
/** Where no worker was there for hours, the sample from before tells what is new since. */
const HOWEVER_OLD = Number.MAX_SAFE_INTEGER;

const COUNTED = ['enqueued', 'completed', 'failed', 'retried'] as const;
type Counted = (typeof COUNTED)[number];

/** How many in each minute of the last hour, the oldest first; the last one is the 60 seconds before now. */
export type Recent = Record<Counted, number[]>;

/** @returns undefined where no worker has noted anything yet */
export async function readRecent(store: Store): Promise<Recent | undefined> {
  // The counters after the samples: so they are never less.
  const [rows, { stored }, now] = await Promise.all([
    store.history(SAMPLES, 1, HOWEVER_OLD),
    store.stats(),
    store.now(),
  ]);
  if (rows.length === 0) return undefined;
  const samples = rows.map((row) => row.split(' ').map(Number));
  const recent = Object.fromEntries(
    COUNTED.map((name) => {
      const at = SAMPLED.indexOf(name) + 1;
      const levels = samples.map((sample) => [sample[0]!, sample[at]!] as const);
      return [name, spread([...levels, [now, Number(stored[name] ?? 0)]], now)];
    }),
  );
  return recent as Recent;
}

/** What was counted between two samples is taken to have happened evenly. */
function spread(levels: readonly (readonly [at: number, level: number])[], now: number): number[] {
  const minutes = Array.from({ length: MINUTES }, () => 0);
  const start = now - MINUTES * MINUTE_MS;
  for (const [i, [till, level]] of levels.entries()) {
    const [from, before] = levels[i - 1] ?? [till, level];
    const count = level - before; // less than nothing where the counters were deleted
    if (!(count > 0) || till <= start) continue;
    const ms = Math.max(1, till - from);
    const first = Math.max(0, Math.floor((from - start) / MINUTE_MS));
    for (let minute = first; minute < MINUTES; minute++) {
      const begin = start + minute * MINUTE_MS;
      if (begin >= till) break;
      const part = Math.min(till, begin + MINUTE_MS) - Math.max(till - ms, begin);
      minutes[minute]! += (count * part) / ms;
    }
  }
  return minutes;
}
