/** `minq retry <id>`, `minq retry --all`: runs failed jobs again. */
import type { JobFilter, JobInfo } from '../views/inspector.ts';
import type { Queue } from '../queue/queue.ts';
import { agreed, checkYes, done, notDone, unwanted, YES } from './acting.ts';
import type { Command, Values } from './command.ts';
import { jobsOf } from './figures.ts';
import { withQueue } from './redis.ts';
import { findTarget, unknownOn } from './target.ts';
import { UsageError } from './usage.ts';

export const retry: Command = {
  help: `Usage: minq retry <id> | --all [options]

Runs a failed or cancelled job again, with all its attempts; with --all, all failed ones there are. --all asks first.

  --all              all failed jobs
  --fn name          with --all: only those of this function
  --error text       with --all: only those whose error (name, message or stack) has this text in it
  --yes              don't ask; needed where nobody can be asked
  --queue name       the queue (default: default)
  --json             print JSON: { done, id, state } or { done, count }
`,
  options: {
    all: { type: 'boolean' },
    fn: { type: 'string' },
    error: { type: 'string' },
    queue: { type: 'string' },
    ...YES,
  },
  positionals: [0, 1],
  async run(values, [id]) {
    const all = values['all'] === true;
    const wanted = {
      fn: values['fn'] as string | undefined,
      error: values['error'] as string | undefined,
    };
    if (all === (id !== undefined)) throw new UsageError('give either the id of a job, or --all');
    if (!all && (wanted.fn ?? wanted.error) !== undefined) {
      throw new UsageError('--fn and --error go with --all');
    }
    if (all) checkYes(values, 'retry --all');
    return withQueue(values, (queue) =>
      all ? retryAll(queue, wanted, values) : retryOne(queue, id!, values),
    );
  },
};

async function retryOne(queue: Queue, id: string, values: Values): Promise<number> {
  if (await queue.retry(id)) {
    return done(values, `job ${id} is queued again`, { id, state: 'queued' });
  }
  const info = await findTarget(queue, id);
  return info
    ? notDone(values, refusal(info), { id, state: info.state })
    : notDone(values, unknownOn(queue, id), { id });
}

function refusal({ id, state, failedStep }: JobInfo): string {
  if (failedStep !== undefined) {
    return `job ${id} never had its turn, for step ${failedStep} of its flow failed; enqueue the flow again`;
  }
  if (state === 'cancelled') {
    return `job ${id} was cancelled before its turn in its flow came; enqueue the flow again`;
  }
  return `job ${id} is ${state}; only failed and cancelled jobs are run again`;
}

async function retryAll(queue: Queue, wanted: JobFilter, values: Values): Promise<number> {
  const which = describe(wanted);
  const question = async () =>
    `Run ${jobsOf(await countFailed(queue, wanted), 'failed')} of queue ${queue.name}${which} again?`;
  if (!(await agreed(values, question))) return unwanted(values, { count: 0 });
  const count = await queue.retryAll(wanted);
  return count > 0
    ? done(values, `${jobsOf(count)} queued again`, { count })
    : notDone(values, `no failed job on queue ${queue.name}${which} can be run again`, { count });
}

const describe = ({ fn, error }: JobFilter): string =>
  (fn === undefined ? '' : `, of function ${fn}`) +
  (error === undefined ? '' : `, with ${JSON.stringify(error)} in the error`);

async function countFailed(queue: Queue, wanted: JobFilter): Promise<number> {
  if (wanted.fn === undefined && wanted.error === undefined) return (await queue.counts()).failed;
  let count = 0;
  let next: number | undefined = 0;
  while (next !== undefined) {
    const found = await queue.find('failed', { ...wanted, offset: next, limit: 1_000 });
    count += found.jobs.length;
    next = found.next;
  }
  return count;
}
