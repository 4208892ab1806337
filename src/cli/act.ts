/** The commands that change something. What can't be undone is asked for first. */
import { createInterface } from 'node:readline';
import { InvalidArgumentError, ResultNotFoundError } from '../job/errors.ts';
import { escapeControls } from '../job/log.ts';
import type { Queue } from '../queue/queue.ts';
import type { JobInfo } from '../views/inspector.ts';
import { json, QUEUE, QUEUE_OF, type Command, type Given } from './command.ts';
import { jobsOf, limitText, number } from '../views/figures.ts';
import { withQueue, withQueueOf } from './redis.ts';
import { print, printJson } from './terminal.ts';

/** What became of it: a line, or with `--json` the fields. */
export interface Outcome {
  done: boolean;
  says: string;
  fields: object;
}

export const did = (says: string, fields: object): Outcome => ({ done: true, says, fields });
/** There was nothing to do it to, or it was not wanted after all. */
export const didNot = (says: string, fields: object): Outcome => ({ done: false, says, fields });
export const unwanted = (fields: object): Outcome => didNot('nothing was done', fields);

/** @param id of the job it is about, which may be on any queue */
export function act(
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
export function checkYes(given: Given, what: string): void {
  if (given.has('yes') || (process.stdin.isTTY && process.stderr.isTTY)) return;
  throw new InvalidArgumentError(
    `${what} can't be undone, and nobody can be asked here; give --yes`,
  );
}

/** Asks on the terminal, unless `--yes` has answered. */
export async function agreed(
  given: Given,
  question: () => string | Promise<string>,
): Promise<boolean> {
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

export const YES = "  --yes              don't ask; needed where nobody can be asked\n";

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
