/** Everything about one job. */
import type { JobReply, QueuesReply } from './api.js';
import { actionsFor, onJob } from './actions.tsx';
import { apiPath, get } from './client.ts';
import { duration } from './format.ts';
import { FlowGraph } from './flow-graph.tsx';
import { usePoll } from './poll.ts';
import { Progress } from './progress.tsx';
import { hrefOf, jobHref } from './route.ts';
import { Name, State, Value } from './text.tsx';
import { Time } from './time.tsx';
import { Timeline } from './timeline.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';

interface JobPageProps {
  queue: string;
  id: string;
  queues: QueuesReply;
}

export function JobPage({ queue, id, queues }: JobPageProps): JSX.Element {
  const path = apiPath('job', { queue, id });
  const { data, error } = usePoll<JobReply>(path, (signal) => get(path, signal), 2_000);
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
      {gone && <Gone queue={queue} id={id} queues={queues} known={data !== undefined} />}
      {error && !gone && !data && (
        <p class="empty" role="alert">
          <Name text={error.message} most={400} />
        </p>
      )}
      {!data && !error && <p class="empty">Asking Redis…</p>}
      {data && <Details {...data} readOnly={queues.readOnly || gone} />}
    </Fragment>
  );
}

interface GoneProps extends JobPageProps {
  known: boolean;
}

function Gone({ queue, id, queues, known }: GoneProps): JSX.Element {
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

function Details({
  job,
  attempts,
  worker,
  flow,
  readOnly,
}: JobReply & { readOnly: boolean }): JSX.Element {
  const { queue, id, state } = job;
  const actions = actionsFor(job);
  return (
    <Fragment>
      <div class="bar">
        <State state={state} />
        <strong class="fn">
          <Name text={job.fn ?? '(its record is missing or unreadable)'} />
        </strong>
        {!readOnly && (
          <span class="buttons">
            {actions.map((action) => (
              <button
                key={action}
                type="button"
                onClick={() => void onJob(action, queue, id, state)}
              >
                {action[0]!.toUpperCase() + action.slice(1)}
              </button>
            ))}
          </span>
        )}
      </div>
      <dl class="facts">
        <Fact name="Queue">
          <a href={hrefOf('overview', { queue })}>
            <Name text={queue} most={60} />
          </a>
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
        {job.ranMs !== undefined && <Fact name="Took">{duration(job.ranMs)}</Fact>}
        <Fact name="Lease ends" at={job.leaseEndsAt} />
        {worker && (
          <Fact name="Worker">
            <a href={hrefOf('workers', { queue })}>
              <Name text={`${worker.host}/${worker.pid}`} most={60} />
            </a>
          </Fact>
        )}
        {job.reason && (
          <Fact name="Why cancelled">
            <Name text={job.reason} />
          </Fact>
        )}
        {job.failedStep !== undefined && (
          <Fact name="Failed with step">
            <a href={jobHref(queue, job.failedStep)}>
              <Name text={job.failedStep} most={60} />
            </a>
          </Fact>
        )}
      </dl>
      {job.progress && (
        <Part title="Progress">
          <Progress value={job.progress} />
        </Part>
      )}
      {job.error && (
        <Part title={state === 'failed' ? 'Error' : 'Last error'}>
          <div class="failure">
            <p>
              <strong>
                <Name text={job.error.name} />
              </strong>
            </p>
            <Value value={job.error.message} label="Message" />
            {job.error.stack && <Value value={job.error.stack} label="Stack" />}
          </div>
        </Part>
      )}
      <div class="pair">
        <Part title="Arguments">
          <Value value={job.args} label="Arguments" />
        </Part>
        {job.result && (
          <Part title="Result">
            <Value value={job.result} label="Result" />
          </Part>
        )}
      </div>
      {flow && (
        <Part title="Flow">
          <FlowGraph outline={flow.outline} own={id} />
          {job.flow?.waitsFor && job.flow.waitsFor.length > 0 && (
            <p>
              Waits for{' '}
              {job.flow.waitsFor.slice(0, 20).map((each) => (
                <a key={each} href={jobHref(queue, each)}>
                  <Name text={each} most={60} />{' '}
                </a>
              ))}
              {job.flow.waitsFor.length > 20 && `and ${job.flow.waitsFor.length - 20} more`}
            </p>
          )}
        </Part>
      )}
      <Part title="What happened">
        <Timeline job={job} attempts={attempts} />
      </Part>
      {Object.keys(job.meta).length > 0 && (
        <Part title="Meta">
          <dl class="meta">
            {Object.entries(job.meta).map(([name, value]) => (
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
      )}
    </Fragment>
  );
}

interface FactProps {
  name: string;
  at?: number | undefined;
  children?: ComponentChildren;
}

function Fact({ name, at, children }: FactProps): JSX.Element | null {
  if (at === undefined && children === undefined) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children ?? <Time at={at} />}</dd>
    </div>
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
