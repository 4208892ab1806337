/** What has happened to a job, and what its attempts failed with. */
import type { ErrorText, JobReply, Text } from './api.js';
import { duration } from './format.ts';
import { Name, Since, State, Time, Value } from './text.tsx';
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
function ErrorDetails({ name, message, stack, causes }: ErrorText): JSX.Element {
  const line = (
    <span class="error">
      <Name text={`${name}: ${message.text}`} most={400} />
    </span>
  );
  if (!stack && !causes) return line;
  return (
    <details>
      <summary>{line}</summary>
      {causes && <Value value={causes} label="Causes" />}
      {stack && <Stack value={stack} />}
    </details>
  );
}

/** Where the app itself is, stands out from where its packages and Node are. */
export const Stack = ({ value }: { value: Text }): JSX.Element => (
  <div class="value">
    <pre class="stack" tabIndex={0} aria-label="Stack">
      <bdi>
        {value.text.split('\n').map((line, i) => (
          <span key={i} class={lineClass(line)}>
            {line}
            {'\n'}
          </span>
        ))}
      </bdi>
    </pre>
  </div>
);

function lineClass(line: string): string | undefined {
  if (!/^\s+at /.test(line)) return undefined;
  return /node_modules|\(node:|at node:|<anonymous>\)?$/.test(line) ? 'theirs' : 'own';
}
