import type { Connect } from './adapters/adapter.ts';

/** In the order in which they are measured and shown. */
export const LIBRARIES: Readonly<Record<string, () => Promise<{ connect: Connect }>>> = {
  minq: () => import('./adapters/minq.ts'),
  bullmq: () => import('./adapters/bullmq.ts'),
  'bee-queue': () => import('./adapters/bee-queue.ts'),
  floor: () => import('./adapters/floor.ts'),
};
