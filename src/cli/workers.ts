/** `minq workers`: who works, on what, and how well. */
import { ofEach } from '../views/each.ts';
import { isSilent, readWorkers, type WorkerInfo } from '../views/inspector.ts';
import { json, QUEUES, type Command } from './command.ts';
import { bytes, number, span } from '../views/figures.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { show, table } from './terminal.ts';

/** An event loop that was blocked longer ago is not mentioned. */
const BLOCKED_LATELY_MS = 3_600_000;

type Listed = WorkerInfo & { queue: string; silent: boolean };

export const workers: Command = {
  help: `Usage: minq workers [options]

Shows the workers that gave a sign of life in the last minute: how many of their slots are taken, how late timers are
on their event loop (99th percentile), their memory, when they were heard of last, their versions, and what they run.

${QUEUES}${json('{ at, workers }')}`,
  run: (given) =>
    withStores(given, CALL_TIMEOUT_MS, async (stores) => {
      const all = await stores();
      const found = await ofEach(all, readWorkers);
      const at = await all[0]!.now();
      const listed = found.flatMap((each, i) =>
        each
          .toSorted((a, b) => a.startedAt - b.startedAt)
          .map((worker) => ({ queue: all[i]!.queue, silent: isSilent(worker, at), ...worker })),
      );
      return show(given, { at, workers: listed }, () =>
        listed.length > 0
          ? describe(listed, at)
          : [`no worker on ${all.map(({ queue }) => `queue ${queue}`).join(', ')}`],
      );
    }),
};

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
    ...table(heads, rows, ['HOST', 'QUEUE']),
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
