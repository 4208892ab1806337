/** How a finished run is laid out for the turn script that records it, and what was counted beside. */
import { JSON } from '../job/globals.ts';
import type { ClaimedJob, Outcome, StoredOutcome } from '../job/job.ts';
import type { NewJob } from '../job/record.ts';
import { CANCELLED_KEPT_MS } from './scripts/fragments.ts';

/** One finished run, ready to be recorded. */
export interface Settlement {
  readonly job: Pick<ClaimedJob, 'ticket' | 'attempt' | 'claimedAt'>;
  readonly outcome: Outcome;
  readonly ranMs: number;
  /** How long the outcome is kept, where it is final. */
  readonly keptMs: number;
  /** Of a failure: it is kept, but its id may be given again. */
  readonly free?: boolean;
  /** A job to enqueue in the same transition, if the settlement is accepted. */
  readonly followUp?: NewJob | undefined;
}

/** What a worker has counted: pairs of a counter in `timings` and what is to be added to it. */
export interface Counted {
  /** 1, 2, 3, ...; sent again under the same number, it is counted once. */
  readonly number: number;
  readonly pairs: readonly string[];
}

/** Most settlements in one turn, and most bytes of results: bounds the script's time and the message. */
const MAX_SETTLED = 250;
const MAX_BYTES = 4 * 1024 * 1024;

/** Takes out of the list what one turn settles, the first ones first. */
export function takeOut<S extends Settlement>(finished: S[], most = Infinity): S[] {
  let bytes = 0;
  let count = 0;
  for (const { outcome } of finished) {
    bytes += outcome.kind === 'completed' ? (outcome.result?.length ?? 0) : 0;
    if (count > 0 && (count === MAX_SETTLED || count === most || bytes > MAX_BYTES)) break;
    count++;
  }
  return finished.splice(0, count);
}

/** Settlements as the turn script takes them: those that end alike in a row share their head. */
export function settlementArgs(settlements: readonly Settlement[]): {
  groups: string[];
  followUps: string[];
} {
  const followUps = settlements.flatMap(({ job, followUp }) =>
    followUp ? [job.ticket, followUp.id, followUp.json] : [],
  );
  return { groups: inGroups(settlements), followUps };
}

function inGroups(settlements: readonly Settlement[]): string[] {
  const args: string[] = [];
  let head: { word: string; ms: number; at: number; count: number } | undefined;
  for (const settlement of settlements) {
    const word = settlement.outcome.kind;
    const ms = msOf(settlement);
    if (head?.word !== word || head.ms !== ms) {
      if (head) args[head.at] = String(head.count);
      args.push(word, String(ms), '');
      head = { word, ms, at: args.length - 1, count: 0 };
    }
    head.count++;
    args.push(settlement.job.ticket, jsonOf(settlement));
  }
  if (head) args[head.at] = String(head.count);
  return args;
}

/** How long the outcome is kept; of one that isn't final, how long the job waits. */
function msOf({ outcome, keptMs }: Settlement): number {
  switch (outcome.kind) {
    case 'completed':
    case 'failed':
      return keptMs;
    case 'cancelled':
      return CANCELLED_KEPT_MS;
    case 'retry':
    case 'postponed':
      return outcome.delayMs;
    case 'released':
      return 0;
  }
}

function jsonOf({ outcome, job, ranMs, free }: Settlement): string {
  switch (outcome.kind) {
    case 'completed': {
      const result = outcome.result === undefined ? '' : `"result":${outcome.result},`;
      return `{"state":"completed",${result}"attempt":${job.attempt},"startedAt":${job.claimedAt},"ranMs":${ranMs}}`;
    }
    case 'failed':
      return ended(job, ranMs, { state: 'failed', ...(free && { free }), error: outcome.error });
    case 'cancelled':
      return ended(job, ranMs, { state: 'cancelled', reason: outcome.reason });
    case 'retry': {
      const { attempt, claimedAt: startedAt } = job;
      return JSON.stringify({ ...outcome.error, attempt, startedAt, ranMs });
    }
    case 'postponed':
      return JSON.stringify(outcome.error);
    case 'released':
      return '';
  }
}

const ended = (job: Settlement['job'], ranMs: number, what: StoredOutcome): string =>
  JSON.stringify({ ...what, attempt: job.attempt, startedAt: job.claimedAt, ranMs });
