/** The demo's closing table. */
import path from 'node:path';
import { styleText } from 'node:util';
import type { Numbers, Percentiles } from './numbers.ts';

const LABEL_WIDTH = 18;

/** @param root what file names are shown relative to; @param colour for a terminal */
export function table(numbers: Numbers, root: string, colour: boolean): string {
  const style = (format: 'bold' | 'dim', text: string) => (colour ? styleText(format, text) : text);
  const row = (label: string, value: string, note = '') =>
    `  ${style('dim', label.padEnd(LABEL_WIDTH))}${style('bold', value)}${note && `  ${style('dim', note)}`}`;
  const rows = (label: string, lines: { value: string; note: string }[]) =>
    lines.map(({ value, note }, i) => row(i === 0 ? label : '', value.padStart(8), note));

  const { jobs, completed, failed, bytes, gzipped, jobsPerSecond, seconds } = numbers;
  return [
    row('jobs', n(jobs), `${n(completed)} completed, ${n(failed)} failed for good`),
    row('retries', n(numbers.retries)),
    row('delayed', n(numbers.delayed)),
    ...rows(
      'failures',
      numbers.failures.map(({ reason, jobs }) => ({ value: n(jobs), note: reason })),
    ),
    ...rows(
      'slowest',
      numbers.slowest.map(({ file, ms }) => ({
        value: `${ms.toFixed(1)} ms`,
        note: path.relative(root, file),
      })),
    ),
    row(
      'throughput',
      `${n(jobsPerSecond)} jobs/s`,
      `${megabytes(bytes / seconds)}/s, in ${seconds.toFixed(1)} s`,
    ),
    row('wait in the queue', spread(numbers.waitMs), 'all enqueued at once'),
    row('enqueue to result', spread(numbers.callMs), 'one at a time'),
    row('words', n(numbers.words)),
    row(
      'compressed',
      `${megabytes(bytes)} to ${megabytes(gzipped)}`,
      `${Math.round((100 * gzipped) / bytes)} %`,
    ),
    row('Redis', numbers.redis),
  ].join('\n');
}

const n = (value: number): string => value.toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const spread = ({ p50, p90, p99 }: Percentiles): string =>
  `p50 ${n(p50)}  p90 ${n(p90)}  p99 ${n(p99)} ms`;
