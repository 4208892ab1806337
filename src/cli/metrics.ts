/**
 * `minq worker --metrics-port`: what a process tells Prometheus of itself. The names are others than those of the
 * dashboard's `metrics`, which tell of queues: who scrapes both counts nothing twice.
 */
import { performance } from '../job/globals.ts';
import { VERSION } from '../job/version.ts';
import type { Histogram } from '../store/buckets.ts';
import { MetricsPage, type Labels, type Metric } from '../views/metrics.ts';
import type { WorkerFacts } from '../worker/facts.ts';

/** What they mean, by name. */
const GAUGES = {
  minq_build_info: 'Version of minq that answers; always 1.',
  process_start_time_seconds: 'When the process started.',
  process_resident_memory_bytes: 'Memory of the process.',
  process_heap_bytes: 'JavaScript heap in use.',
  minq_process_redis_connected: 'Whether Redis can be called now.',
  minq_process_slots: 'Jobs the process runs at once.',
  minq_process_slots_busy: 'Slots that are taken.',
};
const COUNTERS = {
  process_cpu_seconds_total: 'CPU time, of the user and the system.',
  minq_process_event_loop_blocks_total:
    'How often the event loop was blocked for half a second or more.',
  minq_process_event_loop_blocked_seconds_total:
    'How long the event loop was blocked, counting half a second or more.',
  minq_process_leases_lost_total:
    'Runs whose lease was lost: another worker may have run the job too.',
  minq_process_runs_total: 'Runs of a function, by how they ended.',
};
const HISTOGRAMS = {
  minq_process_event_loop_delay_seconds: 'How late timers were, looked at 20 times a second.',
  minq_process_job_wait_seconds: 'How long jobs waited from due to their first run.',
  minq_process_job_run_seconds: 'How long runs took.',
};
type Name = keyof typeof GAUGES | keyof typeof COUNTERS | keyof typeof HISTOGRAMS;

const METRICS = new Map<string, Metric>();
for (const [type, helps] of [
  ['gauge', GAUGES],
  ['counter', COUNTERS],
  ['histogram', HISTOGRAMS],
] as const) {
  for (const [name, help] of Object.entries(helps)) METRICS.set(name, { name, type, help });
}

/** @param workers of this process, differing in queue */
export function processMetrics(workers: readonly WorkerFacts[]): string {
  const page = new MetricsPage();
  const add = (name: Name, value: number | Histogram, labels: Labels = {}) =>
    page.add(METRICS.get(name)!, labels, value);
  add('minq_build_info', 1, { version: VERSION });
  add('process_start_time_seconds', Math.round(performance.timeOrigin) / 1_000);
  const { user, system } = process.cpuUsage();
  add('process_cpu_seconds_total', (user + system) / 1e6);
  const { rss, heapUsed } = process.memoryUsage();
  add('process_resident_memory_bytes', rss);
  add('process_heap_bytes', heapUsed);
  const [first] = workers; // they share the loop: one that looks at it is enough
  if (first) {
    add('minq_process_event_loop_delay_seconds', first.loopDelay);
    add('minq_process_event_loop_blocks_total', first.blocked.times);
    add('minq_process_event_loop_blocked_seconds_total', first.blocked.ms / 1_000);
  }
  for (const { queue, ...facts } of workers) {
    add('minq_process_redis_connected', facts.connected ? 1 : 0, { queue });
    add('minq_process_slots', facts.slots, { queue });
    add('minq_process_slots_busy', facts.busy, { queue });
    add('minq_process_leases_lost_total', facts.leasesLost, { queue });
    for (const { fn, wait, run, ...ended } of facts.functions) {
      const labels = { queue, function: fn };
      for (const outcome of ['completed', 'failed', 'retried'] as const) {
        add('minq_process_runs_total', ended[outcome], { ...labels, outcome });
      }
      add('minq_process_job_wait_seconds', wait, labels);
      add('minq_process_job_run_seconds', run, labels);
    }
  }
  return page.toString();
}
