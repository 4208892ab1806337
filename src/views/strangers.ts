/** Jobs whose function no worker that claimed them knew, and who knows it. */
import { readJson, type LastError } from '../job/job.ts';
import type { Store } from '../store/store.ts';
import { readWorkers, type WorkerInfo } from './inspector.ts';

export interface Stranger {
  ticket: string;
  fn: string;
}

/** Of the first 1,000 jobs that are due within a minute: longer none of them is put off. */
export async function readStrangers(store: Store): Promise<Stranger[]> {
  return (await store.strangers()).flatMap(([ticket = '', text = '']) => {
    const { fn } = (readJson(text) ?? {}) as Partial<LastError>;
    return typeof fn === 'string' ? { ticket, fn } : [];
  });
}

/** Whether one of these workers knows it, or may: a very long list of functions is cut. */
export const isKnown = (fn: string, workers: readonly WorkerInfo[]): boolean =>
  workers.some(({ functions, moreFunctions = 0 }) => moreFunctions > 0 || functions.includes(fn));

/** @returns whether a worker that is alive knows the function */
export async function isKnownOn(store: Store, fn: string): Promise<boolean> {
  return isKnown(fn, await readWorkers(store));
}
