import path from 'node:path';
import type { Connect } from './adapters/adapter.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Environment variable for the processes that measure: folder of the build before. */
export const BEFORE = 'MINQ_BENCH_BEFORE';

/** In the order in which they are measured and shown. */
export const LIBRARIES: Readonly<Record<string, () => Promise<{ connect: Connect }>>> = {
  minq: async () => ({ connect: (await import('./adapters/minq.ts')).minqFrom(ROOT, 'bench') }),
  before: async () => ({
    connect: (await import('./adapters/minq.ts')).minqFrom(process.env[BEFORE] ?? ROOT, 'before'),
  }),
  bullmq: () => import('./adapters/bullmq.ts'),
  'bee-queue': () => import('./adapters/bee-queue.ts'),
  floor: () => import('./adapters/floor.ts'),
};
