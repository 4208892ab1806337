/** Starts the pages: knows where one is, and keeps the way back. */
import type { QueuesReply } from './api.js';
import { apiPath, get } from './client.ts';
import { ConfirmDialog } from './dialog.tsx';
import { Cron } from './cron.tsx';
import { JobPage } from './job.tsx';
import { Jobs } from './jobs.tsx';
import { Notices } from './notices.tsx';
import { Overview } from './overview.tsx';
import { usePoll } from './poll.ts';
import { hrefOf, parseRoute, type Route } from './route.ts';
import { Shell } from './shell.tsx';
import { Workers } from './workers.tsx';
import { Fragment, h, render, type JSX } from './vendor/preact.js';
import { useEffect, useLayoutEffect, useRef, useState } from './vendor/hooks.js';

const TITLES = { overview: 'Overview', jobs: 'Jobs', job: 'Job', workers: 'Workers', cron: 'Cron' };

function App(): JSX.Element {
  const route = useRoute();
  useSearchKey();
  const queues = usePoll<QueuesReply>('queues', (signal) => get(apiPath('queues'), signal), 2_000);
  const names = queues.data?.queues.map(({ name }) => name) ?? [];
  const asked = route.with['queue'];
  const queue = asked ?? (names.includes('default') ? 'default' : names[0]);
  return (
    <Fragment>
      <Shell page={route.page} queue={asked} queues={queues.data}>
        <Page route={route} queue={queue} queues={queues.data} />
      </Shell>
      <Notices />
      <ConfirmDialog />
    </Fragment>
  );
}

interface PageProps {
  route: Route;
  queue: string | undefined;
  queues: QueuesReply | undefined;
}

function Page({ route, queue, queues }: PageProps): JSX.Element {
  const asked = route.with;
  if (!queues) return <p class="empty">Asking Redis…</p>;
  if (route.page === 'workers') return <Workers />;
  if (route.page === 'cron') return <Cron queues={queues} />;
  if (queue === undefined) {
    return (
      <p class="empty">
        There is no queue yet: a queue is here once a job was enqueued, or a worker has started.
      </p>
    );
  }
  if (route.page === 'jobs')
    return <Jobs key={queue} queue={queue} queues={queues} asked={asked} />;
  if (route.page === 'job') {
    return (
      <JobPage
        key={`${queue} ${asked['id']}`}
        queue={queue}
        id={asked['id'] ?? ''}
        queues={queues}
      />
    );
  }
  return <Overview queue={queue} queues={queues} span={asked['span'] === 'day' ? 'day' : 'hour'} />;
}

/** `/` leads to the search, from wherever one isn't writing. */
function useSearchKey(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const writing =
        event.target instanceof Element && event.target.closest('input, select, dialog');
      if (event.key !== '/' || writing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const search = document.querySelector<HTMLInputElement>('input[name="fn"]');
      if (search) search.focus();
      else location.hash = hrefOf('jobs', { queue: parseRoute(location.hash).with['queue'] });
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

/** Where one is. Somewhere new begins at the top; the way back ends where one was. */
function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  const scrolled = useRef(new Map<string, number>());
  const route = parseRoute(hash);

  useEffect(() => {
    history.scrollRestoration = 'manual';
    const changed = (): void => setHash(location.hash);
    const scroll = (): void => void scrolled.current.set(location.hash, scrollY);
    addEventListener('hashchange', changed);
    addEventListener('scroll', scroll, { passive: true });
    return () => {
      removeEventListener('hashchange', changed);
      removeEventListener('scroll', scroll);
    };
  }, []);

  const subject = `${route.page} ${route.with['id'] ?? ''}`;
  const before = useRef(subject);
  useLayoutEffect(() => {
    document.title = `${TITLES[route.page]} · minq`;
    // An entry of the history that was already here is come back to.
    const back = (history.state as { seen?: true } | null)?.seen === true;
    if (!back) history.replaceState({ seen: true }, '');
    if (before.current === subject) return;
    before.current = subject;
    scrollTo(0, back ? (scrolled.current.get(hash) ?? 0) : 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [hash]);
  return route;
}

render(<App />, document.body);
