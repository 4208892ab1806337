/** The cron entries of one queue in Redis: a method for each transition. */
import { inRows, type Caller } from './caller.ts';
import { deadlineIn } from '../job/duration.ts';
import {
  beatScript,
  entriesScript,
  PAUSED,
  releaseBeatScript,
  writeEntriesScript,
} from './scripts/cron.ts';

/** An entry that is to fire, as the beat saw it, and what is to become of it. */
export interface Firing {
  name: string;
  /** The tick and the definition that the caller saw: if Redis has others by now, nothing is done. */
  tick: number;
  definition: string;
  next: number | undefined;
  overlap: boolean;
  /** Lane letter, `n` for normal. */
  letter: string;
  /** The last tick that is due; undefined: none is, the entry is only planned anew. */
  latest: number | undefined;
  /** How often it may fire before it is over. */
  most: number | undefined;
  jobs: readonly { tick: number; json: string }[];
}

export interface BeatReply {
  now: number;
  /** Whether this worker beats. */
  mine: boolean;
  /** Whether the app has written down its entries (Redis may have been emptied since). */
  known: boolean;
  /** First tick to come, epoch ms; undefined where there is no entry. */
  next: number | undefined;
  due: { name: string; tick: number; definition: string; fired: number }[];
  /** Of the firings given, those that took place. */
  done: { name: string; fired: number; skipped: number; taken: number }[];
}

/** A change to the cron entries. Empty definitions: there was none, there shall be none. */
export interface EntryChange {
  name: string;
  seen: string;
  definition: string;
  /** Next tick, where the entry doesn't keep its own; `Infinity`: it is paused; null: none will come. */
  tick?: number | null;
}

/** An entry as it lies in Redis. */
export interface StoredEntry {
  name: string;
  definition: string;
  /** `Infinity` while it is paused. */
  tick: number | undefined;
  /**
   * Empty, or `<tick> <fired | skipped | missed | taken> <last tick fired> times <how often it fired>`. Where the clock was set back,
   * ` again <till> <pass>` follows: up to `till` times come again, and ids of their ticks end with `:<pass>`.
   */
  last: string;
  /** State of the last job fired. */
  state: string;
}

/** Entries read in one call. */
const ENTRIES_A_CALL = 200;

export class CronStore {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Fires these entries, and looks what is due. With none to fire it only looks. */
  async beat(app: string, firings: readonly Firing[] = []): Promise<BeatReply> {
    const rest = firings.flatMap((each) => [
      each.name,
      String(each.tick),
      each.definition,
      each.next === undefined ? '' : String(each.next),
      each.overlap ? '1' : '0',
      each.letter,
      each.latest === undefined ? '' : String(each.latest),
      each.most === undefined ? '' : String(each.most),
      String(each.jobs.length),
      ...each.jobs.flatMap(({ tick, json }) => [String(tick), json]),
    ]);
    const [now, mine, known, next, due, done] = (await this.#caller.run(
      beatScript,
      { worker: this.#caller.worker, app },
      rest,
    )) as [number, number, number, number, string[], (string | number)[]];
    return {
      now,
      mine: mine === 1,
      known: known === 1,
      next: next < 0 ? undefined : next,
      due: inRows(due, 4).map(([name, tick, definition, fired]) => ({
        name: name!,
        tick: Number(tick),
        definition: definition!,
        fired: Number(fired),
      })),
      done: inRows(done, 4).map(([name, fired, skipped, taken]) => ({
        name: name as string,
        fired: fired as number,
        skipped: skipped as number,
        taken: taken as number,
      })),
    };
  }

  async releaseBeat(): Promise<void> {
    const { control } = this.#caller.keys;
    const { worker } = this.#caller;
    await this.#caller.run(releaseBeatScript, { worker, control }, [], deadlineIn(1_000));
  }

  /** @param app that has now written down its entries; empty: none has */
  writeEntries(app: string, changes: readonly EntryChange[]) {
    const rest = changes.flatMap(({ name, seen, definition, tick }) => [
      name,
      seen,
      definition,
      tickText(tick),
    ]);
    const { control } = this.#caller.keys;
    return this.#caller.run(writeEntriesScript, { app, control }, rest) as Promise<
      'written' | 'changed' | 'full'
    >;
  }

  /** The entries of these names, or all, and the server's time. */
  async entries(names?: readonly string[]): Promise<{ now: number; entries: StoredEntry[] }> {
    const wanted = names ?? (await this.#entryNames());
    let now = 0;
    const entries: StoredEntry[] = [];
    for (let i = 0; i === 0 || i < wanted.length; i += ENTRIES_A_CALL) {
      const reply = (await this.#caller.run(
        entriesScript,
        {},
        wanted.slice(i, i + ENTRIES_A_CALL),
      )) as [number, string[][]];
      now = reply[0];
      for (const [name, definition, tick, last, state] of reply[1]) {
        entries.push({
          name: name!,
          definition: definition!,
          tick: tick === 'inf' ? Infinity : tick ? Number(tick) : undefined,
          last: last!,
          state: state!,
        });
      }
    }
    return { now, entries };
  }

  async #entryNames(): Promise<string[]> {
    const names = new Set<string>(); // a scan may tell of an entry twice
    let cursor = '0';
    do {
      const [next, found] = await this.#caller.connection.call((client) =>
        client.hscan(this.#caller.keys.entries, cursor, 'COUNT', ENTRIES_A_CALL),
      );
      for (let i = 0; i < found.length; i += 2) names.add(found[i]!);
      cursor = next;
    } while (cursor !== '0');
    return [...names].sort();
  }
}

function tickText(tick: number | null | undefined): string {
  if (tick === undefined) return '';
  return tick === null ? '-' : tick === Infinity ? PAUSED : String(tick);
}
