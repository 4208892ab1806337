/**
 * Cron entries as they are kept in Redis: when, what, and whose. The definition there is the truth: whoever
 * beats fires by it, whatever its own code says, so that two versions in a rolling deploy agree.
 */
import { JSON } from '../job/globals.ts';
import { encodeArgs, encodeValue } from '../job/codec.ts';
import { isFixedTime, lastTicks, nextTick, type When } from './times.ts';
import { BadRecordError } from '../job/errors.ts';
import type { JobRecord } from '../job/job.ts';
import { isFunctionName } from '../job/names.ts';
import type { ResolvedEnqueueOptions, ResolvedSchedule } from '../job/checks.ts';

/** Most missed ticks that `catchUp: 'all'` makes up for. */
const MOST_CAUGHT_UP = 100;
/** A tick this late was missed, even by workers that were there: Redis was away, or the machine asleep. */
const MISSED_MS = 15_000;

export interface Definition {
  readonly when: When;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly options: ResolvedEnqueueOptions;
  readonly catchUp: 'last' | 'none' | 'all';
  readonly overlap: boolean;
  /** The last instant at which it may fire, epoch ms. */
  readonly until?: number;
  /** How often it fires before it is over. */
  readonly times?: number;
  /** The app beside whose functions it stands; undefined for one made with `Queue.schedule`. */
  readonly app?: string;
}

/** A definition as text. The same definition gives the same text: texts are compared, in Redis too. */
export function definitionText(
  given: ResolvedSchedule & { fn: string; expires?: number },
  app?: string,
): string {
  const { cron, every, timezone = 'UTC', catchUp = 'last', overlap = true, until, times } = given;
  const options = {
    ...given.options,
    ...(given.expires !== undefined && { expires: given.expires }),
  };
  const when = every === undefined ? { cron, timezone } : { every };
  const rest = encodeValue({ when, options, catchUp, overlap, app, until, times }, 'options')!; // `meta` may hold anything
  return `{"fn":"${given.fn}","args":${encodeArgs(given.args ?? [])},${rest.slice(1)}`;
}

/** @throws {BadRecordError} when it isn't what `definitionText` writes */
export function parseDefinition(text: string): Definition {
  try {
    const definition = JSON.parse(text) as Definition;
    const fires = nextTick(definition.when, 0)! > 0;
    if (fires && isFunctionName(definition.fn) && Array.isArray(definition.args)) return definition;
  } catch {
    // Said below.
  }
  throw new BadRecordError('the definition of the cron entry in Redis is unreadable');
}

/** Its first tick after this; undefined: none will come. */
export function nextOf(
  { when, until = Infinity }: Definition,
  afterMs: number,
): number | undefined {
  const tick = nextTick(when, afterMs);
  return tick !== undefined && tick <= until ? tick : undefined;
}

/** Whether both fire at the same times. */
export const sameTimes = (a: Definition, b: Definition): boolean =>
  JSON.stringify(a.when) === JSON.stringify(b.when);

export interface DueTicks {
  /** Ticks to fire, in order. */
  fire: number[];
  /** The last tick that is due, fired or not. */
  latest: number;
  /** How many are left out; of very many, not all are counted. */
  missed: number;
  /** First tick to come. */
  next: number | undefined;
}

/**
 * What to do about an entry that is due.
 * @param tick its first tick that was not fired
 * @param now by Redis's clock, as is `since`: from when on the worker that asks was there to fire
 */
export function dueTicks(entry: Definition, tick: number, now: number, since: number): DueTicks {
  const missedUntil = Math.max(since, now - MISSED_MS);
  const due = lastTicks(
    entry.when,
    tick,
    Math.min(now, entry.until ?? now),
    MOST_CAUGHT_UP + MISSED_MS / 1_000 + 1,
  );
  const punctual = due.filter((each) => each > missedUntil);
  const missed = due.slice(0, due.length - punctual.length);
  const again =
    entry.catchUp === 'all'
      ? missed.slice(-MOST_CAUGHT_UP)
      : entry.catchUp === 'last' && punctual.length === 0
        ? missed.slice(-1)
        : [];
  return {
    fire: [...again, ...punctual],
    latest: due.at(-1) ?? tick,
    missed: missed.length - again.length,
    next: nextOf(entry, Math.max(now, tick)),
  };
}

/** A clock that was set back by less is waited for: it may be a second that is put right. */
const WAITED_FOR_MS = 60_000;
/** Set back by more, a clock was wrong before, and the new time counts for all (man 8 cron). */
const CORRECTED_MS = 3 * 3_600_000;

/**
 * Where the clock was set back, the next tick of an entry is further away than it ever should be.
 * @param tick its next tick as planned
 * @param last its last tick that was due
 * @returns its next tick by the new time; undefined where the plan holds. Fixed times that were due already don't come again
 */
export function replanned(
  entry: Definition,
  tick: number,
  last: number | undefined,
  now: number,
): number | undefined {
  const backMs = last === undefined ? Infinity : last - now;
  if (tick === Infinity) return undefined; // it is paused
  if (tick <= now || backMs < WAITED_FOR_MS) return undefined;
  const repeats = backMs > CORRECTED_MS || !isFixedTime(entry.when);
  const next = nextOf(entry, repeats ? now : last!);
  return next !== undefined && next < tick ? next : undefined;
}

export const tickId = (name: string, tick: number): string => `cron:${name}:${tick}`;

/** The record of the job that a tick enqueues, and the letter of its lane (n: normal). */
export function tickJob(entry: Definition, tick: number): { json: string; letter: string } {
  const { priority, ...options } = entry.options;
  const record: JobRecord = { fn: entry.fn, args: [...entry.args], tick, ...options };
  if (priority === 'high' || priority === 'low') record.priority = priority;
  return { json: JSON.stringify(record), letter: record.priority?.[0] ?? 'n' };
}
