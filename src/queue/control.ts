/** Telling workers what to do, and hearing whether they did. */
import { performance } from '../job/globals.ts';
import { checkConcurrency } from '../job/checks.ts';
import { pause } from '../job/duration.ts';
import { MinqError } from '../job/errors.ts';
import { newId } from '../job/id.ts';
import { refuse, show } from '../job/refuse.ts';
import { orderText } from '../store/order.ts';
import type { Store } from '../store/store.ts';
import { readWorkers } from '../views/inspector.ts';

/** `ping`: say that you are there. `stop`: stop as for SIGTERM. Or another number of jobs at once, until the worker is started again. */
export type WorkerOrder = 'ping' | 'stop' | { concurrency: number };

/** Whether a worker has answered an order, see `queue.control()`. */
export interface WorkerAnswer {
  worker: string;
  /** Within a second. A worker that didn't may be blocked, cut off or dead; should it hear the order later, it carries it out. */
  answered: boolean;
}

const ANSWER_MS = 1_000;
const LOOK_MS = 25;

/**
 * @param worker id of the only one that is meant
 * @throws {InvalidArgumentError}
 * @throws {MinqError} `NO_WORKER`: there is none of this id
 */
export async function tellWorkers(
  store: Store,
  order: WorkerOrder,
  worker?: string,
): Promise<WorkerAnswer[]> {
  const what = orderOf(order);
  const all = (await readWorkers(store)).map(({ id }) => id);
  if (worker !== undefined && !all.includes(worker)) {
    throw new MinqError('NO_WORKER', `no worker ${show(worker)} is alive on queue ${store.queue}`);
  }
  const ask = newId();
  const waiting = new Set(worker === undefined ? all : [worker]);
  const meant = [...waiting];
  await store.tell(orderText({ ask, worker, ...what }));
  for (const from = performance.now(); waiting.size > 0 && performance.now() - from < ANSWER_MS;) {
    await pause(LOOK_MS);
    const there = new Map((await readWorkers(store)).map((each) => [each.id, each.answered]));
    for (const id of waiting) {
      const gone = what.stop === true && !there.has(id);
      const answers = there.get(id);
      if (gone || (Array.isArray(answers) && answers.includes(ask))) waiting.delete(id);
    }
  }
  return meant.map((id) => ({ worker: id, answered: !waiting.has(id) }));
}

function orderOf(order: WorkerOrder): { concurrency?: number; stop?: true } {
  if (order === 'ping') return {};
  if (order === 'stop') return { stop: true };
  if (typeof order !== 'object' || order === null) {
    return refuse('order', order, "give 'ping', 'stop' or { concurrency }");
  }
  return { concurrency: checkConcurrency(order.concurrency, 'concurrency') };
}
