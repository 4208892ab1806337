/** The commands that change something. What can't be undone is asked for first. */
import { createInterface } from 'node:readline';
import { InvalidArgumentError, ResultNotFoundError } from '../job/errors.ts';
import { escapeControls } from '../job/log.ts';
import type { Queue } from '../queue/queue.ts';
import type { JobFilter, JobInfo } from '../views/inspector.ts';
import { json, QUEUE, QUEUE_OF, type Command, type Given } from './command.ts';
import { jobsOf, limitText, number } from '../views/figures.ts';
import { withQueue, withQueueOf } from './redis.ts';
import { print, printJson } from './terminal.ts';

/** What became of it: a line, or with `--json` the fields. */
interface Outcome {
  done: boolean;
  says: string;
  fields: object;
}

const did = (says: string, fields: object): Outcome => ({ done: true, says, fields });
/** There was nothing to do it to, or it was not wanted after all. */
const didNot = (says: string, fields: object): Outcome => ({ done: false, says, fields });
const unwanted = (fields: object): Outcome => didNot('nothing was done', fields);

/** @param id of the job it is about, which may be on any queue */
function act(
  given: Given,
  action: (queue: Queue) => Promise<Outcome>,
  id?: string,
): Promise<number> {
  const withOne = id === undefined ? withQueue : withQueueOf(id);
  return withOne(given, async (queue) => {
    const unknown = (error: unknown) => didNotFind(queue, error);
    const { done, says, fields } = await action(queue).catch(unknown);
    if (given.json) printJson({ done, ...fields, ...(!done && { why: says }) });
    else if (done) print(says);
    else process.stderr.write(`minq: ${escapeControls(says)}\n`);
    return done ? 0 : 1;
  });
}

function didNotFind({ name }: Queue, error: unknown): Outcome {
  if (!(error instanceof ResultNotFoundError)) throw error;
  const { id } = error;
  const why = 'never enqueued, removed, or no longer kept';
  return didNot(`job ${id} is unknown on queue ${name}: ${why}`, { id });
}

/**
 * To be called before anything is looked at: where nobody can be asked, `--yes` must be there.
 * @throws {InvalidArgumentError}
 */
function checkYes(given: Given, what: string): void {
  if (given.has('yes') || (process.stdin.isTTY && process.stderr.isTTY)) return;
  throw new InvalidArgumentError(
    `${what} can't be undone, and nobody can be asked here; give --yes`,
  );
}

/** Asks on the terminal, unless `--yes` has answered. */
async function agreed(given: Given, question: () => string | Promise<string>): Promise<boolean> {
  if (given.has('yes')) return true;
  const asked = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const text = escapeControls(await question());
  try {
    const answer = await new Promise<string>((resolve) => {
      asked.once('close', () => resolve('')); // the end of the input is no yes
      asked.question(`${text} [y/N] `, resolve);
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asked.close();
  }
}

/** `job 7 (sendMail, failed) of queue mail` */
const nameOf = ({ id, fn, state, queue }: JobInfo): string =>
  `job ${id} (${fn ? `${fn}, ` : ''}${state}) of queue ${queue}`;

const YES = "  --yes              don't ask; needed where nobody can be asked\n";

export const cancel: Command = {
  help: `Usage: minq cancel <id> [options]

Cancels a job: a waiting one at once, a running one within a second, by its signal. The last step of a flow takes all
the others along that wait; another step fails what comes after it. Asks first.

${YES}${QUEUE_OF}${json('{ done, id, state }')}`,
  words: [1, 1],
  async run(given) {
    const id = given.words[0]!;
    checkYes(given, 'cancel');
    return act(
      given,
      async (queue) => {
        const job = queue.job(id);
        const info = await job.info();
        const flow = info.flow ? `, a step of flow ${info.flow.id}` : '';
        const over = info.endedAt !== undefined;
        if (!over && !(await agreed(given, () => `Cancel ${nameOf(info)}${flow}?`))) {
          return unwanted({ id });
        }
        const cancelled = !over && (await job.cancel());
        const state = await job.state();
        return cancelled
          ? did(`job ${id} ${state === 'active' ? 'is told to stop' : 'is cancelled'}`, {
              id,
              state,
            })
          : didNot(`job ${id} is ${state}; there is nothing to cancel`, { id, state });
      },
      id,
    );
  },
};

export const remove: Command = {
  help: `Usage: minq remove <id> [options]

Removes a job without a trace, whatever its state, unless it is running: cancel it first. Asks first.

${YES}${QUEUE_OF}${json('{ done, id }')}`,
  words: [1, 1],
  async run(given) {
    const id = given.words[0]!;
    checkYes(given, 'remove');
    return act(
      given,
      async (queue) => {
        const info = await queue.job(id).info();
        const { state } = info;
        if (state === 'active')
          return didNot(`job ${id} is active; cancel it first`, { id, state });
        if (!(await agreed(given, () => `Remove ${nameOf(info)} for good?`)))
          return unwanted({ id });
        if (!(await queue.remove(id))) throw new ResultNotFoundError(id);
        return did(`job ${id} is removed`, { id });
      },
      id,
    );
  },
};

const PURGEABLE = ['queued', 'scheduled', 'completed', 'failed', 'cancelled'] as const;

export const purge: Command = {
  help: `Usage: minq purge <state> [options]

Removes all jobs of one state without a trace: queued, scheduled, completed, failed or cancelled. Asks first.

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
    return act(given, async (queue) => {
      const question = async () =>
        `Remove ${jobsOf((await queue.counts())[state], state)} of queue ${queue.name} for good?`;
      if (!(await agreed(given, question))) return unwanted({ count: 0 });
      const count = await queue.purge(state);
      return count > 0
        ? did(`${jobsOf(count, state)} removed from queue ${queue.name}`, { count })
        : didNot(`there are no ${state} jobs on queue ${queue.name}`, { count });
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
${YES}${QUEUE}${json('{ done, id, state, revived, forgotten } or { done, count }')}`,
  words: [0, 1],
  async run(given) {
    const [id] = given.words;
    const wanted = { fn: given.text('fn'), error: given.text('error') };
    if (given.has('all') === (id !== undefined)) {
      throw new InvalidArgumentError('give either the id of a job, or --all');
    }
    if (id === undefined) {
      checkYes(given, 'retry --all');
      return act(given, (queue) => retryAll(queue, wanted, given));
    }
    if ((wanted.fn ?? wanted.error) !== undefined) {
      throw new InvalidArgumentError('--fn and --error go with --all');
    }
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
  const { fn, error } = wanted;
  const ofFunction = fn === undefined ? '' : `, of function ${fn}`;
  const withError = error === undefined ? '' : `, with ${JSON.stringify(error)} in the error`;
  const where = `queue ${queue.name}${ofFunction}${withError}`;
  const question = async () =>
    `Run ${jobsOf(await countFailed(queue, wanted), 'failed')} of ${where} again?`;
  if (!(await agreed(given, question))) return unwanted({ count: 0 });
  const count = await queue.retryAll(wanted);
  return count > 0
    ? did(`${jobsOf(count)} queued again`, { count })
    : didNot(`no failed job on ${where} can be run again`, { count });
}

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

export const run: Command = {
  help: `Usage: minq run <id> [options]

Runs a job now that is scheduled for later, or waits for its next attempt.

${QUEUE_OF}${json('{ done, id, state }')}`,
  words: [1, 1],
  async run(given) {
    const id = given.words[0]!;
    return act(
      given,
      async (queue) => {
        if (await queue.runNow(id)) return did(`job ${id} is queued`, { id, state: 'queued' });
        const state = await queue.job(id).state();
        return didNot(`job ${id} is ${state}; only scheduled jobs can be run now`, { id, state });
      },
      id,
    );
  },
};

export const unschedule: Command = {
  help: `Usage: minq unschedule <name> [options]

Removes a cron entry; jobs it has enqueued stay. One that stands beside a function comes back when a worker starts:
minq cron pause keeps it from firing. Asks first.

${YES}${QUEUE}${json('{ done, name }')}`,
  words: [1, 1],
  async run(given) {
    const name = given.words[0]!;
    checkYes(given, 'unschedule');
    return act(given, async (queue) => {
      const question = () => `Remove cron entry ${name} of queue ${queue.name} for good?`;
      if (!(await agreed(given, question))) return unwanted({ name });
      return (await queue.unschedule(name))
        ? did(`cron entry ${name} is removed`, { name })
        : didNot(`there is no cron entry ${JSON.stringify(name)} on queue ${queue.name}`, { name });
    });
  },
};

export const pause: Command = {
  help: `Usage: minq pause [options]

No worker starts a job of the queue from now on. What runs goes on, and so does enqueueing.

${QUEUE}${json('{ done, queue, paused }')}`,
  run: (given) =>
    act(given, async (queue) => {
      await queue.pause();
      const says = `queue ${queue.name} is paused; go on with: minq resume --queue ${queue.name}`;
      return did(says, { queue: queue.name, paused: true });
    }),
};

export const resume: Command = {
  help: `Usage: minq resume [options]

Workers start jobs of the queue again.

${QUEUE}${json('{ done, queue, paused }')}`,
  run: (given) =>
    act(given, async (queue) => {
      await queue.resume();
      return did(`queue ${queue.name} goes on`, { queue: queue.name, paused: false });
    }),
};

export const limit: Command = {
  help: `Usage: minq limit [options]

Limits a queue over all its workers: how many of its jobs may begin in any such time, and how many run at once. Without
any of the options, says what the limits are.

  --rate n/t         at most n jobs begin in any time t, e.g. 100/1m
  --concurrency n    at most n jobs run at once
  --off              no limits any more
${QUEUE}${json('{ done, queue, limit }')}`,
  run(given) {
    const [rate, concurrency] = [given.text('rate'), given.number('concurrency')];
    const any = rate !== undefined || concurrency !== undefined;
    if (any && given.has('off')) throw new InvalidArgumentError('--off goes without the others');
    return act(given, async (queue) => {
      if (given.has('off')) await queue.limit(null);
      else if (any) {
        await queue.limit({
          ...(rate !== undefined && { rate }),
          ...(concurrency !== undefined && { concurrency }),
        });
      }
      const { limit: is } = await queue.counts();
      return did(`queue ${queue.name}: ${limitText(is)}`, { queue: queue.name, limit: is ?? null });
    });
  },
};

export const forget: Command = {
  help: `Usage: minq forget [options]

Removes a queue without a trace, with its ended jobs, counters and cron entries: one whose name was a mistake, or that
is used no more. Not while a worker is alive, or jobs have not ended: purge or cancel them first. Asks first.

${YES}${QUEUE}${json('{ done, queue }')}`,
  async run(given) {
    checkYes(given, 'forget');
    return act(given, async (queue) => {
      const { name } = queue;
      const question = async () => {
        const { completed, failed, cancelled } = await queue.counts();
        return `Remove queue ${name} for good, with ${jobsOf(completed + failed + cancelled, 'ended')}?`;
      };
      if (!(await agreed(given, question))) return unwanted({ queue: name });
      await queue.forget();
      return did(`queue ${name} is forgotten`, { queue: name });
    });
  },
};

export const repair: Command = {
  help: `Usage: minq repair [options]

Finds jobs that lie in no place, because a key was evicted, deleted or mended by hand, and puts them back into the
queue, each exactly once; workers and producers may go on meanwhile. minq check says how many there are.

${QUEUE}${json('{ done, repaired, left }; left: steps of flows whose turn may not have come')}`,
  run: (given) =>
    act(given, async (queue) => {
      const found = await queue.repair();
      const { repaired, left } = found;
      const where = `queue ${queue.name}`;
      const steps = `${number(left)} steps of flows can't be: cancel them, and enqueue their flows again`;
      if (left > 0) return didNot(`${jobsOf(repaired)} put back into ${where}; ${steps}`, found);
      return repaired > 0
        ? did(`${jobsOf(repaired)} put back into ${where}`, found)
        : didNot(`no job of ${where} is in limbo`, found);
    }),
};
