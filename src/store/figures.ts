/** What statistics are made of, read: samples, counters, what failed, what stands first. */
import { inRows, type Caller } from './caller.ts';
import { failuresScript } from './scripts/failures.ts';
import { headsScript, historyScript } from './scripts/views.ts';

export class FigureStore {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @returns how many failed jobs were looked through; of each its id, end, function, and how its error begins */
  async failures(offset: number): Promise<{ seen: number; rows: string[][] }> {
    const [seen, flat] = (await this.#caller.run(failuresScript, { offset })) as [number, string[]];
    return { seen, rows: inRows(flat, 4) };
  }

  /** Records, cut after the time where they are long, of the jobs that stand first. */
  async heads(): Promise<{ now: number; heads: string[] }> {
    const [now, heads] = (await this.#caller.run(headsScript, {})) as [number, string[]];
    return { now, heads };
  }

  /** Every `nth` of the `last` samples, as far as they were made `within` so many ms. */
  history(last: number, nth: number, within: number): Promise<string[]> {
    return this.#caller.run(historyScript, { last, nth, within }) as Promise<string[]>;
  }

  /** Counters of functions, now and an hour or two ago. */
  timings(when: 'now' | 'then'): Promise<Record<string, string>> {
    const key = when === 'now' ? this.#caller.keys.timings : this.#caller.keys.timingsThen;
    return this.#caller.connection.call((client) => client.hgetall(key));
  }
}
