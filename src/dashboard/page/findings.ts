/** What needs somebody: read off the figures. */
import type { QueueReply, QueueSummary, WorkersReply } from './api.js';
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

export function queueFindings(queue: QueueSummary): Finding[] {
  const { name, counts, oldestWaitingMs = 0, workers, busy, slots } = queue;
  const { queued, paused } = counts;
  const link = { href: hrefOf('jobs', { queue: name, state: 'queued' }), label: 'Show them' };
  const about = `Queue ${name}`;
  const waiting = queued === 1 ? '1 job waits.' : `${count(queued)} jobs wait.`;
  const found: Finding[] = [];
  if (paused) {
    found.push({
      key: `paused ${name}`,
      bad: false,
      about,
      what: `is paused: nothing new starts. ${waiting}`,
      resume: name,
    });
  }
  if (workers === 0 && queued > 0) {
    found.push({
      key: `nobody ${name}`,
      bad: true,
      about,
      what: `has no worker alive. ${waiting}`,
      hint: 'Start one: npx minq worker <jobs file> --queue <name>',
      link,
    });
  } else if (oldestWaitingMs > WAITED_LONG_MS && !paused) {
    const full = busy >= slots;
    found.push({
      key: `oldest ${name}`,
      bad: false,
      about,
      what: `is behind: the oldest job has waited for ${duration(oldestWaitingMs)}. ${waiting}`,
      hint: full
        ? `All ${plural(slots, 'slot')} are busy: add workers, or see what they run.`
        : 'There are free slots: see whether the workers are silent, or their event loops blocked.',
      link: full ? { href: hrefOf('workers', { queue: name }), label: 'What they run' } : link,
    });
  }
  return found;
}

type Worker = WorkersReply['workers'][number];

const WORKERS = { href: hrefOf('workers'), label: 'Workers' };

/** Workers of one process share its event loop: it is told once, by the one that knows which job it was. */
export function workersFindings(workers: readonly Worker[], now: number): Finding[] {
  const told = new Map<string, Finding>();
  const known = workers.toSorted((a, b) => jobsNamed(a) - jobsNamed(b));
  for (const worker of known) {
    for (const finding of workerFindings(worker, now)) told.set(finding.key, finding);
  }
  return [...told.values()];
}

const jobsNamed = ({ blocked }: Worker): number => blocked?.jobs.length ?? 0;

function workerFindings(worker: Worker, now: number): Finding[] {
  const { id, host, pid, queue, seenAt, running, blocked } = worker;
  const about = `Worker ${host}/${pid}`;
  const found: Finding[] = [];
  if (now - seenAt > SILENT_MS) {
    const held = running.length === 1 ? 'job it ran is' : `${running.length} jobs it ran are`;
    const later = running.length > 0 ? `The ${held} taken over when the lease ends.` : '';
    found.push({
      key: `silent ${id}`,
      bad: true,
      about,
      what: `has given no sign of life for ${duration(now - seenAt)}.`,
      hint: `Killed, cut off from Redis, or its event loop is blocked. ${later}`,
      link: WORKERS,
    });
  }
  if (blocked && now - blocked.at < LATELY_MS) {
    const { ms, at, jobs } = blocked;
    const names = jobs.map(({ fn }) => fn).join(', ');
    const which = jobs.length > 0 ? `It was ${jobs.length > 1 ? 'one of: ' : ''}${names}` : '';
    found.push({
      key: `blocked ${host} ${pid}`,
      bad: false,
      about,
      what: `had its event loop blocked for ${duration(ms)}, ${ago(at, now)}.`,
      hint: `All its jobs stood still. ${which}`,
      link:
        jobs.length === 1 ? { href: jobHref(queue, jobs[0]!.id), label: 'Show the job' } : WORKERS,
    });
  }
  return found;
}

export function failureFinding({ name, history, now }: QueueReply): Finding[] {
  const points = history.filter(({ at }) => now - at <= LATELY_MS);
  const failed = points.reduce((sum, point) => sum + point.failed, 0);
  const ended = points.reduce((sum, point) => sum + point.completed, failed);
  if (failed === 0) return [];
  return [
    {
      key: `failed ${name}`,
      bad: true,
      about: `Queue ${name}`,
      what: `had ${plural(failed, 'failure')} in the last hour, of ${plural(ended, 'job')} that ended.`,
      link: { href: hrefOf('jobs', { queue: name, state: 'failed' }), label: 'Why' },
    },
  ];
}
