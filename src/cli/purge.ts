/** `minq purge <state>`: all jobs of one state, without a trace. */
import { agreed, checkYes, done, notDone, unwanted, YES } from './acting.ts';
import type { Command } from './command.ts';
import { jobsOf } from './figures.ts';
import { withQueue } from './redis.ts';
import { UsageError } from './usage.ts';

const PURGEABLE = ['queued', 'scheduled', 'completed', 'failed', 'cancelled'] as const;

export const purge: Command = {
  help: `Usage: minq purge <state> [options]

Removes all jobs of one state without a trace: queued, scheduled, completed, failed or cancelled. Asks first.

  --yes              don't ask; needed where nobody can be asked
  --queue name       the queue (default: default)
  --json             print JSON: { done, count }
`,
  options: { queue: { type: 'string' }, ...YES },
  positionals: [1, 1],
  async run(values, [given]) {
    const state = PURGEABLE.find((each) => each === given);
    if (!state) {
      throw new UsageError(
        `state: ${JSON.stringify(given)} can't be purged; give one of ${PURGEABLE.join(', ')}`,
      );
    }
    checkYes(values, 'purge');
    return withQueue(values, async (queue) => {
      const question = async () =>
        `Remove ${jobsOf((await queue.counts())[state], state)} of queue ${queue.name} for good?`;
      if (!(await agreed(values, question))) return unwanted(values, { count: 0 });
      const count = await queue.purge(state);
      return count > 0
        ? done(values, `${jobsOf(count, state)} removed from queue ${queue.name}`, { count })
        : notDone(values, `there are no ${state} jobs on queue ${queue.name}`, { count });
    });
  },
};
