/** `minq cron`: the cron entries, and who fires them; `minq cron run <name>`: one of them now. */
import ms from 'ms';
import type { ScheduleInfo } from '../cron/schedules.ts';
import type { Command } from './command.ts';
import { withQueue } from './redis.ts';
import { table } from './table.ts';
import { columns, print, printJson } from './terminal.ts';
import { UsageError } from './usage.ts';

export const cron: Command = {
  help: `Usage: minq cron [run <name>] [options]

Shows the cron entries of a queue: when they fire next, what became of their last tick, and which worker fires
them. With run, fires one now, beside its ticks, and prints the id of the job.

  --queue name       the queue (default: default)
  --json             print JSON: { entries, beat }, or { id }
`,
  options: { queue: { type: 'string' } },
  positionals: [0, 2],
  async run(values, [action, name]) {
    if (action !== undefined && (action !== 'run' || name === undefined)) {
      throw new UsageError(`"${action}": the only action is: minq cron run <name>`);
    }
    const json = values['json'] === true;
    return withQueue(values, async (queue) => {
      if (name !== undefined) {
        const { id } = await queue.runSchedule(name);
        if (json) printJson({ id });
        else print(id);
        return 0;
      }
      const [entries, workers] = await Promise.all([queue.schedules(), queue.workers()]);
      const beat = workers.find((worker) => worker.beat);
      if (json) {
        printJson({ entries, beat: beat ?? null });
        return 0;
      }
      if (entries.length === 0) {
        print(`no cron entries on queue ${queue.name}`);
        return 0;
      }
      const fit = { width: columns(), cut: ['NAME', 'WHEN', 'ZONE'] };
      print(
        ...table(['NAME', 'WHEN', 'ZONE', 'NEXT', 'LAST', ''], entries.map(row), fit),
        '',
        beat
          ? `fired by worker ${beat.id} (${beat.host}, pid ${beat.pid})`
          : 'nobody fires them now: start a worker',
      );
      return 0;
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
