/** What is measured. A scenario runs n jobs at a time: first to warm up, then to be timed, then to be counted. */
import { ARGS } from './scenarios/args.ts';
import { BACKLOG } from './scenarios/backlog.ts';
import { CALL } from './scenarios/call.ts';
import { CHORD } from './scenarios/chord.ts';
import { DELAYED } from './scenarios/delayed.ts';
import { ENQUEUE } from './scenarios/enqueue.ts';
import { IDLE } from './scenarios/idle.ts';
import { IO } from './scenarios/io.ts';
import { PROCESS } from './scenarios/process.ts';
import { RETRIES } from './scenarios/retries.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { WORKERS } from './scenarios/workers.ts';

/** In the order in which they are measured and shown. */
export const SCENARIOS: readonly Scenario[] = [
  ...ENQUEUE,
  ...PROCESS,
  ...CALL,
  ...IO,
  ...ARGS,
  RETRIES,
  ...WORKERS,
  CHORD,
  ...BACKLOG,
  ...DELAYED,
  IDLE,
];

/** A name stands for itself and for all that begin with it: `process`, `process-10`. */
export const scenariosNamed = (name: string): Scenario[] =>
  SCENARIOS.filter((scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`));
