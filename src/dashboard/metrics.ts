/**
 * What Prometheus is told of queues. It all stands in Redis: counters survive restarts of workers and of whoever answers,
 * and it makes no difference which process is asked. (A worker tells of its own process with `--metrics-port`.)
 *
 * A queue that can't be read is told of by `minq_queue_up 0` and nothing else, and hides no other one.
 */
import { ofEach } from '../views/each.ts';
import type { WorkerInfo } from '../views/inspector.ts';
import { STATES } from '../job/job.ts';
import { MetricsPage, type Metric } from '../views/metrics.ts';
import type { Queue } from '../queue/queue.ts';
import type { QueueFinding } from '../views/findings.ts';
import type { FunctionStats, Stats } from '../views/statistics.ts';
import { VERSION } from '../job/version.ts';

/** What of a queue is read. */
export type MeasuredQueue = Pick<
  Queue,
  'name' | 'counts' | 'stats' | 'oldestWaitingMs' | 'functions' | 'workers' | 'findings'
>;

const gauge = (name: string, help: string): Metric => ({ name, type: 'gauge', help });
const counter = (name: string, help: string): Metric => ({ name, type: 'counter', help });
const histogram = (name: string, help: string): Metric => ({ name, type: 'histogram', help });

const BUILD = gauge('minq_build_info', 'Version of minq that answers; always 1.');
const UP = gauge('minq_queue_up', 'Whether the queue could be read from Redis.');
const JOBS = gauge('minq_jobs', 'Jobs that Redis holds, by state.');
const FINDINGS = gauge('minq_queue_findings', 'What minq check finds: errors, and warnings.');
const RATE_LIMIT = gauge('minq_queue_rate_limit', 'Jobs of the queue that may begin in a second; missing where it has no such limit.'); // prettier-ignore
const CONCURRENCY_LIMIT = gauge('minq_queue_concurrency_limit', 'Jobs of the queue that may run at once; missing where it has no such limit.'); // prettier-ignore
const PAUSED = gauge('minq_queue_paused', 'Whether the queue is paused.');
const OLDEST = gauge(
  'minq_oldest_waiting_seconds',
  'How long the job that has waited longest for its first run has waited since it was due; 0 where none waits.',
);

const COUNTERS = {
  enqueued: counter('minq_jobs_enqueued_total', 'Jobs enqueued.'),
  completed: counter('minq_jobs_completed_total', 'Jobs that completed.'),
  failed: counter('minq_jobs_failed_total', 'Jobs that failed for good.'),
  cancelled: counter('minq_jobs_cancelled_total', 'Jobs that were cancelled or expired.'),
  retried: counter(
    'minq_jobs_retried_total',
    'Runs put back, to be retried or for want of the function.',
  ),
  recovered: counter('minq_leases_lost_total', 'Runs taken back because their lease had ended.'),
  refused: counter(
    'minq_settlements_refused_total',
    'Outcomes refused because the run had lost its lease.',
  ),
  droppedCompleted: counter(
    'minq_results_dropped_total',
    'Completed jobs dropped before their time, because too many were kept.',
  ),
  droppedFailed: counter(
    'minq_failures_dropped_total',
    'Failed jobs dropped before their time, because too many were kept.',
  ),
  blocked: counter(
    'minq_event_loop_blocks_total',
    'How often the event loop of a worker was blocked for half a second or more.',
  ),
} satisfies Partial<Record<keyof Stats, Metric>>;
const BLOCKED = counter(
  'minq_event_loop_blocked_seconds_total',
  'How long the event loops of workers were blocked, counting half a second or more.',
);

const RUNS = counter('minq_function_runs_total', 'Runs of a function, by how they ended.');
const WAIT = histogram(
  'minq_job_wait_seconds',
  'How long jobs waited from due to their first run.',
);
const RUN = histogram('minq_job_run_seconds', 'How long runs took.');

const WORKERS = gauge('minq_workers', 'Workers that gave a sign of life within the last minute.');
const WORKER_INFO = gauge('minq_worker_info', 'Who a worker is; always 1.');
type Read = (worker: WorkerInfo) => number | undefined;
const WORKER: readonly (readonly [Metric, Read])[] = [
  [gauge('minq_worker_slots', 'Jobs the worker runs at once.'), (of) => of.concurrency],
  [gauge('minq_worker_slots_busy', 'Slots that are taken.'), (of) => of.busy],
  [
    gauge(
      'minq_worker_event_loop_delay_p99_seconds',
      'How late timers were, 99th percentile between the last two signs of life.',
    ),
    (of) => of.loop?.p99 / 1_000,
  ],
  [
    gauge(
      'minq_worker_event_loop_delay_max_seconds',
      'How late timers were at most between the last two signs of life.',
    ),
    (of) => of.loop?.max / 1_000,
  ],
  [
    gauge('minq_worker_resident_memory_bytes', 'Memory of the worker process.'),
    (of) => of.memory?.rss,
  ],
  [gauge('minq_worker_heap_bytes', 'JavaScript heap in use.'), (of) => of.memory?.heap],
  [
    gauge('minq_worker_start_time_seconds', 'When the worker started, by its own clock.'),
    (of) => of.startedAt / 1_000,
  ],
];

/** The answer to `GET metrics`. @param queues differing in name */
export async function metricsText(queues: readonly MeasuredQueue[]): Promise<string> {
  const page = new MetricsPage();
  page.add(BUILD, { version: VERSION }, 1);
  const readings = await ofEach(queues, (queue) => read(queue).catch(() => undefined));
  for (const [i, { name: queue }] of queues.entries()) {
    const reading = readings[i];
    page.add(UP, { queue }, reading ? 1 : 0);
    if (!reading) continue;
    addJobs(page, queue, reading);
    for (const each of reading.functions) addFunction(page, queue, each);
    page.add(WORKERS, { queue }, reading.workers.length);
    for (const worker of reading.workers) addWorker(page, queue, worker);
  }
  return page.toString();
}

type QueueReading = Awaited<ReturnType<typeof read>>;

async function read(queue: MeasuredQueue) {
  const [counts, stats, oldestMs, functions, workers, findings] = await Promise.all([
    queue.counts(),
    queue.stats(),
    queue.oldestWaitingMs(),
    queue.functions('ever'),
    queue.workers(),
    queue.findings(),
  ]);
  return { counts, stats, oldestMs, functions, workers, findings };
}

function addJobs(
  page: MetricsPage,
  queue: string,
  { counts, stats, oldestMs, findings }: QueueReading,
): void {
  const of = (kind: (finding: QueueFinding) => boolean | undefined) => findings.filter(kind).length;
  page.add(
    FINDINGS,
    { queue, severity: 'error' },
    of(({ ok }) => !ok),
  );
  page.add(
    FINDINGS,
    { queue, severity: 'warning' },
    of(({ ok, warning }) => ok && warning),
  );
  for (const state of STATES) page.add(JOBS, { queue, state }, counts[state]);
  page.add(PAUSED, { queue }, counts.paused ? 1 : 0);
  const { rate, concurrency } = counts.limit ?? {};
  if (rate) page.add(RATE_LIMIT, { queue }, (rate.count * 1_000) / rate.perMs);
  if (concurrency !== undefined) page.add(CONCURRENCY_LIMIT, { queue }, concurrency);
  page.add(OLDEST, { queue }, (oldestMs ?? 0) / 1_000);
  for (const [name, metric] of Object.entries(COUNTERS)) {
    page.add(metric, { queue }, stats[name as keyof typeof COUNTERS]);
  }
  page.add(BLOCKED, { queue }, stats.blockedMs / 1_000);
}

function addFunction(page: MetricsPage, queue: string, stats: FunctionStats): void {
  const labels = { queue, function: stats.fn };
  for (const outcome of ['completed', 'failed', 'retried'] as const) {
    page.add(RUNS, { ...labels, outcome }, stats[outcome]);
  }
  page.add(WAIT, labels, stats.wait);
  page.add(RUN, labels, stats.run);
}

function addWorker(page: MetricsPage, queue: string, worker: WorkerInfo): void {
  const { id, host, pid, version, node } = worker;
  const labels = { queue, worker: id, host };
  page.add(WORKER_INFO, { ...labels, pid: String(pid), version, node }, 1);
  for (const [metric, reading] of WORKER) page.add(metric, labels, reading(worker));
}
