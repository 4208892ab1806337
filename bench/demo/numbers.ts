/** The demo's closing numbers, made from what minq tells of its jobs. */
import type { JobInfo } from 'minq';
import type { Digest } from './jobs.ts';
import type { Plan } from './workload.ts';

const SLOWEST = 3;

export interface Numbers {
  jobs: number;
  completed: number;
  failed: number;
  retries: number;
  delayed: number;
  failures: { reason: string; jobs: number }[];
  slowest: { file: string; ms: number }[];
  /** From the first start to the last end. */
  seconds: number;
  jobsPerSecond: number;
  /** From enqueue to start, of jobs that were neither delayed nor retried. */
  waitMs: Percentiles;
  /** From enqueue to result, of jobs called one at a time. */
  callMs: Percentiles;
  words: number;
  bytes: number;
  gzipped: number;
  redis: string;
}

export interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
}

/** @param infos of the jobs of `plan`, in its order; @param calls ms each call took */
export function summarize(plan: Plan, infos: JobInfo[], calls: number[], redis: string): Numbers {
  const completed = infos.filter((info) => info.state === 'completed');
  const failed = infos.filter((info) => info.state === 'failed');
  const digests = completed.map((info) => info.result as Digest);
  const starts = infos.map((info) => info.startedAt ?? Infinity);
  const ends = infos.map((info) => info.endedAt ?? 0);
  const seconds = Math.max(1, Math.max(...ends) - Math.min(...starts)) / 1_000;
  const undisturbed = infos.filter((info, i) => info.attempt === 1 && !plan.items[i]!.delay);
  return {
    jobs: infos.length,
    completed: completed.length,
    failed: failed.length,
    retries: sum(infos.map((info) => info.attempt - 1)),
    delayed: plan.expected.delayed,
    failures: countReasons(failed),
    slowest: completed
      .map((info) => ({ file: (info.result as Digest).file, ms: info.ranMs ?? 0 }))
      .sort((a, b) => b.ms - a.ms)
      .slice(0, SLOWEST),
    seconds,
    jobsPerSecond: Math.round(infos.length / seconds),
    waitMs: percentiles(undisturbed.map((info) => info.startedAt! - info.enqueuedAt!)),
    callMs: percentiles(calls),
    words: sum(digests.map((digest) => digest.words)),
    bytes: sum(digests.map((digest) => digest.bytes)),
    gzipped: sum(digests.map((digest) => digest.gzipped)),
    redis,
  };
}

/** The first words of an error are its reason; what follows names the file. */
function countReasons(failed: JobInfo[]): Numbers['failures'] {
  const counts = new Map<string, number>();
  for (const { error } of failed) {
    const reason = `${error?.name}: ${error?.message.split(',')[0]}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, jobs]) => ({ reason, jobs })).sort((a, b) => b.jobs - a.jobs);
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

function percentiles(values: number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
