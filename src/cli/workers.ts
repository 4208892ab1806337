/** `minq workers`: who works, on what, and how well. */
import { ofEach } from '../views/each.ts';
import { isSilent, readWorkers, type WorkerInfo } from '../views/inspector.ts';
import { InvalidArgumentError } from '../job/errors.ts';
import { tellWorkers, type WorkerOrder } from '../queue/control.ts';
import type { Store } from '../store/store.ts';
import { json, QUEUES, type Command, type Given } from './command.ts';
import { bytes, number, span } from '../views/figures.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { show, table } from './terminal.ts';

/** An event loop that was blocked longer ago is not mentioned. */
const BLOCKED_LATELY_MS = 3_600_000;

type Listed = WorkerInfo & { queue: string; silent: boolean };

export const workers: Command = {
  help: `Usage: minq workers [ping | stop <id> | set <id>] [options]

Shows the workers that gave a sign of life in the last minute: how many of their slots are taken, how late timers are
on their event loop (99th percentile), their memory, when they were heard of last, their versions, what they run, and
with --functions which functions they know. With ping asks whether they are there; with stop, one stops as for SIGTERM;
with set, it takes another number of jobs at once until it is started again. Who doesn't answer in a second is named.

  --all              with stop and set: all of them, in place of an id
  --concurrency n    with set: how many jobs at once
  --functions        show the functions that each knows
${QUEUES}${json('{ at, workers }, or { answers: [{ queue, worker, answered }] }')}`,
  words: [0, 2],
  async run(given) {
    const [action, id] = given.words;
    const order = action === undefined ? undefined : orderOf(given, action, id);
    return withStores(given, CALL_TIMEOUT_MS, async (stores) => {
      const all = await stores();
      return order === undefined ? list(given, all) : tell(given, all, order, id);
    });
  },
};

async function list(given: Given, all: readonly Store[]): Promise<number> {
  const found = await ofEach(all, readWorkers);
  const at = await all[0]!.now();
  const listed = found.flatMap((each, i) =>
    each
      .toSorted((a, b) => a.startedAt - b.startedAt)
      .map((worker) => ({ queue: all[i]!.queue, silent: isSilent(worker, at), ...worker })),
  );
  return show(given, { at, workers: listed }, () =>
    listed.length > 0
      ? [...describe(listed, at), ...(given.has('functions') ? listed.map(functionsOf) : [])]
      : [`no worker on ${all.map(({ queue }) => `queue ${queue}`).join(', ')}`],
  );
}

const functionsOf = ({ id, functions, moreFunctions = 0 }: Listed): string =>
  `worker ${id} knows ${functions.join(', ')}${moreFunctions > 0 ? ` and ${number(moreFunctions)} more` : ''}`;

function orderOf(given: Given, action: string, id: string | undefined): WorkerOrder {
  const concurrency = given.number('concurrency');
  const wrongTarget =
    action === 'ping'
      ? id !== undefined || given.has('all')
      : given.has('all') === (id !== undefined);
  const numbered = (action === 'set') === (concurrency !== undefined);
  if (!['ping', 'stop', 'set'].includes(action) || wrongTarget || !numbered) {
    throw new InvalidArgumentError(
      `"${action}": give ping; stop <id>; or set <id> --concurrency n (--all in place of an id)`,
    );
  }
  return concurrency === undefined ? (action as 'ping' | 'stop') : { concurrency };
}

async function tell(
  given: Given,
  all: readonly Store[],
  order: WorkerOrder,
  id: string | undefined,
): Promise<number> {
  const told = await ofEach(all, async (store) => {
    const here = id === undefined || (await readWorkers(store)).some((worker) => worker.id === id);
    const answers = here ? await tellWorkers(store, order, id) : [];
    return answers.map((answer) => ({ queue: store.queue, ...answer }));
  });
  const answers = told.flat();
  const missing = answers.filter(({ answered }) => !answered).length;
  show(given, { answers }, () => {
    if (answers.length === 0)
      return [id === undefined ? 'no worker is alive' : `no worker ${id} is alive`];
    return answers.map(
      ({ queue, worker, answered }) =>
        `worker ${worker} of queue ${queue} ${answered ? 'has answered' : 'did not answer within a second'}`,
    );
  });
  return answers.length > 0 && missing === 0 ? 0 : 1;
}

function describe(listed: Listed[], now: number): string[] {
  const heads = ['WORKER', 'QUEUE', 'HOST', 'PID', 'SLOTS', 'LOOP', 'MEMORY', 'SEEN', 'MINQ', 'NODE', '']; // prettier-ignore
  const rows = listed.map((worker) => [
    worker.id,
    worker.queue,
    worker.host,
    String(worker.pid),
    `${number(worker.busy)}/${number(worker.concurrency)}`,
    span(worker.loop.p99),
    bytes(worker.memory.rss),
    `${span(now - worker.seenAt)} ago`,
    worker.version,
    worker.node,
    [...(worker.silent ? ['SILENT'] : []), ...(worker.beat ? ['cron'] : [])].join(' '),
  ]);
  return [
    ...table(heads, rows, ['HOST', 'QUEUE'], {
      less: ['NODE', 'MINQ', 'MEMORY', 'LOOP', 'PID'],
    }),
    ...listed.flatMap((worker) => blockedOf(worker, now)),
    ...describeRunning(listed, now),
  ];
}

function blockedOf({ id, blocked }: Listed, now: number): string[] {
  if (!blocked || now - blocked.at > BLOCKED_LATELY_MS) return [];
  const by = blocked.jobs.map((job) => `${job.fn} (job ${job.id})`).join(' or ');
  const ago = span(now - blocked.at);
  return [
    `worker ${id}: its event loop was blocked for ${span(blocked.ms)}, ${ago} ago${by ? `, by ${by}` : ''}`,
  ];
}

/** What they run, as they said with their last signs of life; those that run longest come first. */
export const runsOf = (workers: readonly WorkerInfo[]) =>
  workers
    .flatMap((worker) =>
      worker.running.map(({ id, fn, sinceMs }) => ({
        id,
        fn,
        since: worker.seenAt - sinceMs,
        worker,
      })),
    )
    .toSorted((a, b) => a.since - b.since);

function describeRunning(listed: Listed[], now: number): string[] {
  const runs = runsOf(listed);
  if (runs.length === 0) return [];
  const rows = runs.map(({ id, fn, since, worker }) => [span(now - since), fn, id, worker.id]);
  const unnamed = listed.reduce((sum, { busy }) => sum + busy, 0) - runs.length;
  return [
    '',
    ...table(['RUNS', 'FUNCTION', 'JOB', 'WORKER'], rows, ['FUNCTION']),
    ...(unnamed > 0 ? [`and ${number(unnamed)} more`] : []),
  ];
}
