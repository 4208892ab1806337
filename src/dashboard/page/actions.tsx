/** What can be done to jobs, queues and cron entries: asked first where it can't be undone, told afterwards. */
import type { Action, ActionReply, JobRow, JobState } from './api.js';
import { act } from './client.ts';
import { confirmed, type Question } from './dialog.tsx';
import { clip, count, plural } from './format.ts';
import { tell } from './notices.tsx';
import { refresh } from './poll.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

async function perform(
  action: Action,
  told: (reply: ActionReply) => string,
  first?: Question,
): Promise<boolean> {
  if (first && !(await confirmed(first))) return false;
  try {
    const reply = await act(action);
    tell(told(reply));
    return reply.done;
  } catch (error) {
    tell((error as Error).message, true);
    return false;
  } finally {
    refresh();
  }
}

type JobAction = 'retry' | 'cancel' | 'remove';

/** What may be done to a job as it is. A step that failed because another did never had its turn, and has none again. */
export function actionsFor({
  state,
  failedStep,
}: Pick<JobRow, 'state' | 'failedStep'>): JobAction[] {
  if (failedStep !== undefined) return ['remove'];
  if (state === 'failed' || state === 'cancelled') return ['retry', 'remove'];
  if (state === 'completed') return ['remove'];
  return state === 'active' ? ['cancel'] : ['cancel', 'remove'];
}

const DONE = { retry: 'is queued again', cancel: 'is cancelled', remove: 'is removed' } as const;

export function onJob(
  action: JobAction,
  queue: string,
  id: string,
  state: JobState,
): Promise<boolean> {
  const shown = clip(id, 60);
  const questions: Record<JobAction, Question | undefined> = {
    retry: undefined,
    cancel: {
      title: 'Cancel this job?',
      body: (
        <p>
          {state === 'active'
            ? 'It runs now: its signal is aborted, and its result is not kept. '
            : 'It will not run. '}
          Job <Name text={id} />
        </p>
      ),
      verb: 'Cancel the job',
      danger: true,
    },
    remove: {
      title: 'Remove this job?',
      body: (
        <p>
          Nothing will be known of it any more: arguments, result, error. Job <Name text={id} />
        </p>
      ),
      verb: 'Remove the job',
      danger: true,
    },
  };
  return perform(
    { action, queue, id },
    ({ done }) =>
      done
        ? `Job ${shown} ${DONE[action]}`
        : `Nothing to ${action}: job ${shown} is in another state by now`,
    questions[action],
  );
}

export interface Filter {
  fn?: string | undefined;
  error?: string | undefined;
}

function Matching({ fn, error }: Filter): JSX.Element {
  return (
    <ul>
      {fn && (
        <li>
          function <Name text={fn} />
        </li>
      )}
      {error && (
        <li>
          error with <Name text={error} />
        </li>
      )}
    </ul>
  );
}

/** @param total failed ones, whatever the filter */
export function retryAll(queue: string, filter: Filter, total: number): Promise<boolean> {
  const { fn, error } = filter;
  const filtered = Boolean(fn) || Boolean(error);
  return perform(
    { action: 'retryAll', queue, ...(fn && { fn }), ...(error && { error }) },
    (reply) => `${plural(reply.count ?? 0, 'job is', 'jobs are')} queued again`,
    {
      title: filtered
        ? 'Retry all failed jobs that match?'
        : `Retry all ${plural(total, 'failed job')}?`,
      body: (
        <div>
          <p>
            {filtered
              ? `Those of the ${plural(total, 'failed job')} that match start again with their first attempt:`
              : 'They start again with their first attempt.'}{' '}
            Queue <Name text={queue} />
          </p>
          {filtered && <Matching {...filter} />}
        </div>
      ),
      verb: filtered ? 'Retry those that match' : `Retry ${count(total)}`,
    },
  );
}

export type Purgeable = Extract<Action, { action: 'purge' }>['state'];
export const PURGEABLE: readonly string[] = [
  'scheduled',
  'queued',
  'completed',
  'failed',
  'cancelled',
] satisfies Purgeable[];

export function purge(queue: string, state: Purgeable, total: number): Promise<boolean> {
  const waits = state === 'queued' || state === 'scheduled';
  return perform(
    { action: 'purge', queue, state },
    (reply) => `${plural(reply.count ?? 0, `${state} job is`, `${state} jobs are`)} removed`,
    {
      title: `Remove all ${plural(total, `${state} job`)}?`,
      body: (
        <p>
          {waits ? 'They will never run. ' : 'Arguments, results and errors are lost. '}
          Whatever the filter: all that are in this state. Queue <Name text={queue} />
        </p>
      ),
      verb: `Remove ${count(total)}`,
      danger: true,
    },
  );
}

export const setPaused = (queue: string, paused: boolean): Promise<boolean> =>
  perform({ action: paused ? 'pause' : 'resume', queue }, () =>
    paused
      ? `Queue ${clip(queue, 60)} is paused: nothing new starts`
      : `Queue ${clip(queue, 60)} goes on`,
  );

export const runNow = (queue: string, name: string): Promise<boolean> =>
  perform({ action: 'run', queue, name }, ({ id, done }) =>
    done
      ? `${clip(name, 60)} is queued${id ? ` as job ${clip(id, 60)}` : ''}`
      : `${clip(name, 60)} was not queued`,
  );
