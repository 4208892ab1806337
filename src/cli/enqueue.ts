/** `minq enqueue <fn> [json-args]`: enqueues one job, and with --wait prints its result. */
import { InvalidArgumentError } from '../job/errors.ts';
import { toMs } from '../job/duration.ts';
import type { EnqueueOptions } from '../job/options.ts';
import type { Command } from './command.ts';
import { withQueue } from './redis.ts';
import { show } from './terminal.ts';

export const enqueue: Command = {
  help: `Usage: minq enqueue <fn> [json-args] [options]

Enqueues a job and prints its id. json-args is the JSON array of the arguments, e.g. '[2, 3]'.

  --wait             wait for the result and print it as JSON; exits with 1 if the job fails
  --timeout t        how long to wait, e.g. 30s (default: as long as it takes)
  --queue name       the queue (default: default)
  --id id            id of the job
  --delay t          start no earlier than this after now
  --retries n        runs after the first, if that fails
  --priority p       high, normal or low
  --json             print {"id": ..., "result": ...}
  --verbose          print the stack of an error, the job's own too
`,
  words: [1, 2],
  async run(given) {
    const [fn, json = '[]'] = given.words;
    const args = readArgs(json);
    const wait = given.has('wait');
    const timeout = given.text('timeout');
    if (timeout !== undefined) {
      toMs(timeout, '--timeout'); // before anything is enqueued
      if (!wait) throw new InvalidArgumentError('--timeout goes with --wait');
    }
    const options = {
      id: given.text('id'),
      delay: given.text('delay'),
      retries: given.number('retries'),
      priority: given.text('priority'),
    };
    return withQueue(given, async (queue) => {
      // What is wrong with the options is found, and said, by enqueue.
      const job = await queue.enqueue(fn!, args, options as EnqueueOptions);
      if (job.duplicate) process.stderr.write(`minq: job ${job.id} existed already\n`);
      if (!wait) return show(given, { id: job.id }, () => [job.id]);
      const result = (await job.result(timeout === undefined ? {} : { timeout })) ?? null;
      return show(given, { id: job.id, result }, () => [JSON.stringify(result)]);
    });
  },
};

function readArgs(json: string): unknown[] {
  const shown = json.slice(0, 60);
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch {
    throw new InvalidArgumentError(
      `json-args: ${shown} is no JSON; give an array like '[2, "text"]'`,
    );
  }
  if (Array.isArray(args)) return args;
  throw new InvalidArgumentError(`json-args: give the array of the arguments, e.g. '[${shown}]'`);
}
