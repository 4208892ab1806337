/** `minq pause`, `minq resume`: whether workers may start jobs of a queue. */
import { done } from './acting.ts';
import type { Command } from './command.ts';
import { withQueue } from './redis.ts';

export const pause: Command = {
  help: `Usage: minq pause [options]

No worker starts a job of the queue from now on. What runs goes on, and so does enqueueing.

  --queue name       the queue (default: default)
  --json             print JSON: { done, queue, paused }
`,
  options: { queue: { type: 'string' } },
  positionals: [0, 0],
  run: (values) =>
    withQueue(values, async (queue) => {
      await queue.pause();
      const message = `queue ${queue.name} is paused; go on with: minq resume --queue ${queue.name}`;
      return done(values, message, { queue: queue.name, paused: true });
    }),
};

export const resume: Command = {
  help: `Usage: minq resume [options]

Workers start jobs of the queue again.

  --queue name       the queue (default: default)
  --json             print JSON: { done, queue, paused }
`,
  options: { queue: { type: 'string' } },
  positionals: [0, 0],
  run: (values) =>
    withQueue(values, async (queue) => {
      await queue.resume();
      return done(values, `queue ${queue.name} goes on`, { queue: queue.name, paused: false });
    }),
};
