import { Queue } from 'minq';

/** One for the process: in development Next loads a module anew with each change. */
const kept = globalThis as unknown as { queue?: Queue<typeof import('./jobs')> };
export const queue = (kept.queue ??= new Queue<typeof import('./jobs')>());
