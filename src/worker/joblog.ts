/** What a worker's log says of its jobs: a line at the start, a line at the end. Arguments are never logged. */
import type { ErrorRecord } from '../job/codec.ts';
import { errorLine } from '../job/failure.ts';
import { parseTicket, waitMsOf, type ClaimedJob, type Outcome } from '../job/job.ts';
import { unheard, type Logger } from '../job/log.ts';
import { Fail } from '../job/signals.ts';
import type { Refusal } from '../store/turn.ts';

export function logStart(logger: Logger, job: ClaimedJob): void {
  if (logger.info === unheard) return;
  const { id, record, attempt } = job;
  logger.info('job started', { id, fn: record.fn, attempt, waitMs: waitMsOf(job) });
}

export function logOutcome(logger: Logger, job: ClaimedJob, outcome: Outcome, ranMs: number): void {
  if (outcome.kind === 'completed' && logger.info === unheard) return;
  const fields = { id: job.id, fn: job.record.fn, attempt: job.attempt, ranMs };
  switch (outcome.kind) {
    case 'completed':
      return logger.info('job completed', fields);
    case 'cancelled':
      return logger.info('job cancelled', { ...fields, reason: outcome.reason });
    case 'released':
      return logger.info('job released', fields);
    case 'retry':
    case 'postponed':
      return logger.warn('job will be retried', {
        ...fields,
        inMs: outcome.delayMs,
        error: errorText(outcome.error),
      });
    case 'failed': {
      // Who throws `Fail` has seen it coming.
      const level = outcome.error.name === Fail.name ? 'warn' : 'error';
      return logger[level]('job failed', { ...fields, error: errorText(outcome.error) });
    }
  }
}

const errorText = (error: ErrorRecord) => errorLine(error).slice(0, 300);

export function logRefusal(
  logger: Logger,
  { ticket, why }: Refusal<'lost' | 'gone' | 'taken'>,
): void {
  const { id } = parseTicket(ticket);
  if (why === 'taken')
    logger.error('onFailure: its id is taken by another job, nothing runs', { id: ticket });
  else if (why === 'lost')
    logger.warn('settlement refused: the lease was lost, another run is in charge', { id });
  else logger.warn('job vanished: its record is gone from Redis', { id });
}
