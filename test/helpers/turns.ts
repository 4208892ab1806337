/** Short words for tests of the transitions themselves: jobs and settlements as a worker would send them. */
import type { Outcome } from '../../src/job/job.ts';
import type { NewJob } from '../../src/job/record.ts';
import type { Settlement } from '../../src/store/settlement.ts';
import type { Store } from '../../src/store/store.ts';
import type { Turn } from '../../src/store/turn.ts';

export const JSON_OF_JOB = '{"fn":"f","args":[]}';
export const LEASE_MS = 15_000;
export const ERROR = { name: 'Error', message: 'no luck' };

/** Jobs for the enqueue script; `how` as there: `''`, `h - 0`, `n pending +5000`. */
export const jobs = (how: string, ...ids: string[]): NewJob[] =>
  ids.map((id) => ({ id, how, json: JSON_OF_JOB }));

export const settlement = (
  ticket: string,
  outcome: Outcome,
  more: Partial<Settlement> = {},
): Settlement => ({
  job: { ticket, attempt: 1, claimedAt: 1_000 },
  outcome,
  ranMs: 2,
  keptMs: 60_000,
  ...more,
});

export const OUTCOMES: readonly Outcome[] = [
  { kind: 'completed', result: '5' },
  { kind: 'failed', error: ERROR },
  { kind: 'cancelled', reason: 'expired' },
  { kind: 'retry', error: ERROR, delayMs: 3_000 },
  { kind: 'postponed', error: ERROR, delayMs: 3_000 },
  { kind: 'released' },
];

export const claim = (
  store: Store,
  turn: number,
  want: number,
  ...settled: Settlement[]
): Promise<Turn> => store.turn(turn, LEASE_MS, want, settled);

export const ticketsOf = (turn: Turn): string[] => turn.claimed.map(({ ticket }) => ticket);
