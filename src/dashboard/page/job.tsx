/** Everything about one job. */
import type { ErrorText, JobReply, QueuesReply, Text } from './api.js';
import { JobActions } from './actions.tsx';
import { FlowGraph } from './flow.tsx';
import { duration } from './format.ts';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { useReply } from './server.ts';
import { Fact, Name, NameLink, Since, State, Time, Trouble, Value } from './text.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';

interface JobPageProps {
  queue: string;
  id: string;
  queues: QueuesReply;
}

export function JobPage({ queue, id, queues }: JobPageProps): JSX.Element {
  const polled = useReply<JobReply>(withQuery('job', { queue, id }));
  const { data, error } = polled;
  const gone = error?.status === 404;
  return (
    <Fragment>
      <p class="crumbs">
        <a href={hrefOf('jobs', { queue, state: data?.job.state })}>
          Jobs of <Name text={queue} most={40} />
        </a>
      </p>
      <h1 class="job-id">
        <small>Job</small> <Name text={id} most={200} />
      </h1>
      {gone ? (
        <Gone queue={queue} id={id} queues={queues} known={data !== undefined} />
      ) : (
        <Trouble {...polled} />
      )}
      {!data && !error && <p class="empty">Asking Redis…</p>}
      {data && <Details {...data} gone={gone} />}
    </Fragment>
  );
}

function Gone({ queue, id, queues, known }: JobPageProps & { known: boolean }): JSX.Element {
  const others = queues.queues.filter(({ name }) => name !== queue);
  return (
    <div class="banner b-warn" role="alert">
      <p>
        {known
          ? 'This job is removed or forgotten; below is what was known of it.'
          : 'This queue knows no such job. It may be forgotten: results and failures are kept for some time only.'}
        {!known && others.length > 0 && (
          <span>
            {' '}
            Look in:{' '}
            {others.slice(0, 20).map(({ name }) => (
              <a key={name} href={jobHref(name, id)}>
                <Name text={name} most={40} />{' '}
              </a>
            ))}
          </span>
        )}
      </p>
    </div>
  );
}

function Details({ job, attempts, worker, flow, gone }: JobReply & { gone: boolean }): JSX.Element {
  const { queue, id, state } = job;
  return (
    <Fragment>
      <div class="bar">
        <State state={state} />
        <strong class="fn">
          <Name text={job.fn ?? '(its record is missing or unreadable)'} />
        </strong>
        <span class="buttons">{!gone && <JobActions queue={queue} job={job} />}</span>
      </div>
      <Facts job={job} worker={worker} />
      {job.progress && (
        <Part title="Progress">
          <Progress value={job.progress} />
        </Part>
      )}
      {job.error && <Failure title={state === 'failed' ? 'Error' : 'Last error'} {...job.error} />}
      <div class="pair">
        <ValuePart title="Arguments" value={job.args} />
        <ValuePart title="Result" value={job.result} />
      </div>
      {flow && (
        <Part title="Flow">
          {flow.outline === '(unreadable)' ? (
            <p class="none">{flow.outline}</p>
          ) : (
            <FlowGraph outline={flow.outline} own={id} />
          )}
          <WaitsFor queue={queue} steps={job.flow?.waitsFor ?? []} />
        </Part>
      )}
      <Part title="What happened">
        <Timeline job={job} attempts={attempts} />
      </Part>
      <Meta meta={job.meta} />
    </Fragment>
  );
}

function Facts({ job, worker }: Pick<JobReply, 'job' | 'worker'>): JSX.Element {
  const { queue, ranMs, reason, failedStep } = job;
  return (
    <dl class="facts">
      <Fact name="Queue">
        <NameLink href={hrefOf('overview', { queue })} text={queue} most={60} />
      </Fact>
      <Fact name="Attempt">{job.attempt}</Fact>
      <Fact name="Priority">{job.priority}</Fact>
      <Fact name="Enqueued">
        <Time at={job.enqueuedAt} />
      </Fact>
      <Fact name="Fired for" at={job.tick} />
      <Fact name="Due" at={job.dueAt} />
      <Fact name="Started" at={job.startedAt} />
      <Fact name="Ended" at={job.endedAt} />
      {ranMs !== undefined && <Fact name="Took">{duration(ranMs)}</Fact>}
      <Fact name="Lease ends" at={job.leaseEndsAt} />
      {worker && (
        <Fact name="Worker">
          <NameLink
            href={hrefOf('workers', { queue })}
            text={`${worker.host}/${worker.pid}`}
            most={60}
          />
        </Fact>
      )}
      {reason && (
        <Fact name="Why cancelled">
          <Name text={reason} />
        </Fact>
      )}
      {failedStep !== undefined && (
        <Fact name="Failed with step">
          <NameLink href={jobHref(queue, failedStep)} text={failedStep} most={60} />
        </Fact>
      )}
    </dl>
  );
}

type FailureProps = ErrorText & { title: string };

const Failure = ({ title, name, message, stack, code, causes }: FailureProps): JSX.Element => (
  <Part title={title}>
    <div class="failure">
      <p>
        <strong>
          <Name text={code === undefined ? name : `${name} (${code})`} />
        </strong>
      </p>
      <Value value={message} label="Message" />
      {causes && <Value value={causes} label="Causes" />}
      {stack && <Value value={stack} label="Stack" />}
    </div>
  </Part>
);

function ValuePart({ title, value }: { title: string; value?: Text }): JSX.Element | null {
  if (!value) return null;
  return (
    <Part title={title}>
      <Value value={value} label={title} />
    </Part>
  );
}

function WaitsFor({ queue, steps }: { queue: string; steps: string[] }): JSX.Element | null {
  if (steps.length === 0) return null;
  return (
    <p>
      Waits for{' '}
      {steps.slice(0, 20).map((id) => (
        <a key={id} href={jobHref(queue, id)}>
          <Name text={id} most={60} />{' '}
        </a>
      ))}
      {steps.length > 20 && `and ${steps.length - 20} more`}
    </p>
  );
}

function Meta({ meta }: { meta: Record<string, string> }): JSX.Element | null {
  const entries = Object.entries(meta);
  if (entries.length === 0) return null;
  return (
    <Part title="Meta">
      <dl class="meta">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>
              <Name text={name} most={100} />
            </dt>
            <dd>
              <Name text={value} most={1_000} />
            </dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="part" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** How far a job says it is: a bar where that is a share, else its own words. */
function Progress({ value }: { value: Text }): JSX.Element {
  const share = shareOf(value);
  if (share === undefined) return <Value value={value} label="Progress" />;
  return (
    <div class="bar-of">
      <progress max={1} value={share} aria-label="Progress" />
      <span>{Math.round(share * 100)} %</span>
      {value.text.startsWith('{') && (
        <code>
          <Name text={value.text.replace(/\s+/g, ' ')} most={300} />
        </code>
      )}
    </div>
  );
}

function shareOf({ text, cut }: Text): number | undefined {
  if (cut > 0 || text === '') return undefined;
  const [done = -1, total = 0] = partsOf(JSON.parse(text));
  return done >= 0 && total > 0 && done <= total ? done / total : undefined;
}

/** 0 to 1 is a share, more is percent; `{ done, total }` and what is like it is a share too. */
function partsOf(value: unknown): [done?: number, total?: number] {
  if (typeof value === 'number') return [value, value <= 1 ? 1 : 100];
  if (typeof value !== 'object' || value === null) return [];
  const given = value as Record<string, unknown>;
  const number = (...names: string[]): number | undefined =>
    names.map((name) => given[name]).find((each) => typeof each === 'number');
  const done = number('done', 'current', 'processed', 'completed');
  const total = number('total', 'of', 'max');
  if (done !== undefined && total !== undefined) return [done, total];
  return [number('percent', 'percentage'), 100];
}

type Job = JobReply['job'];

function Timeline({ job, attempts }: Pick<JobReply, 'job' | 'attempts'>): JSX.Element {
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
      {stack && <Value value={stack} label="Stack" />}
    </details>
  );
}
