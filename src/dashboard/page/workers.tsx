/** Who works: slots, what runs in them, and how the event loop fares. */
import type { WorkersReply } from './api.js';
import { Do, resizeWorker, stopWorker } from './actions.tsx';
import { bytes, count, duration, plural } from './format.ts';
import { hrefOf, jobHref } from './route.ts';
import { server, useReply } from './server.ts';
import { Fact, Name, NameLink, Time, Trouble, useNow } from './text.tsx';
import { useRef } from './vendor/hooks.js';
import { Fragment, h, type JSX } from './vendor/preact.js';

type Worker = WorkersReply['workers'][number];

/** A loop that is late by so much is felt by every job. */
const LATE_MS = 100;

export function Workers(): JSX.Element {
  const polled = useReply<WorkersReply>('workers');
  const workers = (polled.data?.workers ?? []).toSorted((a, b) => order(a).localeCompare(order(b)));
  const sum = (of: 'busy' | 'concurrency'): string =>
    count(workers.reduce((all, worker) => all + worker[of], 0));
  return (
    <Fragment>
      <header class="title">
        <h1>Workers</h1>
        {workers.length > 0 && (
          <p>
            {count(workers.length)}, with {sum('busy')} of {sum('concurrency')} slots busy
          </p>
        )}
      </header>
      <Trouble {...polled} />
      {polled.data?.workers.length === 0 && (
        <p class="empty">
          No worker is alive. Start one: <code>npx minq worker ./jobs.ts</code>
        </p>
      )}
      <div class="workers">
        {processesOf(workers).map((process) => (
          <Card key={`${process[0]!.queue} ${process[0]!.id}`} process={process} />
        ))}
      </div>
    </Fragment>
  );
}

/** Workers of one process share its event loop and its memory: they are shown together. */
function processesOf(workers: readonly Worker[]): Worker[][] {
  const processes = new Map<string, Worker[]>();
  for (const worker of workers) {
    const key = `${worker.host} ${worker.pid}`;
    processes.set(key, [...(processes.get(key) ?? []), worker]);
  }
  return [...processes.values()];
}

const order = ({ queue, host, pid, id }: Worker): string => `${queue} ${host} ${pid} ${id}`;

function Card({ process }: { process: Worker[] }): JSX.Element {
  const now = useNow();
  const [worker] = process as [Worker];
  const { loop, memory } = worker;
  const sum = (of: 'busy' | 'concurrency'): number =>
    process.reduce((all, each) => all + each[of], 0);
  const [busy, concurrency] = [sum('busy'), sum('concurrency')];
  const seenAt = Math.max(...process.map((each) => each.seenAt));
  const silent = process.every((each) => each.silent);
  const blocked = process.find((each) => each.blocked);
  const late = loop.p99 > LATE_MS;
  return (
    <article class={silent ? 'card silent' : 'card'} data-worker={worker.id}>
      <header>
        <h2>
          <Name text={`${worker.host}/${worker.pid}`} most={80} />
        </h2>
        {silent && <span class="badge b-bad">silent</span>}
        {process.some((each) => each.beat) && (
          <span class="badge" title="It fires the ticks of cron">
            cron
          </span>
        )}
        <span class="queue">
          {process.map(({ queue }) => (
            <NameLink key={queue} href={hrefOf('overview', { queue })} text={queue} most={40} />
          ))}
        </span>
      </header>
      <dl class="facts">
        <Fact name="Slots busy">
          <meter min={0} max={Math.max(1, concurrency)} value={busy} aria-hidden="true" />
          {count(busy)} of {count(concurrency)}
        </Fact>
        <Fact name="Loop delay p99 · max" bad={late}>
          {duration(loop.p99)} · {duration(loop.max)}
          {late && <span class="sr"> late</span>}
        </Fact>
        <Fact name="Memory · heap">
          {bytes(memory.rss)} · {bytes(memory.heap)}
        </Fact>
        <Fact name="Last sign of life" bad={silent} at={seenAt} />
        <Fact name="Started" at={worker.startedAt} />
        <Fact name="minq · Node">
          <Name text={`${worker.version} · ${worker.node}`} most={40} />
        </Fact>
      </dl>
      <div class="orders">
        {process.map((each) => (
          <Orders key={each.id} {...each} named={process.length > 1} />
        ))}
      </div>
      {blocked && <Blocked {...blocked} />}
      <Running process={process} ageMs={Math.max(0, now - seenAt)} />
      <Functions process={process} />
    </article>
  );
}

function Orders({
  queue,
  id,
  host,
  pid,
  concurrency,
  named,
}: Worker & { named: boolean }): JSX.Element | null {
  const slots = useRef<HTMLInputElement>(null);
  const place = `${host}/${pid}`;
  if (server.readOnly) return null;
  return (
    <div class="order">
      <label class="slots">
        <span>Slots{named && <span> of {queue.slice(0, 40)}</span>}</span>
        <input
          key={concurrency}
          ref={slots}
          type="number"
          min={1}
          max={1000}
          defaultValue={String(concurrency)}
        />
      </label>
      <Do small what={() => resizeWorker(queue, id, place, Number(slots.current!.value))}>
        Set<span class="sr"> the slots of {place.slice(0, 80)}</span>
      </Do>
      <Do small what={() => stopWorker(queue, id, place)}>
        Stop…<span class="sr"> {place.slice(0, 80)}</span>
      </Do>
    </div>
  );
}

function Blocked({ queue, blocked }: Worker): JSX.Element | null {
  if (!blocked) return null;
  const { ms, at, jobs } = blocked;
  return (
    <p class="blocked">
      <strong>Event loop blocked</strong> for {duration(ms)}, <Time at={at} />
      {jobs.length > 0 && (
        <span>
          , by {jobs.length > 1 ? 'one of ' : ''}
          {jobs.slice(0, 10).map(({ id, fn }) => (
            <a key={id} href={jobHref(queue, id)}>
              <Name text={fn} most={60} />{' '}
            </a>
          ))}
        </span>
      )}
    </p>
  );
}

/** @param ageMs the figures are as old as the sign of life that brought them */
function Running({ process, ageMs }: { process: Worker[]; ageMs: number }): JSX.Element {
  const running = process.flatMap(({ queue, running }) =>
    running.map((job) => ({ ...job, queue })),
  );
  const busy = process.reduce((all, each) => all + each.busy, 0);
  if (running.length === 0)
    return <p class="idle">{busy > 0 ? 'What it runs is not told.' : 'Idle.'}</p>;
  const longest = running.toSorted((a, b) => b.sinceMs - a.sinceMs);
  return (
    <div class="scroll running" tabIndex={0} role="group" aria-label="Jobs it runs">
      <ul>
        {longest.map(({ id, fn, sinceMs, queue }) => (
          <li key={id}>
            <span class="n">{duration(sinceMs + ageMs)}</span>
            <NameLink href={jobHref(queue, id)} text={fn} most={60} />
            <span class="id">
              <Name text={id} most={40} />
            </span>
          </li>
        ))}
        {busy > running.length && <li>and {count(busy - running.length)} more</li>}
      </ul>
    </div>
  );
}

function Functions({ process }: { process: Worker[] }): JSX.Element | null {
  const names = [...new Set(process.flatMap(({ functions }) => functions))].sort();
  const more = process.reduce((sum, { moreFunctions = 0 }) => sum + moreFunctions, 0);
  if (names.length === 0) return null;
  return (
    <details class="functions">
      <summary>Knows {plural(names.length + more, 'function')}</summary>
      <p>
        {names.slice(0, 200).map((name) => (
          <code key={name}>
            <Name text={name} most={60} />{' '}
          </code>
        ))}
        {more > 0 && `and ${count(more)} more`}
      </p>
    </details>
  );
}
