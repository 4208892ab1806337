/** Starts the pages: knows where one is and keeps the way back; and what stands around every page. */
import type { QueuesReply } from './api.js';
import { Messages } from './actions.tsx';
import { Cron } from './cron.tsx';
import { duration } from './format.ts';
import { FailuresPage } from './failures.tsx';
import { Find } from './find.tsx';
import { Home } from './home.tsx';
import { JobPage } from './job.tsx';
import { Jobs } from './jobs.tsx';
import { Keys, showKeys } from './keys.tsx';
import { Login } from './login.tsx';
import { QueuePage } from './queue.tsx';
import { hrefOf, parseRoute, type PageName, type Route } from './route.ts';
import { server, useReply } from './server.ts';
import { Name, useNow } from './text.tsx';
import { nextTheme, onTheme, themeNow } from './theme.ts';
import { Workers } from './workers.tsx';
import { Fragment, h, render, type JSX } from './vendor/preact.js';
import { useEffect, useLayoutEffect, useRef, useState } from './vendor/hooks.js';

const TITLES = {
  overview: 'Overview',
  failures: 'Failures',
  jobs: 'Jobs',
  job: 'Job',
  workers: 'Workers',
  cron: 'Cron',
};
const NAV: PageName[] = ['overview', 'failures', 'jobs', 'workers', 'cron'];

function App(): JSX.Element {
  const route = useRoute();
  const { data: queues, error } = useReply<QueuesReply>('queues');
  if (error && server.locked) return <Login />;
  return (
    <Fragment>
      <div class="shell">
        <a
          class="skip"
          href="#main"
          onClick={(event) => {
            event.preventDefault();
            document.getElementById('main')?.focus();
          }}
        >
          Skip to the content
        </a>
        <Header route={route} version={queues?.version} />
        <Lost />
        <main id="main" tabIndex={-1}>
          {queues ? <Page route={route} queues={queues} /> : <p class="empty">Asking Redis…</p>}
        </main>
      </div>
      <Messages />
      <Keys />
    </Fragment>
  );
}

function Header({ route, version }: { route: Route; version: string | undefined }): JSX.Element {
  const { queue } = route.with;
  const here = route.page === 'job' ? 'jobs' : route.page;
  return (
    <header>
      <span class="brand">
        minq <small>{version}</small>
        {server.readOnly && <span class="badge">read-only</span>}
      </span>
      <nav aria-label="Pages">
        {NAV.map((page) => (
          <a
            key={page}
            href={hrefOf(page, page === 'overview' ? {} : { queue })}
            aria-current={page === here ? 'page' : undefined}
          >
            {TITLES[page]}
          </a>
        ))}
      </nav>
      <Find />
      <Theme />
      <button type="button" class="plain" aria-label="Keys" title="Keys (?)" onClick={showKeys}>
        ?
      </button>
    </header>
  );
}

function Theme(): JSX.Element {
  const [theme, setTheme] = useState(themeNow());
  useEffect(() => onTheme(() => setTheme(themeNow())), []);
  return (
    <button
      type="button"
      class="plain"
      aria-label={`Theme: ${theme}`}
      title={`Theme: ${theme} (t)`}
      onClick={nextTheme}
    >
      {{ system: '◐', light: '☀', dark: '☾' }[theme]}
    </button>
  );
}

/** Says it when what is shown may be no longer true. */
function Lost(): JSX.Element {
  useNow(); // Its own clock ticks: "ago" grows, and an answer that came shows.
  const { lost, seenAt } = server;
  return (
    <div role="alert" class="link">
      {lost !== undefined && (
        <p class="banner b-warn">
          <strong>Connection lost.</strong>{' '}
          <span aria-live="off">
            Last seen {duration(Math.max(1_000, Date.now() - seenAt))} ago; trying again.
          </span>{' '}
          <small>
            <Name text={lost} most={300} />
          </small>
        </p>
      )}
    </div>
  );
}

function Page({ route, queues }: { route: Route; queues: QueuesReply }): JSX.Element {
  const { page, with: asked } = route;
  if (page === 'workers') return <Workers />;
  if (page === 'cron') return <Cron />;
  if (page === 'failures') return <FailuresPage queue={asked['queue']} />;
  const names = queues.queues.map(({ name }) => name);
  const queue = asked['queue'] ?? (names.includes('default') ? 'default' : names[0]);
  if (queue === undefined) {
    return (
      <p class="empty">
        There is no queue yet: a queue is here once a job was enqueued, or a worker has started.
      </p>
    );
  }
  if (page === 'jobs') return <Jobs key={queue} queue={queue} queues={queues} asked={asked} />;
  if (page === 'job') {
    const { id = '' } = asked;
    const all = asked['all'] !== undefined;
    return <JobPage key={`${queue} ${id}`} queue={queue} id={id} queues={queues} all={all} />;
  }
  if (asked['queue'] === undefined) return <Home queues={queues.queues} />;
  return <QueuePage queue={queue} span={asked['span'] === 'day' ? 'day' : 'hour'} />;
}

/** How far down each place was left. */
const scrolled = new Map<string, number>();
history.scrollRestoration = 'manual';
addEventListener('scroll', () => scrolled.set(location.hash, scrollY), { passive: true });

/** Where one is. Somewhere new begins at the top; the way back ends where one was. */
function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  const route = parseRoute(hash);
  const subject = `${route.page} ${route.with['id'] ?? ''}`;
  const before = useRef(subject);
  useEffect(() => addEventListener('hashchange', () => setHash(location.hash)), []);
  useLayoutEffect(() => {
    document.title = `${TITLES[route.page]} · minq`;
    // An entry of the history that was already here is come back to.
    const back = (history.state as { seen?: true } | null)?.seen === true;
    if (!back) history.replaceState({ seen: true }, '');
    if (before.current === subject) return;
    before.current = subject;
    scrollTo(0, back ? (scrolled.get(hash) ?? 0) : 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [hash]);
  return route;
}

render(<App />, document.body);
