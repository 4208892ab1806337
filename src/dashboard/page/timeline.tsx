/** The attempts of a job: when each began, how long it took, how it ended, and what came of it. */
import type { ErrorText, JobReply } from './api.js';
import { duration } from './format.ts';
import { Name, State, Value } from './text.tsx';
import { Since, Time } from './time.tsx';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';

type Job = JobReply['job'];

export function Timeline({ job, attempts }: Pick<JobReply, 'job' | 'attempts'>): JSX.Element {
  return (
    <ol class="timeline">
      <Event at={job.enqueuedAt}>Enqueued</Event>
      {attempts.map((past, i) => (
        <Event key={i} at={past.startedAt ?? past.endedAt} bad>
          <div>
            Attempt {past.attempt} failed
            {past.ranMs !== undefined && ` after ${duration(past.ranMs)}`}
          </div>
          <ErrorDetails error={past.error} />
        </Event>
      ))}
      <Now job={job} />
    </ol>
  );
}

function Now({ job }: { job: Job }): JSX.Element | null {
  const { state, attempt, startedAt, endedAt, ranMs, error, dueAt } = job;
  if (state === 'active') {
    return (
      <Event at={startedAt} live>
        Attempt {attempt} is running
        {startedAt !== undefined && (
          <span>
            {' '}
            for <Since at={startedAt} />
          </span>
        )}
      </Event>
    );
  }
  if (state === 'scheduled') {
    return (
      <Event at={dueAt} live>
        {error
          ? `Due to be retried: the last attempt failed with ${error.name.slice(0, 100)}`
          : 'Due'}
      </Event>
    );
  }
  if (state === 'queued' || state === 'waiting') {
    return (
      <Event live>
        {state === 'queued' ? 'Waits for a free slot' : 'Waits for other steps of its flow'}
      </Event>
    );
  }
  return (
    <Event at={startedAt ?? endedAt} bad={state === 'failed'}>
      {startedAt === undefined ? 'Ended' : `Attempt ${attempt} ended`}: <State state={state} />
      {ranMs !== undefined && ` after ${duration(ranMs)}`}
    </Event>
  );
}

interface EventProps {
  at?: number | undefined;
  bad?: boolean;
  live?: boolean;
  children: ComponentChildren;
}

function Event({ at, bad, live, children }: EventProps): JSX.Element {
  return (
    <li class={bad ? 'bad' : live ? 'live' : undefined}>
      <div class="at">{at !== undefined && <Time at={at} />}</div>
      <div>{children}</div>
    </li>
  );
}

/** Its first line; the stack on demand. */
function ErrorDetails({ error }: { error: ErrorText }): JSX.Element {
  const line = (
    <span class="error">
      <Name text={`${error.name}: ${error.message.text}`} most={400} />
    </span>
  );
  if (!error.stack) return line;
  return (
    <details>
      <summary>{line}</summary>
      <Value value={error.stack} label="Stack" />
    </details>
  );
}
