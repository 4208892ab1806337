/** Moves of the beat, and of those who write its entries. */
import type { EntryChange, Firing } from '../../../src/store/cron.ts';
import * as cron from './cron.ts';
import type { Move } from './move.ts';
import type { Operation } from './operations.ts';
import { APP } from './working.ts';
import type { ModelWorker, World } from './world.ts';

/** Most ticks fired at once, of many that were missed. */
const CAUGHT_UP = 3;

interface Definition {
  every: number;
  overlap: boolean;
  letter: string;
  times?: number;
}

type Schedule = Extract<Operation, { do: 'schedule' }>;

export function scheduleMove(world: World, { name, every, overlap, lane, times, paused, stale, app }: Schedule): Move {
  const { definition: seen = '', tick } = world.queues.q.entries.get(name) ?? {};
  const definition = JSON.stringify({ every, overlap, letter: lane[0], ...(times > 0 && { times }) });
  const keeps = tick !== undefined && tick < Infinity && (JSON.parse(seen) as Definition).every === every;
  return writeMove(world, app ? APP : '', {
    name,
    seen: stale ? 'what it once was' : seen,
    definition,
    ...((paused || !keeps) && { tick: paused ? Infinity : world.clock.now + every }),
  });
} // prettier-ignore

export function unscheduleMove(world: World, name: string): Move {
  const seen = world.queues.q.entries.get(name)?.definition ?? '';
  return writeMove(world, '', { name, seen, definition: '' });
}

function writeMove(world: World, app: string, change: EntryChange): Move {
  const { name, seen, definition, tick } = change;
  for (const ms of (tick ?? Infinity) === Infinity ? [] : [0, 1, 2]) {
    world.remember('q', `cron:${name}:${tick! + ms * 1_000}`);
  }
  return {
    title: `write cron entry ${name}: ${definition || 'none'}, was ${seen || 'none'}`,
    queue: 'q',
    expected: cron.writeEntries(world.queues.q, app, [change]),
    send: (real) => real.store('q').cron.writeEntries(app, [change]),
  };
}

/** What a worker fires that saw this entry due. */
function firingOf(
  { name, tick, definition, fired: before }: cron.DueTick,
  now: number,
  all: boolean,
): Firing {
  const { every, overlap, letter, times } = JSON.parse(definition) as Definition;
  const due = Math.floor((now - tick) / every);
  const ticks = Array.from({ length: due + 1 > CAUGHT_UP ? CAUGHT_UP : due + 1 }, (_, i) => tick + (due - i) * every).reverse(); // prettier-ignore
  const fired = all ? ticks : ticks.slice(-1);
  return {
    name,
    tick,
    definition,
    next: tick + (due + 1) * every,
    overlap,
    letter,
    latest: tick + due * every,
    most: times === undefined ? undefined : Math.max(0, times - before),
    jobs: fired.map((each) => ({ tick: each, json: `{"fn":"f","args":[],"tick":${each}}` })),
  };
}

export function beatMove(world: World, name: 'a' | 'b' | 'c', again: boolean, all: boolean): Move | undefined {
  const worker: ModelWorker = world.worker(name);
  if (again && !worker.fired) return undefined;
  if (!again) {
    worker.fired = worker.due.map((each) => firingOf(each, world.clock.now, all));
  }
  const { id } = worker;
  const firings = worker.fired!;
  const expected = cron.beat(world.queues.q, id, APP, firings);
  worker.due = expected.due;
  const fires = firings.map((each) => `${each.name} at ${each.jobs.map(({ tick }) => tick).join(', ')}`);
  return {
    title: `${id} beats${again ? ' again' : ''}: ${fires.length > 0 ? `fires ${fires.join('; ')}` : 'looks'}`,
    queue: 'q',
    expected,
    send: (real) => real.store('q', id).cron.beat(APP, firings),
  };
} // prettier-ignore

export function releaseBeatMove(world: World, name: 'a' | 'b' | 'c'): Move {
  const { id } = world.worker(name);
  cron.releaseBeat(world.queues.q, id);
  return {
    title: `${id} gives up the beat`,
    queue: 'q',
    send: (real) => real.store('q', id).cron.releaseBeat(),
  };
}
