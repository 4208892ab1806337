/** `minq cron`: the cron entries, and who fires them; `minq cron run <name>`: one of them now. */
import ms from 'ms';
import { Queue } from '../queue.ts';
import type { ScheduleInfo } from '../cron/schedules.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';
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
    const queue = new Queue(values['queue'] as string | undefined);
    try {
      if (name !== undefined) {
        const { id } = await queue.runSchedule(name);
        process.stdout.write(json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
        return 0;
      }
      const [entries, workers] = await Promise.all([queue.schedules(), queue.workers()]);
      const beat = workers.find((worker) => worker.beat);
      if (json) {
        process.stdout.write(`${JSON.stringify({ entries, beat: beat ?? null })}\n`);
        return 0;
      }
      if (entries.length === 0) {
        process.stdout.write(`no cron entries on queue ${queue.name}\n`);
        return 0;
      }
      process.stdout.write(table(['NAME', 'WHEN', 'ZONE', 'NEXT', 'LAST', ''], entries.map(row)));
      process.stdout.write(
        beat
          ? `\nfired by worker ${beat.id} (${beat.host}, pid ${beat.pid})\n`
          : '\nnobody fires them now: start a worker\n',
      );
      return 0;
    } finally {
      await queue.close();
    }
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
