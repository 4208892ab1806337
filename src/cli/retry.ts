/** `minq retry` and `minq purge`: one job, all of a state, or those that are wanted. */
import { InvalidArgumentError } from '../job/errors.ts';
import type { JobState } from '../job/job.ts';
import type { Queue } from '../queue/queue.ts';
import { jobsOf } from '../views/figures.ts';
import type { JobFilter } from '../views/inspector.ts';
import { act, agreed, checkYes, did, didNot, unwanted, YES, type Outcome } from './act.ts';
import { json, QUEUE, type Command, type Given } from './command.ts';

const PURGEABLE = ['queued', 'scheduled', 'completed', 'failed', 'cancelled'] as const;

export const purge: Command = {
  help: `Usage: minq purge <state> [options]

Removes all jobs of one state without a trace, or some of them: queued, scheduled, completed, failed or cancelled.
Asks first.

  --fn name          only those of this function
  --error text       only those whose error (name, message or stack) has this text in it
  --kind text        only those with this kind of error, as minq errors shows it
${YES}${QUEUE}${json('{ done, count }')}`,
  words: [1, 1],
  async run(given) {
    const [word] = given.words;
    const state = PURGEABLE.find((each) => each === word);
    if (!state) {
      throw new InvalidArgumentError(
        `state: ${JSON.stringify(word)} can't be purged; give one of ${PURGEABLE.join(', ')}`,
      );
    }
    checkYes(given, 'purge');
    const wanted = wantedOf(given);
    return act(given, async (queue) => {
      const where = `queue ${queue.name}${described(wanted)}`;
      const question = async () =>
        `Remove ${jobsOf(await countOf(queue, state, wanted), state)} of ${where} for good?`;
      if (!(await agreed(given, question))) return unwanted({ count: 0 });
      const count = await queue.purge(state, wanted);
      return count > 0
        ? did(`${jobsOf(count, state)} removed from ${where}`, { count })
        : didNot(`there are no ${state} jobs on ${where}`, { count });
    });
  },
};

export const retry: Command = {
  help: `Usage: minq retry <id> | --all [options]

Runs a failed or cancelled job again, with all its attempts; with --all, all failed ones there are. --all asks
first. Steps of a flow that failed only because of it wait for their turn again.

  --all              all failed jobs
  --fn name          with --all: only those of this function
  --error text       with --all: only those whose error (name, message or stack) has this text in it
  --kind text        with --all: only those with this kind of error, as minq errors shows it
${YES}${QUEUE}${json('{ done, id, state, revived, forgotten } or { done, count }')}`,
  words: [0, 1],
  async run(given) {
    const [id] = given.words;
    const wanted = wantedOf(given);
    if (given.has('all') === (id !== undefined)) {
      throw new InvalidArgumentError('give either the id of a job, or --all');
    }
    if (id === undefined) {
      checkYes(given, 'retry --all');
      return act(given, (queue) => retryAll(queue, wanted, given));
    }
    if (isFilter(wanted)) throw new InvalidArgumentError('--fn, --error and --kind go with --all');
    return act(given, (queue) => retryOne(queue, id), id);
  },
};

async function retryOne(queue: Queue, id: string): Promise<Outcome> {
  const retried = await queue.retry(id);
  if (retried) {
    const steps = `${retried.revived} steps of its flow wait for it again`;
    const rest = retried.forgotten
      ? '; the steps after it stay failed, for one of them, or a result they need, is kept no more'
      : retried.revived > 0
        ? `; ${retried.revived === 1 ? '1 step of its flow waits for it again' : steps}`
        : '';
    return did(`job ${id} is queued again${rest}`, { id, state: 'queued', ...retried });
  }
  const { state, failedStep } = await queue.job(id).info();
  const why =
    failedStep !== undefined
      ? `never had its turn, for step ${failedStep} of its flow failed; retry that one`
      : state === 'cancelled'
        ? 'was cancelled before its turn in its flow came; enqueue the flow again'
        : `is ${state}; only failed and cancelled jobs are run again`;
  return didNot(`job ${id} ${why}`, { id, state });
}

async function retryAll(queue: Queue, wanted: JobFilter, given: Given): Promise<Outcome> {
  const where = `queue ${queue.name}${described(wanted)}`;
  const question = async () =>
    `Run ${jobsOf(await countOf(queue, 'failed', wanted), 'failed')} of ${where} again?`;
  if (!(await agreed(given, question))) return unwanted({ count: 0 });
  const count = await queue.retryAll(wanted);
  return count > 0
    ? did(`${jobsOf(count)} queued again`, { count })
    : didNot(`no failed job on ${where} can be run again`, { count });
}

const wantedOf = (given: Given): JobFilter => ({
  fn: given.text('fn'),
  error: given.text('error'),
  kind: given.text('kind'),
});

const isFilter = (wanted: JobFilter): boolean =>
  Object.values(wanted).some((each) => each !== undefined);

function described({ fn, error, kind }: JobFilter): string {
  const ofFunction = fn === undefined ? '' : `, of function ${fn}`;
  const withError = error === undefined ? '' : `, with ${JSON.stringify(error)} in the error`;
  return `${ofFunction}${withError}${kind === undefined ? '' : `, of the kind ${JSON.stringify(kind)}`}`;
}

async function countOf(queue: Queue, state: JobState, wanted: JobFilter): Promise<number> {
  if (!isFilter(wanted)) return (await queue.counts())[state];
  let count = 0;
  let next: number | undefined = 0;
  while (next !== undefined) {
    const found = await queue.find(state, { ...wanted, offset: next, limit: 1_000 });
    count += found.jobs.length;
    next = found.next;
  }
  return count;
}
