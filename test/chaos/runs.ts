/** What the evidence says of runs: which were cut short, how long their jobs waited, how often a job ran. */
import type { Entry } from '../helpers/evidence.ts';

const sameRun = (a: Entry, b: Entry): boolean =>
  a.id === b.id && a.pid === b.pid && a.attempt === b.attempt;

/** Starts of runs that have not come to their end, of this process or of all. */
export function unfinished(entries: readonly Entry[], pid?: number): Entry[] {
  const open = new Map<string, Entry>();
  for (const entry of entries) {
    const key = `${entry.id} ${entry.pid} ${entry.attempt}`;
    if (entry.what === 'start') open.set(key, entry);
    else if (entry.what === 'end') open.delete(key);
  }
  return [...open.values()].filter((start) => pid === undefined || start.pid === pid);
}

/** The run of the job that began next, after this moment. */
export const nextRun = (entries: readonly Entry[], run: Entry, after: number): Entry | undefined =>
  entries.find(
    (entry) =>
      entry.what === 'start' && entry.id === run.id && entry.at >= after && !sameRun(entry, run),
  );

/** The runs that this end of a process cut short, and how long each job waited for its next run; `Infinity`: in vain. */
export function interrupted(
  entries: readonly Entry[],
  pid: number,
  killedAt: number,
): { run: Entry; waitMs: number }[] {
  return unfinished(entries, pid).map((run) => ({
    run,
    waitMs: (nextRun(entries, run, killedAt)?.at ?? Infinity) - killedAt,
  }));
}

export const startsOf = (entries: readonly Entry[], id: string): Entry[] =>
  entries.filter((entry) => entry.what === 'start' && entry.id === id);

/** Runs beyond the first of each job. */
export function extraRuns(entries: readonly Entry[]): number {
  const starts = entries.filter(({ what }) => what === 'start');
  return starts.length - new Set(starts.map(({ id }) => id)).size;
}
