/** The jobs file of minq's workers. */
import { currentJob } from 'minq';
import type { Tasks } from './library.ts';
import { tasks, witness } from './tasks.ts';

const all = tasks(witness(process.env['CHAOS_EVIDENCE']!), currentJob);

export const sleep: Tasks['sleep'] = (ms) => all.sleep(ms);
export const block: Tasks['block'] = (ms, times) => all.block(ms, times);
export const exit: Tasks['exit'] = () => all.exit();
export const flaky: Tasks['flaky'] = (times) => all.flaky(times);
