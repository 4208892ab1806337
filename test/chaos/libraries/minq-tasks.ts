/** The jobs file of minq's workers. */
import { currentJob } from 'minq';
import { tasks, witness } from './tasks.ts';

export const { sleep, block, exit, flaky } = tasks(
  witness(process.env['CHAOS_EVIDENCE']!),
  currentJob,
);
