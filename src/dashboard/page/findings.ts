/** Where one sees what a finding is about. */
import type { FindingsReply } from './api.js';
import { hrefOf, jobHref } from './route.ts';

/** By what was looked at. */
const JOBS: Record<string, [state: string, label: string]> = {
  worker: ['queued', 'Show them'],
  waiting: ['queued', 'Show them'],
  failed: ['failed', 'Why'],
};

type Finding = FindingsReply['findings'][number];

export function linkOf({ check, queue, worker, job }: Finding) {
  if (job !== undefined) return { href: jobHref(queue, job), label: 'Show the job' };
  if (worker !== undefined) return { href: hrefOf('workers'), label: 'Workers' };
  const [state, label] = JOBS[check] ?? [];
  return state && { href: hrefOf('jobs', { queue, state }), label };
}
