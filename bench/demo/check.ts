/** Holds the demo's numbers against what is known without minq: the plan, and the files themselves. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Counts, JobInfo, Stats } from 'minq';
import type { Digest } from './jobs.ts';
import type { Numbers } from './numbers.ts';
import type { Plan } from './workload.ts';

/** One result in so many is computed again without a queue; of all of them the size is compared. */
const SAMPLE_EACH = 20;

export interface Evidence {
  plan: Plan;
  infos: JobInfo[];
  numbers: Numbers;
  /** Jobs that ran besides the plan's, and completed. */
  calls: number;
  counts: Counts;
  stats: Stats;
}

/** @returns what doesn't add up, a line each; empty when all does */
export async function findContradictions(evidence: Evidence): Promise<string[]> {
  const { plan, infos, numbers, calls, counts, stats } = evidence;
  const wrong: string[] = [];
  const same = (what: string, actual: unknown, expected: unknown) => {
    if (actual !== expected)
      wrong.push(`${what}: ${String(actual)} instead of ${String(expected)}`);
  };
  same('jobs', numbers.jobs, plan.items.length);
  same('completed + failed', numbers.completed + numbers.failed, numbers.jobs);
  same('failed', numbers.failed, plan.expected.failed);
  same('retries', numbers.retries, plan.expected.retried);
  same('completed in Redis', counts.completed, numbers.completed + calls);
  same('failed in Redis', counts.failed, numbers.failed);
  same('left in Redis', counts.scheduled + counts.queued + counts.active, 0);
  same('enqueued, as Redis counted', stats.enqueued, numbers.jobs + calls);
  same('retries, as Redis counted', stats.retried, numbers.retries);

  let bytes = 0;
  for (const [i, info] of infos.entries()) {
    if (info.state !== 'completed') continue;
    const [file] = plan.items[i]!.args;
    const digest = info.result as Digest;
    same(`file of job ${info.id}`, digest.file, file);
    bytes += (await stat(file)).size;
    if (i % SAMPLE_EACH !== 0) continue;
    const content = await readFile(file);
    same(`words of ${file}`, digest.words, content.toString().split(/\s+/).filter(Boolean).length);
    same(`hash of ${file}`, digest.sha256, createHash('sha256').update(content).digest('hex'));
    same(`compressed ${file}`, digest.gzipped, gzipSync(content).length);
  }
  same('bytes', numbers.bytes, bytes);
  return wrong;
}
