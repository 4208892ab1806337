/** `minq workers`: who works, on what, and how well. */
import { isSilent, readWorkers, type WorkerInfo } from '../views/inspector.ts';
import type { Command } from './command.ts';
import { bytes, number, span } from './figures.ts';
import { namedQueues, storesOf, withConnection } from './redis.ts';
import { table } from './table.ts';
import { columns, print, printJson } from './terminal.ts';

const CALL_TIMEOUT_MS = 5_000;
/** An event loop that was blocked longer ago is not mentioned. */
const BLOCKED_LATELY_MS = 3_600_000;

type Listed = WorkerInfo & { queue: string; silent: boolean };

export const workers: Command = {
  help: `Usage: minq workers [options]

Shows the workers that gave a sign of life in the last minute: how many of their slots are taken, how late timers are
on their event loop (99th percentile), their memory, when they were heard of last, their versions, and what they run.

  --queue name       a queue; may be repeated (default: all that workers have worked on)
  --json             print JSON: { at, workers }
`,
  options: { queue: { type: 'string', multiple: true } },
  positionals: [0, 0],
  async run(values) {
    const named = namedQueues(values);
    return withConnection(CALL_TIMEOUT_MS, async (connection) => {
      const stores = await storesOf(connection, named);
      const found = await Promise.all(stores.map((store) => readWorkers(store)));
      const at = await stores[0]!.now();
      const listed = found.flatMap((each, i) =>
        each
          .toSorted((a, b) => a.startedAt - b.startedAt)
          .map((worker) => ({
            queue: stores[i]!.queue,
            silent: isSilent(worker, at),
            ...worker,
          })),
      );
      if (values['json']) printJson({ at, workers: listed });
      else if (listed.length > 0) print(...describe(listed, at));
      else print(`no worker on ${stores.map(({ queue }) => `queue ${queue}`).join(', ')}`);
      return 0;
    });
  },
};

function describe(listed: Listed[], now: number): string[] {
  const width = columns();
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
    ...table(heads, rows, { width, cut: ['HOST', 'QUEUE'] }),
    ...listed.flatMap((worker) => blockedOf(worker, now)),
    ...describeRunning(listed, now, width),
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

/** What was said with the last sign of life; those that run longest come first. */
function describeRunning(listed: Listed[], now: number, width: number): string[] {
  const rows = listed
    .flatMap(({ id, seenAt, running }) =>
      running.map((job) => ({ ...job, worker: id, ms: job.sinceMs + now - seenAt })),
    )
    .toSorted((a, b) => b.ms - a.ms)
    .map(({ id, fn, worker, ms }) => [span(ms), fn, id, worker]);
  if (rows.length === 0) return [];
  const lines = table(['RUNS', 'FUNCTION', 'JOB', 'WORKER'], rows, { width, cut: ['FUNCTION'] });
  const unnamed = listed.reduce((sum, { busy, running }) => sum + busy - running.length, 0);
  return ['', ...lines, ...(unnamed > 0 ? [`and ${number(unnamed)} more`] : [])];
}
