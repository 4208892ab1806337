/** Cron in the model: each tick fires once, whoever beats, and however often he says so. */
import type { EntryChange, Firing } from '../../../src/store/cron.ts';
import { BEAT_MS, place } from './life.ts';
import { ended, LANES, type ModelQueue } from './queue.ts';

/** A tick overdue by this is fired by whoever sees it. */
const TAKEOVER_MS = 1_000;

export interface DueTick {
  name: string;
  tick: number;
  definition: string;
  fired: number;
}

export interface BeatReply {
  now: number;
  mine: boolean;
  known: boolean;
  next: number | undefined;
  due: DueTick[];
  done: { name: string; fired: number; skipped: number; taken: number }[];
}

export function writeEntries(queue: ModelQueue, app: string, changes: readonly EntryChange[]): string {
  const seen = (name: string) => queue.entries.get(name)?.definition ?? '';
  if (changes.some((change) => seen(change.name) !== change.seen)) return 'changed';
  for (const { name, definition, tick } of changes) {
    const before = queue.entries.get(name);
    if (definition === '') queue.entries.delete(name);
    else {
      const last = before?.last && { ...before.last, ...(before.definition !== definition && { times: undefined }) };
      queue.entries.set(name, { definition, tick: tick ?? before?.tick, last });
    }
  }
  if (app !== '') queue.apps.set(app, queue.now);
  if (changes.length > 0) queue.told.push('control cron');
  return 'written';
} // prettier-ignore

function fire(queue: ModelQueue, firing: Firing): BeatReply['done'] {
  const { name, tick: seen, definition, overlap, letter, most, jobs } = firing;
  let { next, latest } = firing;
  const entry = queue.entries.get(name);
  if (entry?.tick !== seen || entry.definition !== definition) return [];
  const idOf = (tick: number) => `cron:${name}:${tick}`;
  const unfinished = (tick: number | undefined) => {
    const job = tick !== undefined && queue.jobs.get(idOf(tick));
    return job && !ended(job);
  };
  let before = entry.last?.fired;
  let fired = 0;
  let skipped = 0;
  if (most === 0) next = undefined;
  for (const { tick, json } of jobs) {
    if (fired === most) break;
    if (!overlap && unfinished(before)) {
      skipped++;
      continue;
    }
    before = tick;
    fired++;
    if (fired === most) [next, latest] = [undefined, tick];
    place(
      queue,
      idOf(tick),
      json,
      LANES.find((lane) => lane[0] === letter)!,
      'kept',
      0,
    );
  }
  entry.tick = next;
  const word = before === latest ? 'fired' : skipped > 0 ? 'skipped' : 'missed';
  entry.last = { tick: latest!, word, fired: before, times: (entry.last?.times ?? 0) + fired };
  return [{ name, fired, skipped, taken: 0 }];
}

export function beat(queue: ModelQueue, worker: string, app: string, firings: readonly Firing[]): BeatReply {
  const { now } = queue;
  const done = firings.flatMap((firing) => fire(queue, firing));
  const ticks = [...queue.entries]
    .flatMap(([name, { tick, definition, last }]) => (tick === undefined ? [] : { name, tick, definition, fired: last?.times ?? 0 }))
    .sort((a, b) => a.tick - b.tick || (a.name < b.name ? -1 : 1));
  const holder = queue.beat && queue.beat.until >= now ? queue.beat.worker : undefined;
  const mine =
    holder === undefined || holder === worker || ticks.some(({ tick }) => tick <= now - TAKEOVER_MS);
  if (mine && ticks.length > 0) queue.beat = { worker, until: now + BEAT_MS };
  const coming = ticks.filter(({ tick }) => tick < Infinity && (!mine || tick > now));
  return {
    now,
    mine,
    known: queue.apps.has(app),
    next: coming[0]?.tick,
    due: mine && ticks.length > 0 ? ticks.filter(({ tick }) => tick <= now) : [],
    done,
  };
} // prettier-ignore

export function releaseBeat(queue: ModelQueue, worker: string): void {
  if (queue.beat?.worker !== worker || queue.beat.until < queue.now) return;
  queue.beat = undefined;
  queue.told.push('control cron');
}
