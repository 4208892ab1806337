/** `minq cancel <id>`: a waiting job at once, a running one by its signal. */
import { agreed, checkYes, done, notDone, unwanted, YES } from './acting.ts';
import type { Command } from './command.ts';
import { withQueue } from './redis.ts';
import { findTarget, nameOf, unknownOn } from './target.ts';

export const cancel: Command = {
  help: `Usage: minq cancel <id> [options]

Cancels a job: a waiting one at once, a running one within a second, by its signal. The last step of a flow takes all
the others along that wait; another step fails what comes after it. Asks first.

  --yes              don't ask; needed where nobody can be asked
  --queue name       the queue (default: default)
  --json             print JSON: { done, id, state }
`,
  options: { queue: { type: 'string' }, ...YES },
  positionals: [1, 1],
  async run(values, positionals) {
    const id = positionals[0]!;
    checkYes(values, 'cancel');
    return withQueue(values, async (queue) => {
      const info = await findTarget(queue, id);
      if (!info) return notDone(values, unknownOn(queue, id), { id });
      const flow = info.flow ? `, a step of flow ${info.flow.id}` : '';
      const question = async () => `Cancel ${nameOf(info)} of queue ${queue.name}${flow}?`;
      const over = info.endedAt !== undefined;
      if (!over && !(await agreed(values, question))) return unwanted(values, { id });
      const cancelled = !over && (await queue.job(id).cancel());
      const state = (await findTarget(queue, id))?.state;
      if (!cancelled) {
        return notDone(values, `job ${id} is ${state ?? 'gone'}; there is nothing to cancel`, {
          id,
          state,
        });
      }
      const message = state === 'active' ? 'is told to stop' : 'is cancelled';
      return done(values, `job ${id} ${message}`, { id, state });
    });
  },
};
