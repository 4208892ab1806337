/** The replies of `GET api/...`: each is bounded, and so is the work for it, however much a queue holds. */
import { outlineOf, statesOf } from '../flow/outline.ts';
import { ofEach } from '../views/each.ts';
import { together } from '../views/findings.ts';
import type { ScheduleInfo } from '../cron/schedules.ts';
import { nextTick } from '../cron/times.ts';
import { kindOf, type FailureGroup } from '../views/failures.ts';
import { isSilent, orUnreadable, type JobInfo, type WorkerInfo } from '../views/inspector.ts'; // prettier-ignore
import { STATES } from '../job/job.ts';
import { checkJobId } from '../job/names.ts';
import type { Operator } from '../queue/operator.ts';
import { timesOf, type FunctionTimes } from '../views/statistics.ts';
import { BOUNDS_MS } from '../store/buckets.ts';
import { VERSION } from '../job/version.ts';
import { Refusal } from './answer.ts';
import { IN_ROW, type InRow } from './api.ts';
import type {
  CronReply,
  FailureKind,
  FailuresReply,
  FindingsReply,
  FindReply,
  JobReply,
  JobRow,
  JobsReply,
  LatelyReply,
  QueueReply,
  QueuesReply,
  QueueSummary,
  WorkersReply,
} from './api.ts';
import { cutBytes, cutCharacters, errorGlance, errorText, glance, metaTexts, pretty, type Redact } from './excerpt.ts'; // prettier-ignore
import { keyOf, type Kinds } from './kinds.ts';
import type { Queues } from './queues.ts';

export interface Source {
  queues: Queues;
  kinds: Kinds;
  redact: Redact;
  readOnly: boolean;
}

type Reply = (source: Source, query: URLSearchParams) => Promise<object>;

const PAGE = 50;
const LARGEST_PAGE = 100;
/** Of those that are shown of one queue, the busiest. */
const MOST_FUNCTIONS = 100;
const MOST_WORKERS = 100;
/** Jobs of all workers together; but five of each at least. */
const MOST_RUNNING = 500;
const MOST_ENTRIES = 200;
const MOST_FINDINGS = 100;
const MOST_KINDS = 100;
/** Of each earlier attempt, in bytes of message and of stack. */
const PAST_ERROR = 2_000;

/** By name: `GET api/<name>`. */
export const REPLIES: Record<string, Reply> = {
  queues: async ({ queues, readOnly }): Promise<QueuesReply> => ({
    version: VERSION,
    readOnly,
    queues: await ofEach(await queues.all(), (queue) => summaryOf(queue)),
  }),

  queue: async ({ queues }, query): Promise<QueueReply> => {
    const queue = await queues.get(text(query, 'queue'));
    const span = oneOf(query, 'span', ['hour', 'day'] as const, 'hour');
    const asked = queue.workers();
    const [summary, history, functions, workers, now] = await Promise.all([
      summaryOf(queue, asked),
      queue.history(span),
      queue.functions('lately'),
      asked,
      queue.now(),
    ]);
    const rows = functions
      .map((each) => ({ ...timesOf(each), waits: each.wait.counts, runs: each.run.counts }))
      .sort((a, b) => runsOf(b) - runsOf(a));
    return {
      ...summary,
      history,
      functions: rows.slice(0, MOST_FUNCTIONS),
      bounds: BOUNDS_MS,
      starts: workers.slice(0, MOST_WORKERS).map(({ startedAt }) => startedAt),
      now,
    };
  },

  lately: async ({ queues }): Promise<LatelyReply> => ({
    queues: await ofEach(await queues.all(), async (queue) => ({
      name: queue.name,
      ...(await queue.lately()),
    })),
  }),

  failures: async ({ queues, kinds, redact }, query): Promise<FailuresReply> => {
    const name = text(query, 'queue');
    const asked = name === undefined ? await queues.all() : [await queues.get(name)];
    const [all, now] = await Promise.all([kinds.all(asked), asked[0]!.now()]);
    const groups = all.flatMap((each) => each.groups).sort((a, b) => b.count - a.count);
    return {
      kinds: groups.slice(0, MOST_KINDS).map((group) => kindShown(group, redact)),
      looked: all.reduce((sum, each) => sum + each.looked, 0),
      caused: all.reduce((sum, each) => sum + each.caused, 0),
      now,
    };
  },

  find: async ({ queues }, query): Promise<FindReply> => {
    const id = checkJobId(text(query, 'id'));
    const all = await queues.all();
    const known = await ofEach(all, (queue) => queue.knows(id));
    return { queues: all.filter((_, i) => known[i]).map(({ name }) => name) };
  },

  jobs: async ({ queues, kinds, redact }, query): Promise<JobsReply> => {
    const queue = await queues.get(text(query, 'queue'));
    const state = oneOf(query, 'state', STATES);
    const key = text(query, 'kind');
    const filter = {
      fn: text(query, 'fn'),
      error: text(query, 'error'),
      args: text(query, 'args'),
      ...(key !== undefined && (await kinds.find(queue, key))),
    };
    const offset = number(query, 'offset', 0, 0, 1_000_000_000);
    const limit = number(query, 'limit', PAGE, 1, LARGEST_PAGE);
    const [found, counts, now] = await Promise.all([
      queue.page(state, { ...filter, offset, limit }),
      queue.counts(),
      queue.now(),
    ]);
    const total = counts[state];
    const filtered = Object.values(filter).some((each) => each !== undefined);
    const atEnd = !filtered && (found.jobs.length === 0 || offset + limit >= total);
    return {
      jobs: found.jobs.map((job) => jobRow(redact(job))),
      total,
      next: atEnd ? undefined : found.next,
      now,
    };
  },

  job: async ({ queues, redact }, query): Promise<JobReply> => {
    const queue = await queues.get(text(query, 'queue'));
    const handle = queue.job(checkJobId(text(query, 'id')));
    const [info, now] = await Promise.all([handle.info(), queue.now()]);
    const [workers, flow] = await Promise.all([
      info.state === 'active' ? queue.workers() : [],
      info.flow && orUnreadable(handle.flow()),
    ]);
    const worker = workers.flatMap((one) => placeIn(one, info.id))[0];
    return {
      ...jobDetail(redact(info)),
      worker,
      flow: flow && {
        id: info.flow!.id,
        ...(typeof flow === 'object'
          ? {
              outline: outlineOf(flow.root, info.id, query.has('all')),
              states: statesOf(flow.steps),
            }
          : { outline: flow }),
      },
      now,
    };
  },

  workers: async ({ queues }): Promise<WorkersReply> => {
    const { now, list } = await fromAll(queues, async (queue) =>
      (await queue.workers()).map((worker) => ({ ...worker, queue: queue.name })),
    );
    const workers = list.slice(0, MOST_WORKERS);
    const most = Math.max(5, Math.floor(MOST_RUNNING / workers.length));
    return {
      workers: workers.map((worker) => ({
        ...worker,
        running: worker.running.slice(0, most),
        silent: isSilent(worker, now),
      })),
      now,
    };
  },

  findings: async ({ queues }): Promise<FindingsReply> => {
    const ofQueues = await ofEach(await queues.all(), (queue) => queue.findings());
    const all = together([await queues.strays(), ...ofQueues]);
    const findings = [
      ...all.filter(({ ok }) => !ok),
      ...all.filter(({ ok, warning }) => ok && warning),
    ];
    return { findings: findings.slice(0, MOST_FINDINGS) };
  },

  cron: async ({ queues, redact }): Promise<CronReply> => {
    const { now, list } = await fromAll(queues, async (queue) =>
      (await queue.schedules()).slice(0, MOST_ENTRIES).map(({ args, ...entry }) => ({
        ...entry,
        queue: queue.name,
        later: ticksAfter(entry),
        args: glance(redact(jobOf(entry, args, queue.name)).args),
      })),
    );
    return { entries: list.slice(0, MOST_ENTRIES), now };
  },
};

/** The text of the kind too is told as the hook leaves it. */
function kindShown({ example, ...group }: FailureGroup, redact: Redact): FailureKind {
  const { fn, queue } = group;
  const [, name = 'Error', message = ''] = /^([^:]*)(?:: (.*))?$/s.exec(example.error) ?? [];
  const job = {
    ...BARE,
    id: example.id,
    queue,
    fn,
    state: 'failed',
    error: { name, message },
  } as const;
  const { error } = redact({ ...job, args: [] });
  const kind = error ? kindOf(error) : WITHHELD;
  return {
    ...group,
    key: keyOf(group),
    id: example.id,
    kind: cutCharacters(kind === kindOf(job.error) ? group.kind : kind, 300).text,
    error: error ? errorGlance(error) : { text: WITHHELD, cut: 0 },
  };
}

const WITHHELD = '(withheld)';

/** Of ticks after the next one, so many are told. */
const MOST_TICKS = 3;

function ticksAfter({
  cron,
  timezone,
  every,
  nextAt,
  untilAt = Infinity,
  paused,
  times,
}: Omit<ScheduleInfo, 'args'>): number[] {
  const ticks: number[] = [];
  if (paused || times !== undefined) return ticks;
  const when = cron === undefined ? { every: every! } : { cron, timezone: timezone ?? 'UTC' };
  for (let at = nextAt; at !== undefined && ticks.length < MOST_TICKS;) {
    at = nextTick(when, at);
    if (at === undefined || at > untilAt) break;
    ticks.push(at);
  }
  return ticks;
}

/** What each queue has of it, and Redis's clock. */
async function fromAll<T>(queues: Queues, read: (queue: Operator) => Promise<T[]>) {
  const all = await queues.all();
  const [now, lists] = await Promise.all([all[0]!.now(), ofEach(all, read)]);
  return { list: lists.flat(), now };
}

async function summaryOf(queue: Operator, asked = queue.workers()): Promise<QueueSummary> {
  const [counts, oldestWaitingMs, workers, stats] = await Promise.all([
    queue.counts(),
    queue.oldestWaitingMs(),
    asked,
    queue.stats(),
  ]);
  return {
    name: queue.name,
    counts,
    oldestWaitingMs,
    workers: workers.length,
    slots: workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
    busy: workers.reduce((sum, { busy }) => sum + busy, 0),
    stats,
  };
}

const runsOf = ({ completed, failed, retried }: FunctionTimes) => completed + failed + retried;

function jobRow(job: JobInfo): JobRow {
  const { args, error, progress } = job;
  return {
    ...(Object.fromEntries(IN_ROW.map((name) => [name, job[name]])) as Pick<JobInfo, InRow>),
    args: glance(args),
    error: error && errorGlance(error),
    progress: progress === undefined ? undefined : glance(progress),
  };
}

function jobDetail(shown: JobInfo): Pick<JobReply, 'job' | 'attempts'> {
  const { args, result, progress, error, attempts = [], meta, log, ...rest } = shown;
  return {
    job: {
      ...rest,
      meta: metaTexts(meta),
      args: pretty(args),
      result: result === undefined ? undefined : pretty(result),
      progress: progress === undefined ? undefined : pretty(progress),
      error: error && errorText(error),
      log: log === undefined ? undefined : cutBytes(log),
    },
    attempts: attempts.map((attempt) => ({
      ...attempt,
      error: errorText(attempt.error, PAST_ERROR),
    })),
  };
}

const placeIn = ({ id, host, pid, seenAt, running }: WorkerInfo, job: string) =>
  running
    .filter((run) => run.id === job)
    .map((run) => ({ id, host, pid, since: seenAt - run.sinceMs }));

/** What the next tick of an entry enqueues, for the hook that knows jobs only. */
const jobOf = (
  { name, fn }: { name: string; fn: string },
  args: readonly unknown[],
  queue: string,
): JobInfo => ({ ...BARE, id: `cron:${name}`, queue, state: 'scheduled', fn, args: [...args] });

const BARE = { attempt: 1, priority: 'normal', meta: {}, enqueuedAt: undefined } as const;

// ---- Parameters of the query ---------------------------------------------------------------------

const LONGEST_TEXT = 1_000;

function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name) ?? '';
  if (value.length > LONGEST_TEXT) {
    throw new Refusal(400, `${name}: longer than ${LONGEST_TEXT} characters`);
  }
  return value === '' ? undefined : value;
}

function oneOf<const T extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly T[],
  otherwise?: T,
): T {
  const value = text(query, name) ?? otherwise;
  if (words.includes(value as T)) return value as T;
  throw new Refusal(400, `${name}: give one of ${words.join(', ')}`);
}

function number(
  query: URLSearchParams,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const value = text(query, name) ?? String(otherwise);
  if (/^\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max)
    return Number(value);
  throw new Refusal(400, `${name}: give a whole number from ${min} to ${max}`);
}
