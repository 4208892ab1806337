/**
 * The beat: fires the cron entries that are due. Any number of workers may try, each tick is fired once, for the
 * script moves the entry on only if it is as the caller saw it. Who holds the lock fires on time; the others look a
 * second later, and find nothing to do, unless the holder is dead or frozen: then the beat is theirs.
 */
import { performance } from '../job/globals.ts';
import { describeError } from '../job/codec.ts';
import { dueTicks, parseDefinition, replanned, tickJob } from '../cron/entry.ts';
import type { Logger } from '../job/log.ts';
import { startLoop, type Loop } from './loop.ts';
import { syncEntries } from '../cron/schedules.ts';
import { TAKEOVER_MS } from '../store/scripts/cron.ts';
import type { BeatReply, Firing } from '../store/cron.ts';
import type { Store } from '../store/store.ts';

/** Most jobs enqueued by one call: keeps the script below 5 ms. */
const MOST_JOBS = 200;
/** So that those who look whether the beat is dead don't all look at once. */
const LOOK_APART_MS = 100;
const RETRY_MS = 1_000;
/** Two clocks drift apart, and a reply may be slow: what is less is no jump. */
const SET_BACK_MS = 5_000;
/** An entry that can't be read is looked at again this much later. */
const UNREADABLE_MS = 60_000;

export interface BeatOptions {
  store: Store;
  /** The app, and the definitions of its entries by name; without an app (empty) nothing is written down. */
  app: string;
  definitions: ReadonlyMap<string, string>;
  logger: Logger;
  onError: (error: unknown) => void;
}

export class Beat {
  readonly #options: BeatOptions;
  #loop: Loop | undefined;
  #synced: boolean;
  #mine = false;
  /** First tick to come, epoch ms by Redis's clock; -1: there is no entry. */
  #next = -1;
  /** Redis's time when this worker first looked. */
  #since: number | undefined;
  /** Redis's time at the last look, and ours. */
  #heard: { now: number; at: number } | undefined;

  constructor(options: BeatOptions) {
    this.#options = options;
    this.#synced = options.app === '';
  }

  /** From now on by itself. */
  start(): void {
    this.#loop = startLoop(() => this.round(), {
      everyMs: RETRY_MS,
      onError: this.#options.onError,
      immediately: true,
    });
  }

  get app(): string {
    return this.#options.app;
  }

  /** Whether this worker fires the ticks. */
  get mine(): boolean {
    return this.#mine;
  }

  /** The entries have changed, or the beat is free: looks now. */
  look(): void {
    this.#loop?.soon();
  }

  /** What the heartbeat heard. Looks now, if that is news. */
  heard(tick: number, appKnown: boolean): void {
    if (!appKnown && this.#defines) this.#synced = false;
    if (tick !== this.#next || !this.#synced) this.look();
  }

  get #defines(): boolean {
    return this.#options.definitions.size > 0;
  }

  /** Fires no more, and lets another worker do it. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    if (this.#mine) await this.#options.store.cron.releaseBeat();
    this.#mine = false;
  }

  /**
   * Fires what is due.
   * @returns ms until the next look
   */
  async round(): Promise<number> {
    const { store, app, definitions, logger } = this.#options;
    if (!this.#synced) {
      await syncEntries(store, app, definitions, (message) => logger.warn(message));
      this.#synced = true;
    }
    let reply = await store.cron.beat(app);
    if (reply.mine && this.#setBack(reply.now)) reply = await this.#planAnew(reply);
    while (reply.due.length > 0) {
      reply = await store.cron.beat(app, this.#firings(reply));
      if (reply.done.length === 0 && reply.due.length > 0) break; // it can't be moved on: not in a tight loop
      for (const { name, skipped, taken } of reply.done) {
        if (taken > 0)
          logger.error('cron: the id of a tick is taken by another job, nothing runs', {
            name,
            taken,
          });
        if (skipped > 0)
          logger.info('cron: skipped, the run before is unfinished', { name, skipped });
      }
    }
    this.#since ??= reply.now;
    this.#mine = reply.mine && reply.next !== undefined;
    this.#next = reply.next ?? -1;
    // Redis was emptied: whoever defined entries writes them down again.
    if (!reply.known && this.#defines) {
      this.#synced = false;
      return 0;
    }
    if (reply.due.length > 0) return RETRY_MS;
    if (reply.next === undefined) return Infinity;
    // A millisecond more: Redis's clock and our timer don't begin theirs together.
    const inMs = reply.next - reply.now + 1;
    return reply.mine ? inMs : inMs + TAKEOVER_MS + LOOK_APART_MS * Math.random();
  }

  /** Whether the clock of Redis may have gone back: since the last look, or before the first. */
  #setBack(now: number): boolean {
    const at = performance.now();
    const { now: before, at: then } = this.#heard ?? { now: Infinity, at };
    this.#heard = { now, at };
    return now < before + (at - then) - SET_BACK_MS;
  }

  /** The clock was set back: entries would stand still until it is again as late as it was. */
  async #planAnew(reply: BeatReply): Promise<BeatReply> {
    const { store, app, logger } = this.#options;
    const { now, entries } = await store.cron.entries();
    const firings = entries.flatMap(({ name, definition, tick, last }) => {
      const next = tick === undefined ? undefined : plannedAnew(definition, tick, last, now);
      if (next === undefined) return [];
      return {
        name,
        tick: tick!,
        definition,
        next,
        overlap: true,
        letter: 'n',
        latest: undefined,
        most: undefined,
        jobs: [],
      };
    });
    if (firings.length === 0) return reply;
    logger.warn('cron: the clock of Redis was set back, ticks are planned anew', {
      entries: firings.length,
    });
    for (let i = 0; i < firings.length; i += MOST_JOBS) {
      reply = await store.cron.beat(app, firings.slice(i, i + MOST_JOBS));
    }
    return reply;
  }

  /** As much of what is due as one call may fire. */
  #firings({ due, now }: BeatReply): Firing[] {
    const { logger } = this.#options;
    const since = (this.#since ??= now);
    const firings: Firing[] = [];
    let jobs = 0;
    for (const { name, tick, definition, fired } of due) {
      const seen = { name, tick, definition };
      try {
        const entry = parseDefinition(definition);
        const { fire, latest, missed, next } = dueTicks(entry, tick, now, since);
        if (missed > 0)
          logger.warn('cron: ticks were missed', { name, missed, fired: fire.length });
        const made = fire.map((each) => ({ tick: each, ...tickJob(entry, each) }));
        const letter = made[0]?.letter ?? 'n';
        const most = entry.times === undefined ? undefined : Math.max(0, entry.times - fired);
        firings.push({ ...seen, next, overlap: entry.overlap, letter, latest, most, jobs: made });
        jobs += made.length;
      } catch (error) {
        logger.error(`cron: can't fire: ${describeError(error).message}`, { name });
        const next = now + UNREADABLE_MS;
        firings.push({
          ...seen,
          next,
          overlap: true,
          letter: 'n',
          latest: tick,
          most: undefined,
          jobs: [],
        });
      }
      if (jobs >= MOST_JOBS) break;
    }
    return firings;
  }
}

/** @param last as it is stored: `<tick> <what became of it> ...`, or empty */
function plannedAnew(
  definition: string,
  tick: number,
  last: string,
  now: number,
): number | undefined {
  try {
    const lastTick = last === '' ? undefined : Number(last.split(' ')[0]);
    return replanned(parseDefinition(definition), tick, lastTick, now);
  } catch {
    return undefined; // said where it falls due
  }
}
