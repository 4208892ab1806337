/** What is done about jobs that failed: one, or all that are wanted. Before a step is run again, its flow is revived. */
import { revive } from '../flow/revive.ts';
import { placeOf } from '../flow/view.ts';
import { MinqError } from '../job/errors.ts';
import type { JobState } from '../job/job.ts';
import { MAX_RETRIED } from '../store/scripts/control.ts';
import type { Store } from '../store/store.ts';
import { ofEach } from '../views/each.ts';
import { findJobs, type FoundJobs, type JobFilter } from '../views/inspector.ts';

/** What `retry` did. */
export interface Retried {
  /** How many steps of its flow, which had failed only because of it, wait for their turn again. */
  revived: number;
  /** The steps after it stay failed, for one of them, or a result that is needed, is kept no more. */
  forgotten: boolean;
}

/** @throws {MinqError} `FLOW_BUSY` */
export async function retryOne(store: Store, id: string): Promise<Retried | false> {
  const [words, retried] = await retry(store, [id], false);
  if (words[0] === 'given up') {
    throw new MinqError(
      'FLOW_BUSY',
      `step ${id}: the steps after it were to wait for it again, but that took over a minute; retry it once more`,
    );
  }
  return words[0] === 'queued' && retried;
}

/** @returns how many */
export async function retryAll(store: Store, wanted: JobFilter): Promise<number> {
  const all = await idsOf(store, 'failed', wanted);
  let retried = 0;
  for (let i = 0; i < all.length; i += MAX_RETRIED) {
    // What can't be run again now is not counted.
    const [words] = await retry(store, all.slice(i, i + MAX_RETRIED), true);
    retried += words.filter((word) => word === 'queued').length;
  }
  return retried;
}

/** @returns how many */
export async function removeAll(store: Store, state: JobState, wanted: JobFilter): Promise<number> {
  const words = await ofEach(await idsOf(store, state, wanted), async (id) => store.remove(id));
  return words.filter((word) => word === 'removed').length;
}

/**
 * @param ids at most 100; of steps, those of a flow are revived together
 * @param leaveBusy leaves steps whose flow is busy
 */
async function retry(
  store: Store,
  ids: string[],
  leaveBusy: boolean,
): Promise<[words: string[], Retried]> {
  const flows = new Map<string | undefined, string[]>();
  for (const id of ids) {
    const { flow } = placeOf(id) ?? {};
    flows.set(flow, [...(flows.get(flow) ?? []), id]);
  }
  const retried = { revived: 0, forgotten: false };
  const words: string[] = [];
  for (const [flow, some] of flows) {
    try {
      const found = flow === undefined ? undefined : await revive(store, flow, some);
      words.push(...(await store.retry(some.map((id) => found?.marks.get(id) ?? id))));
      retried.revived += found?.revived ?? 0;
      retried.forgotten ||= found?.forgotten ?? false;
    } catch (error) {
      const busy = error instanceof MinqError && error.code === 'FLOW_BUSY';
      if (!busy || !leaveBusy) throw error;
    }
  }
  return [words, retried];
}

/** All ids first: a job leaves the list when something is done to it, and may come back. */
async function idsOf(store: Store, state: JobState, wanted: JobFilter): Promise<string[]> {
  const ids = new Set<string>();
  let next: number | undefined = 0;
  while (next !== undefined) {
    const found: FoundJobs = await findJobs(store, state, {
      ...wanted,
      offset: next,
      limit: 1_000,
    });
    for (const { id, failedStep } of found.jobs) if (failedStep === undefined) ids.add(id);
    next = found.next;
  }
  return [...ids];
}
