/** `minq jobs <state>`: the jobs of one state, a page at a time. */
import { UNREADABLE } from '../job/codec.ts';
import type { FoundJobs, JobInfo } from '../views/inspector.ts';
import { errorLine } from '../job/failure.ts';
import type { JobState } from '../job/job.ts';
import type { Queue } from '../queue/queue.ts';
import { json, QUEUE, type Command, type Given } from './command.ts';
import { jobsOf, number, span } from '../views/figures.ts';
import { withQueue } from './redis.ts';
import { quoted, show, table } from './terminal.ts';
import { runsOf } from './workers.ts';

/** Longest argument or error shown, in characters; whole with `--json`. */
const MOST_TEXT = 200;

export const jobs: Command = {
  help: `Usage: minq jobs <state> [options]

Shows the jobs of one state: queued, scheduled, active, waiting (for the steps of a flow before them), completed,
failed or cancelled. Those that come next or ended last come first.

  --fn name          only jobs of this function
  --error text       only jobs whose error (name, message or stack) has this text in it, in whatever case
  --kind text        only jobs with this kind of error, as minq errors shows it
  --args text        only jobs with this text in their arguments, as JSON; looks at 1,000 jobs a page
  --offset n         how many to leave out (default 0)
  --limit n          how many to show, 1 to 1,000 (default 100)
${QUEUE}${json('{ total, next, jobs }, values in full; next: the offset of the next page, or null')}
Looks through at most 5,000 jobs for a page: with --fn or --error it may be short and yet not the last one.
`,
  words: [1, 1],
  async run(given) {
    const state = given.words[0] as JobState; // `find` says what is wrong with it
    const offset = given.number('offset') ?? 0;
    const wanted = {
      fn: given.text('fn'),
      error: given.text('error'),
      kind: given.text('kind'),
      args: given.text('args'),
      limit: given.number('limit') ?? 100,
    };
    return withQueue(given, async (queue) => {
      const [found, counts, now, workers] = await Promise.all([
        queue.find(state, { ...wanted, offset }),
        queue.counts(),
        queue.now(),
        state === 'active' ? queue.workers() : [],
      ]);
      const total = counts[state];
      const next = await nextOf(queue, state, found, total);
      return show(given, { total, next: next ?? null, jobs: found.jobs }, () => {
        const when = WHEN[state] ?? 'ENDED';
        const failed = found.jobs.some(({ error, reason }) => error ?? reason);
        const heads = ['ID', 'FUNCTION', 'ARGUMENTS', 'ATTEMPT', when];
        if (failed) heads.push('ERROR');
        const running = new Map(runsOf(workers).map(({ id, since }) => [id, since]));
        const rows = found.jobs.map((job) => {
          const { id, fn = UNREADABLE, args, attempt, dueAt, endedAt, enqueuedAt } = job;
          const at = state === 'active' ? running.get(id) : (dueAt ?? endedAt ?? enqueuedAt);
          const time = timeOf(at, now, when);
          const row = [id, fn, short(JSON.stringify(args)), String(attempt), time, errorOf(job)];
          return row.slice(0, heads.length);
        });
        const part =
          Object.values({ ...wanted, limit: undefined }).some((each) => each !== undefined) ||
          offset > 0;
        const shown = rows.length;
        return [
          ...table(heads, rows, ['FUNCTION', 'ARGUMENTS', 'ERROR'], {
            bad: ['ERROR'],
            less: ['ATTEMPT', when],
          }),
          ...(shown > 0 ? [''] : []),
          part || shown < total
            ? `${number(shown)} shown; ${jobsOf(total, state)} in all on queue ${queue.name}`
            : `${jobsOf(total, state)} on queue ${queue.name}`,
          ...(next === undefined ? [] : [`next page: ${commandOf(state, given, next)}`]),
        ];
      });
    });
  },
};

/** A full page may have been the last one. */
async function nextOf(queue: Queue, state: JobState, { next }: FoundJobs, total: number) {
  if (next === undefined || next < total) return next;
  const { jobs: more } = await queue.find(state, { offset: next, limit: 100 });
  return more.length > 0 ? next : undefined;
}

/** What is said of the time; of jobs that are over, when they ended. */
const WHEN: Partial<Record<JobState, string>> = {
  waiting: 'WAITS',
  queued: 'WAITS',
  scheduled: 'DUE',
  active: 'RUNS',
};

function timeOf(at: number | undefined, now: number, when: string): string {
  if (at === undefined) return '-';
  if (at > now) return `in ${span(at - now)}`;
  return ['WAITS', 'RUNS'].includes(when) ? span(now - at) : `${span(now - at)} ago`;
}

function errorOf({ error, reason = '' }: JobInfo): string {
  return error ? short(errorLine(error)) : reason;
}

const short = (text: string): string =>
  text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT - 1)}…` : text;

/** The same again, from `next` on; fit for a shell. */
function commandOf(state: JobState, given: Given, next: number): string {
  const options = ['queue', 'fn', 'error', 'kind', 'args', 'limit'].flatMap((name) => {
    const value = given.text(name);
    return value === undefined ? [] : [`--${name} ${quoted(value)}`];
  });
  return ['minq jobs', state, ...options, `--offset ${next}`].join(' ');
}
