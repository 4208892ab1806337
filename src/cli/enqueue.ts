/** `minq enqueue <fn> [json-args]`: enqueues one job, and with --wait prints its result. */
import { toMs } from '../job/duration.ts';
import type { EnqueueOptions } from '../job/options.ts';
import { numberOption, type Command } from './command.ts';
import { withQueue } from './redis.ts';
import { print, printJson } from './terminal.ts';
import { UsageError } from './usage.ts';

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
  options: {
    wait: { type: 'boolean' },
    timeout: { type: 'string' },
    queue: { type: 'string' },
    id: { type: 'string' },
    delay: { type: 'string' },
    retries: { type: 'string' },
    priority: { type: 'string' },
  },
  positionals: [1, 2],
  async run(values, [fn, json]) {
    const text = (name: string) => values[name] as string | undefined;
    const args = readArgs(json ?? '[]');
    const timeout = text('timeout');
    if (timeout !== undefined) {
      toMs(timeout, '--timeout'); // before anything is enqueued
      if (!values['wait']) throw new UsageError('--timeout goes with --wait');
    }
    const given = {
      id: text('id'),
      delay: text('delay'),
      retries: numberOption(values, 'retries'),
      priority: text('priority'),
    };
    return withQueue(values, async (queue) => {
      // What is wrong with the options is found, and said, by enqueue.
      const job = await queue.enqueue(fn!, args, given as EnqueueOptions);
      if (job.duplicate) process.stderr.write(`minq: job ${job.id} existed already\n`);
      if (values['wait']) {
        const result = (await job.result(timeout === undefined ? {} : { timeout })) ?? null;
        printJson(values['json'] ? { id: job.id, result } : result);
      } else if (values['json']) {
        printJson({ id: job.id });
      } else {
        print(job.id);
      }
      return 0;
    });
  },
};

function readArgs(json: string): unknown[] {
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch {
    throw new UsageError(
      `json-args: ${json.slice(0, 60)} is no JSON; give an array like '[2, "text"]'`,
    );
  }
  if (!Array.isArray(args)) {
    throw new UsageError(
      `json-args: give the array of the arguments, e.g. '[${json.slice(0, 60)}]'`,
    );
  }
  return args;
}
