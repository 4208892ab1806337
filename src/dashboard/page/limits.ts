/** Limits of a queue, in words. */
import type { QueueSummary } from './api.js';
import { count, duration } from './format.ts';

export function limitText({
  rate,
  concurrency,
}: NonNullable<QueueSummary['counts']['limit']>): string {
  const begin = rate && `${count(rate.count)} begin in ${duration(rate.perMs)}`;
  return [begin, concurrency !== undefined && `${count(concurrency)} at once`]
    .filter(Boolean)
    .join(', ');
}
