/** `minq cron`: the cron entries, and who fires them; `minq cron run <name>`: one of them now. */
import { InvalidArgumentError } from '../job/errors.ts';
import ms from 'ms';
import type { ScheduleInfo } from '../cron/schedules.ts';
import { json, QUEUE, type Command } from './command.ts';
import { withQueue } from './redis.ts';
import { show, table } from './terminal.ts';

export const cron: Command = {
  help: `Usage: minq cron [run <name>] [options]

Shows the cron entries of a queue: when they fire next, what became of their last tick, and which worker fires
them. With run, fires one now, beside its ticks, and prints the id of the job.

${QUEUE}${json('{ entries, beat }, or { id }')}`,
  words: [0, 2],
  async run(given) {
    const [action, name] = given.words;
    if (action !== undefined && (action !== 'run' || name === undefined)) {
      throw new InvalidArgumentError(`"${action}": the only action is: minq cron run <name>`);
    }
    return withQueue(given, async (queue) => {
      if (name !== undefined) {
        const { id } = await queue.runSchedule(name);
        return show(given, { id }, () => [id]);
      }
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
    });
  },
};

const row = (entry: ScheduleInfo): string[] => [
  entry.name,
  entry.cron ?? `every ${ms(entry.every!)}`,
  entry.timezone ?? '',
  time(entry.nextAt),
  time(entry.lastAt),
  lastOf(entry),
];

const time = (at: number | undefined): string =>
  at === undefined ? '-' : new Date(at).toISOString().replace('.000', '').replace('T', ' ');

/** What became of the last tick; of one that was fired, how its job stands. */
const lastOf = ({ last, lastState }: ScheduleInfo): string =>
  last === 'fired' ? (lastState === 'unknown' ? 'ended, forgotten' : lastState!) : (last ?? '');
