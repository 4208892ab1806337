/** What stands around every page: where one can go, whether the server answers, what became of actions. */
import type { QueuesReply } from './api.js';
import { useNow } from './clock.ts';
import { duration } from './format.ts';
import { link } from './poll.ts';
import { hrefOf, type PageName } from './route.ts';
import { Name } from './text.tsx';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';

const NAV: [page: PageName, label: string][] = [
  ['overview', 'Overview'],
  ['jobs', 'Jobs'],
  ['workers', 'Workers'],
  ['cron', 'Cron'],
];

interface ShellProps {
  page: PageName;
  queue: string | undefined;
  queues: QueuesReply | undefined;
  children: ComponentChildren;
}

export function Shell({ page, queue, queues, children }: ShellProps): JSX.Element {
  return (
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
      <header>
        <span class="brand">
          minq <small>{queues?.version}</small>
          {queues?.readOnly && <span class="badge">read-only</span>}
        </span>
        <nav aria-label="Pages">
          {NAV.map(([name, label]) => (
            <a
              key={name}
              href={hrefOf(name, { queue })}
              aria-current={
                name === page || (name === 'jobs' && page === 'job') ? 'page' : undefined
              }
            >
              {label}
            </a>
          ))}
        </nav>
      </header>
      <Link />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

/** Says it when what is shown may be no longer true. */
function Link(): JSX.Element {
  const now = useNow();
  const { lost, seenAt } = link;
  void now;
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
