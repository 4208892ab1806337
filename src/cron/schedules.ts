/**
 * Keeping cron entries. Who changes them has looked at them first, and writes only if they are still as seen;
 * else it looks again. So the rules stand here, and the script knows none of them.
 */
import { JSON } from '../job/globals.ts';
import { warningOf } from './dialects.ts';
import { nextOf, parseDefinition, sameTimes, type Definition } from './entry.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';
import { MAX_ENTRIES } from '../store/scripts/cron.ts';
import type { EntryChange, StoredEntry } from '../store/cron.ts';
import type { Store } from '../store/store.ts';

/** A cron entry as `Queue.schedules` shows it. Times (`...At`) are epoch ms by Redis's clock. */
export interface ScheduleInfo {
  name: string;
  /** Where it fires. */
  queue: string;
  /** Expression, or undefined where it is `every`. */
  cron?: string;
  timezone?: string;
  /** Interval in ms. */
  every?: number;
  fn: string;
  args: readonly unknown[];
  catchUp: 'last' | 'none' | 'all';
  overlap: boolean;
  /** Fires until then. */
  untilAt?: number;
  /** How often it fires before it is over. */
  times?: number;
  /** How often it has fired; where it was changed, since then. */
  fired: number;
  paused: boolean;
  /** The app beside whose functions it is defined; undefined for one made with `schedule`. */
  app?: string;
  nextAt?: number;
  /** Last tick that is over. */
  lastAt?: number;
  /**
   * What became of it: `fired`, `skipped` (the run before was unfinished), `missed` (nobody was there), `taken` (another job
   * has its id, and nothing ran).
   */
  last?: 'fired' | 'skipped' | 'missed' | 'taken';
  /** Id of the last job fired, and its state; `unknown` once it is forgotten. */
  lastJob?: string;
  lastState?: string;
}

/**
 * Writes down the entries an app defines beside its functions: new ones are added, changed ones replaced, and
 * those that the app defined before and doesn't any more are removed. Who starts last is right; nothing else
 * is written until somebody starts again, so two versions in a rolling deploy don't fight.
 *
 * An entry that fires at the same times as before keeps its next tick: so it is known what was missed.
 * @param definitions texts by name
 * @param warn called where names collide with entries that aren't the app's
 */
export async function syncEntries(
  store: Store,
  app: string,
  definitions: ReadonlyMap<string, string>,
  warn: (message: string) => void,
): Promise<void> {
  for (;;) {
    const { now, entries } = await store.cron.entries();
    const stored = new Map(entries.map((entry) => [entry.name, entry]));
    const warnings: string[] = [];
    const changes: EntryChange[] = [];
    for (const [name, definition] of definitions) {
      const there = stored.get(name);
      if (there?.definition === definition) continue;
      const owner = there && readDefinition(there);
      if (owner && owner.app === undefined) {
        warnings.push(
          `cron entry "${name}" was made with queue.schedule; the function's own times don't count`,
        );
        continue;
      }
      if (owner && owner.app !== app) {
        warnings.push(
          `cron entry "${name}" was defined by app ${owner.app}; from now on it is that of ${app}`,
        );
      }
      changes.push(change(name, there, definition, now));
      const { when } = parseDefinition(definition);
      const elsewhere = 'cron' in when && warningOf(when.cron);
      if (elsewhere) warnings.push(`cron entry "${name}", ${elsewhere}`);
    }
    for (const there of entries) {
      if (definitions.has(there.name) || readDefinition(there)?.app !== app) continue;
      changes.push({ name: there.name, seen: there.definition, definition: '' });
    }
    const defines = definitions.size > 0;
    if (!defines && changes.length === 0) return;
    const word = await store.cron.writeEntries(defines ? app : '', changes);
    if (word === 'changed') continue;
    if (word === 'full') throw tooMany();
    for (const warning of warnings) warn(warning);
    return;
  }
}

/**
 * @param paused undefined: as it is
 * @throws {MinqError} when an app defines an entry of this name, or there are too many
 * @throws {InvalidArgumentError} when it would never fire
 */
export async function writeEntry(
  store: Store,
  name: string,
  definition: string,
  paused?: boolean,
): Promise<void> {
  for (;;) {
    const { now, entries } = await store.cron.entries([name]);
    const there = entries[0];
    const asItIs = paused === undefined || paused === (there?.tick === Infinity);
    if (there?.definition === definition && asItIs) return;
    const owner = there && readDefinition(there)?.app;
    if (owner !== undefined) {
      throw new MinqError(
        'SCHEDULE_TAKEN',
        `name: ${JSON.stringify(name)} is that of a cron function of app ${owner}; give another name`,
      );
    }
    const wanted = change(name, there, definition, now, paused);
    if (wanted.tick === null) {
      throw new InvalidArgumentError(
        'until: no tick comes before it; give a later one, or other times',
      );
    }
    const word = await store.cron.writeEntries('', [wanted]);
    if (word === 'full') throw tooMany();
    if (word === 'written') return;
  }
}

/** @returns whether there was one */
export async function removeEntry(store: Store, name: string): Promise<boolean> {
  for (;;) {
    const there = (await store.cron.entries([name])).entries[0];
    if (!there) return false;
    const change = { name, seen: there.definition, definition: '' };
    if ((await store.cron.writeEntries('', [change])) === 'written') return true;
  }
}

/** Removes an entry made with `schedule` for this function, which another queue has now. */
export async function leaveEntry(store: Store, name: string, fn: string): Promise<void> {
  const there = (await store.cron.entries([name])).entries[0];
  const definition = there && readDefinition(there);
  if (definition?.fn === fn && definition.app === undefined) await removeEntry(store, name);
}

/**
 * Lets it fire no more, or again, from its next tick on; what fell due meanwhile is not made up for.
 * @returns whether there is one of this name
 */
export async function pauseEntry(store: Store, name: string, paused: boolean): Promise<boolean> {
  for (;;) {
    const { now, entries } = await store.cron.entries([name]);
    const there = entries[0];
    if (!there) return false;
    if (paused === (there.tick === Infinity)) return true;
    const wanted = change(name, there, there.definition, now, paused);
    if ((await store.cron.writeEntries('', [wanted])) === 'written') return true;
  }
}

export async function readSchedules(store: Store): Promise<ScheduleInfo[]> {
  const { entries } = await store.cron.entries();
  return entries.flatMap((entry) => toInfo(entry, store.queue) ?? []);
}

function change(
  name: string,
  there: StoredEntry | undefined,
  text: string,
  now: number,
  paused = there?.tick === Infinity,
): EntryChange {
  const seen = there?.definition ?? '';
  if (paused) return { name, seen, definition: text, tick: Infinity };
  const before = there && readDefinition(there);
  const definition = parseDefinition(text);
  const { until = Number.MAX_SAFE_INTEGER } = definition;
  const same = before && (there.tick ?? Infinity) <= until && sameTimes(before, definition);
  return {
    name,
    seen,
    definition: text,
    ...(!same && { tick: nextOf(definition, now) ?? null }),
  };
}

/** What can't be read is nobody's, and may be replaced. */
function readDefinition({ definition }: StoredEntry): Definition | undefined {
  try {
    return parseDefinition(definition);
  } catch {
    return undefined;
  }
}

function toInfo(entry: StoredEntry, queue: string): ScheduleInfo | undefined {
  const definition = readDefinition(entry);
  if (!definition) return undefined;
  const { when, fn, args, catchUp, overlap, app, until, times } = definition;
  const [lastAt, last, fired] = entry.last.split(' ');
  const paused = entry.tick === Infinity;
  return {
    name: entry.name,
    queue,
    ...when,
    fn,
    args,
    catchUp,
    overlap,
    ...(until !== undefined && { untilAt: until }),
    ...(times !== undefined && { times }),
    fired: Number(/ times (\d+)/.exec(entry.last)?.[1] ?? 0),
    paused,
    ...(app !== undefined && { app }),
    ...(entry.tick !== undefined && !paused && { nextAt: entry.tick }),
    ...(lastAt && { lastAt: Number(lastAt), last: last as 'fired' }),
    ...(fired && { lastJob: `cron:${entry.name}:${fired}`, lastState: entry.state }),
  };
}

const tooMany = () =>
  new MinqError('TOO_MANY_SCHEDULES', `a queue holds at most ${MAX_ENTRIES} cron entries`);
