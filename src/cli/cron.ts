/** `minq cron`: the cron entries, and who fires them; one of them now, or no more; and when an expression falls due. */
import { differences } from '../cron/dialects.ts';
import { nextTick } from '../cron/times.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';
import { checkCron, checkTimezone } from '../job/pattern.ts';
import { refuse } from '../job/refuse.ts';
import type { Queue } from '../queue/queue.ts';
import ms from 'ms';
import type { ScheduleInfo } from '../cron/schedules.ts';
import { json, QUEUE, type Command, type Given } from './command.ts';
import { withQueue } from './redis.ts';
import { show, table } from './terminal.ts';

export const cron: Command = {
  help: `Usage: minq cron [run | pause | resume <name>] [options]
       minq cron next '<expression>' [options]

Shows the cron entries of a queue: when they fire next, what became of their last tick, and which worker fires
them. With run, fires one now, beside its ticks, and prints the id of the job; with pause, lets one fire no more until
it is resumed. With next, says when an expression falls due, and what else it would mean elsewhere; it needs no Redis.

  --timezone zone    with next: the time zone (default UTC)
  --count n          with next: how many times (default 5)
${QUEUE}${json('{ entries, beat }, { id }, { name, paused } or { next, notes }')}`,
  words: [0, 2],
  async run(given) {
    const [action, name] = given.words;
    if (action === undefined) return withQueue(given, (queue) => showEntries(given, queue));
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!act || name === undefined) {
      const known = Object.keys(ACTIONS).join(', ');
      throw new InvalidArgumentError(
        `"${action}": give one of ${known}, and behind it a name (of next, an expression)`,
      );
    }
    return act(given, name);
  },
};

const ACTIONS: Record<string, (given: Given, name: string) => Promise<number>> = {
  run: (given, name) =>
    withQueue(given, async (queue) => {
      const { id } = await queue.runSchedule(name);
      return show(given, { id }, () => [id]);
    }),
  pause: (given, name) => pauseOrResume(given, name, true),
  resume: (given, name) => pauseOrResume(given, name, false),
  next: async (given, expression) => {
    const when = {
      cron: checkCron(expression, 'cron'),
      timezone: checkTimezone(given.text('timezone') ?? 'UTC', '--timezone'),
    };
    const count = given.number('count') ?? 5;
    if (count < 1 || count > 1_000) refuse('--count', count, 'give a number from 1 to 1,000');
    const ticks: number[] = [];
    for (let tick = nextTick(when, Date.now()); tick !== undefined; tick = nextTick(when, tick)) {
      if (ticks.push(tick) === count) break;
    }
    const notes = differences(when.cron, when.timezone, Date.now()).map(({ says }) => says);
    return show(given, { next: ticks, notes }, () => [
      ...ticks.map((tick) =>
        when.timezone === 'UTC' ? time(tick) : `${time(tick)}  ${local(tick, when.timezone)}`,
      ),
      ...notes,
    ]);
  },
};

const pauseOrResume = (given: Given, name: string, paused: boolean) =>
  withQueue(given, async (queue) => {
    const found = await (paused ? queue.pauseSchedule(name) : queue.resumeSchedule(name));
    if (!found)
      throw new MinqError('NO_SCHEDULE', `there is no cron entry ${JSON.stringify(name)}`);
    const says = paused
      ? `${name} is paused; go on with: minq cron resume ${name} --queue ${queue.name}`
      : `${name} fires again`;
    return show(given, { name, paused }, () => [says]);
  });

async function showEntries(given: Given, queue: Queue): Promise<number> {
  const [entries, workers] = await Promise.all([queue.schedules(), queue.workers()]);
  const beat = workers.find((worker) => worker.beat);
  return show(given, { entries, beat: beat ?? null }, () => {
    if (entries.length === 0) return [`no cron entries on queue ${queue.name}`];
    const heads = ['NAME', 'WHEN', 'ZONE', 'NEXT', 'LAST', ''];
    return [
      ...table(heads, entries.map(row), ['NAME', 'WHEN', 'ZONE']),
      '',
      beat
        ? `fired by worker ${beat.id} (${beat.host}, pid ${beat.pid})`
        : 'nobody fires them now: start a worker',
    ];
  });
}

/** The same instant on the clock of the zone. */
const local = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone }).format(at);

const row = (entry: ScheduleInfo): string[] => [
  entry.name,
  entry.cron ?? `every ${ms(entry.every!)}`,
  entry.timezone ?? '',
  entry.paused ? 'paused' : entry.nextAt === undefined ? 'over' : time(entry.nextAt),
  time(entry.lastAt),
  lastOf(entry),
];

const time = (at: number | undefined): string =>
  at === undefined ? '-' : new Date(at).toISOString().replace('.000', '').replace('T', ' ');

/** What became of the last tick; of one that was fired, how its job stands. */
const lastOf = ({ last, lastState }: ScheduleInfo): string =>
  last === 'fired' ? (lastState === 'unknown' ? 'ended, forgotten' : lastState!) : (last ?? '');
