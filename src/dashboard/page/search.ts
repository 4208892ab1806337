/** A page of jobs. With a filter the server looks through a part at a time: goes on until the page is full. */
import type { JobRow, JobsReply, JobState } from './api.js';
import { withQuery } from './route.ts';
import { get } from './server.ts';

export const PAGE = 50;

export interface JobsQuery {
  queue: string;
  state: JobState;
  fn: string;
  error: string;
  offset: number;
}

export interface Found {
  jobs: JobRow[];
  /** In this state, whatever the filter. */
  total: number;
  /** Where the next page begins; missing at the end. */
  next?: number | undefined;
  /** The page isn't full, but the search was long enough for now. */
  unfinished: boolean;
}

/** @param most how many parts are looked through */
export async function search(query: JobsQuery, most: number, signal: AbortSignal): Promise<Found> {
  // Jobs move on while they are looked through: one may come twice.
  const jobs = new Map<string, JobRow>();
  let { offset } = query;
  for (let part = 1; ; part++) {
    const path = withQuery('jobs', { ...query, offset, limit: PAGE - jobs.size });
    const { jobs: more, total, next } = await get<JobsReply>(path, signal);
    for (const job of more) jobs.set(job.id, job);
    const full = jobs.size >= PAGE;
    const over = next === undefined || full || !(query.fn || query.error);
    if (over || part >= most) return { jobs: [...jobs.values()], total, next, unfinished: !over };
    offset = next;
  }
}
