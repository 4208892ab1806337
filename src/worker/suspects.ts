/**
 * Begins jobs whose last worker died or lost its lease. Any of them may be what killed it: so each begins only when Redis
 * knows that it does, one after the other. What kills its worker then is charged alone; those behind it never began.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { performance } from '../job/globals.ts';
import type { Run } from './executor.ts';

/** How long a job that may have killed its worker as it began has the worker for itself: longer than Redis needs to hear. */
const ALONE_MS = 25;
/** How long, in all, those of one claim wait until the worker has nothing else to lose. */
const QUIET_MS = 500;

/** How far apart those are claimed again of which only one may run at a time. */
const APART_MS = 500;

/**
 * Of suspects one runs at a time, to its end; of several the others come again, apart from each other.
 * @param running what the worker runs already
 * @returns those that may begin
 */
export function putOffSuspects(runs: readonly Run[], running: Iterable<Run>): readonly Run[] {
  const suspects = runs.filter(({ suspect }) => suspect);
  const another = [...running].some((run) => run.suspect && !run.decided);
  if (suspects.length === 0 || (suspects.length === 1 && !another)) return runs;
  for (const [i, run] of suspects.entries()) run.putOff(APART_MS * (i + 1));
  return runs.filter(({ suspect }) => !suspect);
}

export interface Beginning {
  /** Whether its claim still holds, and is wanted. */
  wanted: () => boolean;
  /** Runs under way. */
  busy: () => number;
  tell: (run: Run) => Promise<void>;
  begin: (run: Run) => void;
  giveBack: (run: Run) => void;
}

export async function beginOneByOne(runs: readonly Run[], worker: Beginning): Promise<void> {
  let quietMs = QUIET_MS;
  for (const run of runs) {
    if (run.inHand) quietMs -= await waitWhile(() => worker.busy() > 0, quietMs);
    const told = worker.wanted() && (await succeeds(worker.tell(run)));
    if (!told || !worker.wanted()) {
      worker.giveBack(run);
      continue;
    }
    run.told = true;
    worker.begin(run);
    await setImmediate();
    if (run.inHand) await waitWhile(() => !run.decided, ALONE_MS);
  }
}

/** @returns how long it took, ms; not much more than `mostMs` */
async function waitWhile(holds: () => boolean, mostMs: number): Promise<number> {
  const start = performance.now();
  while (holds() && performance.now() - start < mostMs) await setTimeout(1);
  return performance.now() - start;
}

/** Who could not be told will hear when the job is given back. */
const succeeds = (call: Promise<void>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  );
