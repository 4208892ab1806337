/** `minq enqueue <fn> [json-args]`: enqueues one job, and with --wait prints its result. */
import { JobFailedError } from '../errors.ts';
import { Queue } from '../queue.ts';
import { numberOption, type Command } from './command.ts';
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
    const queue = new Queue(text('queue'));
    try {
      const job = await queue.enqueue(fn!, args, {
        id: text('id'),
        delay: text('delay'),
        retries: numberOption(values, 'retries'),
        priority: text('priority') as 'high' | undefined,
      } as object);
      if (job.duplicate) process.stderr.write(`minq: job ${job.id} existed already\n`);
      if (!values['wait']) {
        process.stdout.write(
          values['json'] ? `${JSON.stringify({ id: job.id })}\n` : `${job.id}\n`,
        );
        return 0;
      }
      const timeout = text('timeout');
      const result: unknown = await job.result(timeout === undefined ? {} : { timeout });
      const answer = values['json'] ? { id: job.id, result } : (result ?? null);
      process.stdout.write(`${JSON.stringify(answer)}\n`);
      return 0;
    } catch (error) {
      if (error instanceof JobFailedError && values['verbose']) {
        process.stderr.write(`${(error.cause as Error).stack}\n`);
      }
      throw error;
    } finally {
      await queue.close();
    }
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
