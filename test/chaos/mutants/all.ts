/** All the bugs that are planted. */
import { AHEAD } from './groups/ahead.ts';
import { CLAIM } from './groups/claim.ts';
import { CONNECTION } from './groups/connection.ts';
import { CRON } from './groups/cron.ts';
import { DASHBOARD } from './groups/dashboard.ts';
import { ENQUEUE } from './groups/enqueue.ts';
import { FLOW } from './groups/flow.ts';
import { GARBAGE } from './groups/garbage.ts';
import { LEASE } from './groups/lease.ts';
import { OPERATORS } from './groups/operators.ts';
import { PLAIN } from './groups/plain.ts';
import { RESULTS } from './groups/results.ts';
import { SETTLE } from './groups/settle.ts';
import { WORKER } from './groups/worker.ts';
import { TRACKS } from './groups/tracks.ts';
import { TIMES } from './groups/times.ts';
import { BOUNDS } from './groups/bounds.ts';
import { DEFAULTS } from './groups/defaults.ts';
import { TOLD } from './groups/told.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...SETTLE,
  ...CLAIM,
  ...AHEAD,
  ...PLAIN,
  ...ENQUEUE,
  ...OPERATORS,
  ...LEASE,
  ...CRON,
  ...FLOW,
  ...CONNECTION,
  ...RESULTS,
  ...WORKER,
  ...TRACKS,
  ...DASHBOARD,
  ...GARBAGE,
  ...TIMES,
  ...BOUNDS,
  ...DEFAULTS,
  ...TOLD,
];
