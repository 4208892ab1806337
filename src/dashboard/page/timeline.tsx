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
      {attempts.map(({ attempt, startedAt, endedAt, ranMs, error }, i) => (
        <Event key={i} at={startedAt ?? endedAt} mark="bad">
          <div>
            Attempt {attempt} failed{after(ranMs)}
          </div>
          <ErrorDetails {...error} />
        </Event>
      ))}
      <Now {...job} />
    </ol>
  );
}

const after = (ms: number | undefined): string =>
  ms === undefined ? '' : ` after ${duration(ms)}`;

function Now({ state, attempt, startedAt, endedAt, ranMs, error, dueAt }: Job): JSX.Element {
  if (state === 'queued') return <Event mark="live">Waits for a free slot</Event>;
  if (state === 'waiting') return <Event mark="live">Waits for other steps of its flow</Event>;
  if (state === 'scheduled') {
    const why = error && ` to be retried: the last attempt failed with ${error.name.slice(0, 100)}`;
    return (
      <Event at={dueAt} mark="live">
        Due{why}
      </Event>
    );
  }
  if (state === 'active') {
    return (
      <Event at={startedAt} mark="live">
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
  return (
    <Event at={startedAt ?? endedAt} mark={state === 'failed' ? 'bad' : undefined}>
      {startedAt === undefined ? 'Ended' : `Attempt ${attempt} ended`}: <State state={state} />
      {after(ranMs)}
    </Event>
  );
}

interface EventProps {
  at?: number | undefined;
  mark?: 'bad' | 'live' | undefined;
  children: ComponentChildren;
}

const Event = ({ at, mark, children }: EventProps): JSX.Element => (
  <li class={mark}>
    <div class="at">{at !== undefined && <Time at={at} />}</div>
    <div>{children}</div>
  </li>
);

/** Its first line; the stack on demand. */
function ErrorDetails({ name, message, stack }: ErrorText): JSX.Element {
  const line = (
    <span class="error">
      <Name text={`${name}: ${message.text}`} most={400} />
    </span>
  );
  if (!stack) return line;
  return (
    <details>
      <summary>{line}</summary>
      <Value value={stack} label="Stack" />
    </details>
  );
}
