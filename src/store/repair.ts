/** Finds jobs in limbo, those that lie in no place, and puts them back: beside workers and enqueues, each exactly once. */
import { inRows, type Caller } from './caller.ts';
import {
  auditScript,
  MAX_PASSED,
  MAX_RESTORED,
  restoreScript,
  unplacedScript,
} from './scripts/repair.ts';

/** Most tickets read from a list in a call. */
const TICKETS_A_CALL = 10_000;

export interface Audit {
  /** Epoch ms by Redis's clock. */
  now: number;
  /** Jobs in no place; where records are missing as well, it may be more. */
  limbo: number;
  /** Tickets in lists. */
  listed: number;
  jobs: number;
  /**
   * What was dropped before its time because too much was kept, steps of flows of which not all parts came, and jobs of cron and
   * of `onFailure` whose id somebody had taken: how many ever, and when it was last.
   */
  dropped: Record<'completed' | 'failed' | 'waiting' | 'taken', { count: number; at: number }>;
}

export interface Repaired {
  /** Jobs put back. */
  repaired: number;
  /** Steps of flows that can't be: nobody knows whether their turn has come. */
  left: number;
}

export class RepairStore {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async audit(): Promise<Audit> {
    const reply = (await this.#caller.run(auditScript, {})) as (number | string)[];
    const [now = 0, limbo = 0, listed = 0, jobs = 0, ...rest] = reply.map(Number);
    const [completed, failed, waiting, taken] = inRows(rest, 2).map(([count = 0, at = 0]) => ({
      count,
      at,
    }));
    const dropped = { completed: completed!, failed: failed!, waiting: waiting!, taken: taken! };
    return { now, limbo, listed, jobs, dropped };
  }

  /** Work in proportion to the number of jobs, in short calls. */
  async repair(): Promise<Repaired> {
    const queued = await this.#queued();
    const limbo: string[] = [];
    let cursor = '0';
    do {
      const reply = await this.#caller.run(unplacedScript, { cursor });
      const [next, found] = reply as [string, string[]];
      for (let i = 0; i < found.length; i += 2) {
        if (!queued.has(found[i + 1]!)) limbo.push(found[i]!);
      }
      cursor = next;
    } while (cursor !== '0');
    // Each is looked for in its list once more, which takes as long as that is.
    const most = Math.ceil(MAX_PASSED / (1 + queued.size));
    const at = Math.min(MAX_RESTORED, most);
    const all = { repaired: 0, left: 0 };
    for (let i = 0; i < limbo.length; i += at) {
      const reply = await this.#caller.run(restoreScript, {}, limbo.slice(i, i + at));
      const [repaired, left] = reply as [number, number];
      all.repaired += repaired;
      all.left += left;
    }
    return all;
  }

  /** All tickets in lists. Read from the end, where they come in: so those that come and go meanwhile hide none. */
  async #queued(): Promise<Set<string>> {
    const { connection, keys } = this.#caller;
    const queued = new Set<string>();
    for (const list of [keys.high, keys.queued, keys.low]) {
      let page: string[];
      let last = -1;
      do {
        const [from, to] = [last - TICKETS_A_CALL + 1, last];
        page = await connection.call((client) => client.lrange(list, from, to));
        for (const ticket of page) queued.add(ticket);
        last -= TICKETS_A_CALL;
      } while (page.length > 0);
    }
    return queued;
  }
}
