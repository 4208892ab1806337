/** `minq remove <id>`: a job, without a trace. */
import { agreed, checkYes, done, notDone, unwanted, YES } from './acting.ts';
import type { Command } from './command.ts';
import { withQueue } from './redis.ts';
import { findTarget, nameOf, unknownOn } from './target.ts';

export const remove: Command = {
  help: `Usage: minq remove <id> [options]

Removes a job without a trace, whatever its state, unless it is running: cancel it first. Asks first.

  --yes              don't ask; needed where nobody can be asked
  --queue name       the queue (default: default)
  --json             print JSON: { done, id }
`,
  options: { queue: { type: 'string' }, ...YES },
  positionals: [1, 1],
  async run(values, positionals) {
    const id = positionals[0]!;
    checkYes(values, 'remove');
    return withQueue(values, async (queue) => {
      const info = await findTarget(queue, id);
      if (!info) return notDone(values, unknownOn(queue, id), { id });
      const { state } = info;
      if (state === 'active') {
        return notDone(values, `job ${id} is active; cancel it first`, { id, state });
      }
      const question = async () => `Remove ${nameOf(info)} of queue ${queue.name} for good?`;
      if (!(await agreed(values, question))) return unwanted(values, { id });
      return (await queue.remove(id))
        ? done(values, `job ${id} is removed`, { id })
        : notDone(values, unknownOn(queue, id), { id });
    });
  },
};
