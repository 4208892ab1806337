/** Everything about one job. */
import type { ErrorText, JobReply, QueuesReply, Text } from './api.js';
import { copyJob, JobActions } from './actions.tsx';
import { Banners } from './banners.tsx';
import { FlowGraph } from './flow.tsx';
import { count, duration } from './format.ts';
import { hrefOf, jobHref, withQuery } from './route.ts';
import { server, useReply } from './server.ts';
import { Stack, Timeline } from './timeline.tsx';
import { Fact, Name, NameLink, State, stateClass, Time, Trouble, Value } from './text.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useRef } from './vendor/hooks.js';

interface JobPageProps {
  queue: string;
  id: string;
  queues: QueuesReply;
  /** More of a large flow. */
  all?: boolean;
}

export function JobPage({ queue, id, queues, all }: JobPageProps): JSX.Element {
  const polled = useReply<JobReply>(withQuery('job', { queue, id, all: all ? 1 : undefined }));
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
      {['queued', 'scheduled'].includes(state) && <Banners queue={queue} />}
      <Facts job={job} worker={worker} />
      {job.progress && (
        <Part title="Progress">
          <Progress value={job.progress} />
        </Part>
      )}
      {job.error && <Failure title={state === 'failed' ? 'Error' : 'Last error'} {...job.error} />}
      <ValuePart title="Log" value={job.log} />
      <div class="pair">
        <ValuePart title="Arguments" value={job.args} />
        <ValuePart title="Result" value={job.result} />
      </div>
      {flow && (
        <Part title="Flow">
          {flow.states && <States states={flow.states} />}
          {flow.outline === '(unreadable)' ? (
            <p class="none">{flow.outline}</p>
          ) : (
            <FlowGraph
              outline={flow.outline}
              own={id}
              more={hrefOf('job', { queue, id, all: 1 })}
            />
          )}
          <WaitsFor queue={queue} steps={job.flow?.waitsFor ?? []} />
        </Part>
      )}
      <Part title="What happened">
        <Timeline job={job} attempts={attempts} />
      </Part>
      <Meta meta={job.meta} />
      {!gone && job.fn !== undefined && <Copy queue={queue} id={id} args={job.args} />}
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
      <Fact name="Attempt">
        {job.attempt}
        {job.retries !== undefined && ` of ${job.retries + 1}`}
      </Fact>
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
      {stack && <Stack value={stack} />}
    </div>
  </Part>
);

/** The same once more, with what one may have got wrong the first time. */
function Copy({ queue, id, args }: { queue: string; id: string; args: Text }): JSX.Element | null {
  const field = useRef<HTMLTextAreaElement>(null);
  if (server.readOnly || args.cut > 0) return null;
  return (
    <details class="part copy">
      <summary>Enqueue a copy with other arguments</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void copyJob(queue, id, field.current!.value);
        }}
      >
        <textarea
          ref={field}
          name="args"
          aria-label="Arguments, a JSON array"
          rows={6}
          spellcheck={false}
          defaultValue={args.text}
        />
        <button type="submit">Enqueue the copy</button>
      </form>
    </details>
  );
}

function ValuePart({ title, value }: { title: string; value?: Text }): JSX.Element | null {
  if (!value) return null;
  return (
    <Part title={title}>
      <Value value={value} label={title} />
    </Part>
  );
}

/** How many of its steps are in which state: a flow of a thousand at a glance. */
function States({ states }: { states: Record<string, number> }): JSX.Element {
  return (
    <p class="states">
      {Object.entries(states).map(([state, many]) => (
        <span key={state} class={stateClass(state)}>
          <b>{count(many)}</b> {state}
        </span>
      ))}
    </p>
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
