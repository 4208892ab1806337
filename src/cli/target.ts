/** The job that a command is to act on. */
import { ResultNotFoundError } from '../job/errors.ts';
import type { JobInfo } from '../views/inspector.ts';
import type { Queue } from '../queue/queue.ts';

/** @returns undefined for an unknown one */
export async function findTarget(queue: Queue, id: string): Promise<JobInfo | undefined> {
  try {
    return await queue.job(id).info();
  } catch (error) {
    if (error instanceof ResultNotFoundError) return undefined;
    throw error;
  }
}

export const unknownOn = (queue: Queue, id: string): string =>
  `job ${id} is unknown on queue ${queue.name}: never enqueued, removed, or no longer kept`;

/** `job 7 (sendMail, failed)` */
export const nameOf = ({ id, fn, state }: JobInfo): string =>
  `job ${id} (${fn ? `${fn}, ` : ''}${state})`;
