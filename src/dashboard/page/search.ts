/** A page of jobs. With a filter the server looks through a part at a time: goes on until the page is full. */
import type { JobRow, JobsReply } from './api.js';
import { apiPath, get } from './client.ts';

export const PAGE = 50;

export interface JobsQuery {
  queue: string;
  state: string;
  fn: string;
  error: string;
  offset: number;
}

export interface Found {
  jobs: JobRow[];
  /** In this state, whatever the filter. */
  total: number;
  /** Where the next page begins; missing at the end. */
  next?: number;
  /** The page isn't full, but the search was long enough for now. */
  unfinished: boolean;
}

/** @param most how many parts are looked through */
export async function search(query: JobsQuery, most: number, signal: AbortSignal): Promise<Found> {
  const jobs: JobRow[] = [];
  const seen = new Set<string>();
  let offset = query.offset;
  for (let part = 1; ; part++) {
    const { state, queue, fn, error } = query;
    const limit = PAGE - jobs.length;
    const path = apiPath('jobs', { queue, state, fn, error, offset: offset || undefined, limit });
    const reply = await get<JobsReply>(path, signal);
    for (const job of reply.jobs) {
      // Jobs move on while they are looked through: one may come twice.
      if (!seen.has(job.id)) jobs.push(job);
      seen.add(job.id);
    }
    const { total, next } = reply;
    const full = jobs.length >= PAGE;
    if (next === undefined) return { jobs, total, unfinished: false };
    if (full || part >= most || !(fn || error)) return { jobs, total, next, unfinished: !full };
    offset = next;
  }
}
