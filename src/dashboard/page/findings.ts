/** What needs somebody: read off the figures, the worst first. */
import type { HistoryPoint, QueueSummary, WorkersReply } from './api.js';
import { ago, count, duration, plural } from './format.ts';
import { hrefOf, jobHref } from './route.ts';

export interface Finding {
  /** The same as long as it is the same finding. */
  key: string;
  bad: boolean;
  /** Queue or worker; what users wrote. */
  about: string;
  what: string;
  /** How it is mended, or why it may be so. */
  hint?: string;
  link?: { href: string; label: string };
  /** This queue may be resumed. */
  resume?: string;
}

export const SILENT_MS = 25_000;
const WAITED_LONG_MS = 60_000;
const LATELY_MS = 3_600_000;

type Worker = WorkersReply['workers'][number];

export function queueFindings(queue: QueueSummary): Finding[] {
  const { name, counts, oldestWaitingMs = 0 } = queue;
  const link = { href: hrefOf('jobs', { queue: name, state: 'queued' }), label: 'Show them' };
  const about = `Queue ${name}`;
  const found: Finding[] = [];
  if (counts.paused) {
    found.push({
      key: `paused ${name}`,
      bad: false,
      about,
      what: `is paused: nothing new starts. ${waiting(counts.queued)}`,
      resume: name,
    });
  }
  if (queue.workers === 0 && counts.queued > 0) {
    found.push({
      key: `nobody ${name}`,
      bad: true,
      about,
      what: `has no worker alive. ${waiting(counts.queued)}`,
      hint: 'Start one: npx minq worker <jobs file> --queue <name>',
      link,
    });
  } else if (oldestWaitingMs > WAITED_LONG_MS && !counts.paused) {
    const full = queue.busy >= queue.slots;
    found.push({
      key: `oldest ${name}`,
      bad: false,
      about,
      what: `is behind: the oldest job has waited for ${duration(oldestWaitingMs)}. ${waiting(counts.queued)}`,
      hint: full
        ? `All ${plural(queue.slots, 'slot')} are busy: add workers, or see what they run.`
        : 'There are free slots: see whether the workers are silent, or their event loops blocked.',
      link: full ? { href: hrefOf('workers', { queue: name }), label: 'What they run' } : link,
    });
  }
  return found;
}

const waiting = (n: number): string => (n === 1 ? '1 job waits.' : `${count(n)} jobs wait.`);

function workerFindings(worker: Worker, now: number): Finding[] {
  const about = `Worker ${worker.host}/${worker.pid}`;
  const silentMs = now - worker.seenAt;
  const link = { href: hrefOf('workers'), label: 'Workers' };
  const found: Finding[] = [];
  if (silentMs > SILENT_MS) {
    found.push({
      key: `silent ${worker.id}`,
      bad: true,
      about,
      what: `has given no sign of life for ${duration(silentMs)}.`,
      hint: `Killed, cut off from Redis, or its event loop is blocked. ${held(worker.running.length)}`,
      link,
    });
  }
  const { blocked } = worker;
  if (blocked && now - blocked.at < LATELY_MS) {
    const [job] = blocked.jobs;
    found.push({
      key: `blocked ${worker.host} ${worker.pid}`,
      bad: false,
      about,
      what: `had its event loop blocked for ${duration(blocked.ms)}, ${ago(blocked.at, now)}.`,
      hint: `All its jobs stood still. ${job ? `It was ${blocked.jobs.length > 1 ? 'one of: ' : ''}${blocked.jobs.map(({ fn }) => fn).join(', ')}` : ''}`,
      link:
        job && blocked.jobs.length === 1
          ? { href: jobHref(worker.queue, job.id), label: 'Show the job' }
          : link,
    });
  }
  return found;
}

/** Workers of one process share its event loop: it is told once, by the one that knows which job it was. */
export function workersFindings(workers: readonly Worker[], now: number): Finding[] {
  const told = new Map<string, Finding>();
  const known = workers.toSorted((a, b) => jobsNamed(a) - jobsNamed(b));
  for (const finding of known.flatMap((worker) => workerFindings(worker, now))) {
    told.set(finding.key, finding);
  }
  return [...told.values()];
}

const jobsNamed = ({ blocked }: Worker): number => blocked?.jobs.length ?? 0;

const held = (n: number): string =>
  n === 0
    ? ''
    : `The ${n === 1 ? 'job it ran is' : `${n} jobs it ran are`} taken over when the lease ends.`;

export function failureFinding(
  queue: string,
  history: readonly HistoryPoint[],
  now: number,
): Finding[] {
  let failed = 0;
  let ended = 0;
  for (const point of history) {
    if (now - point.at > LATELY_MS) continue;
    failed += point.failed;
    ended += point.failed + point.completed;
  }
  if (failed === 0) return [];
  return [
    {
      key: `failed ${queue}`,
      bad: true,
      about: `Queue ${queue}`,
      what: `had ${plural(failed, 'failure')} in the last hour, of ${plural(ended, 'job')} that ended.`,
      link: { href: hrefOf('jobs', { queue, state: 'failed' }), label: 'Why' },
    },
  ];
}
