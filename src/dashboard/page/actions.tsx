/** What can be done to jobs, queues and cron entries: asked first where it can't be undone, told afterwards. */
import type { Action, ActionReply, JobRow, JobState } from './api.js';
import { clip, count, plural } from './format.ts';
import { act, refresh, server } from './server.ts';
import { Name } from './text.tsx';
import { Fragment, h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

interface Question {
  title: string;
  /** What will happen, and to how many. */
  text: string;
  about: [kind: 'Job' | 'Queue' | 'Worker', name: string];
  /** Names and values. */
  filter?: [string, string][];
  /** What the button says that does it. */
  verb: string;
  danger?: boolean;
}

interface Asked extends Question {
  answer: (yes: boolean) => void;
}

interface Notice {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 8_000;
const MOST_NOTICES = 4;

let lastNotice = 0;
/** What `Messages` shows; it stands beside the pages, so that no update closes it. */
let messages: { asked?: Asked | undefined; notices: Notice[] } = { notices: [] };
let draw: (shown: typeof messages) => void = () => {};

function show(changed: Partial<typeof messages>): void {
  messages = { ...messages, ...changed };
  draw(messages);
}

const drop = (id: number): void =>
  show({ notices: messages.notices.filter((notice) => notice.id !== id) });

/** Also to those who don't see the page. What went wrong stays until it is put away. */
function tell(text: string, bad = false): void {
  const id = ++lastNotice;
  show({ notices: [...messages.notices, { id, text, bad }].slice(-MOST_NOTICES) });
  if (!bad) setTimeout(() => drop(id), SHOWN_MS);
}

/** @returns whether the user said yes */
const confirmed = (question: Question): Promise<boolean> =>
  new Promise((answer) => show({ asked: { ...question, answer } }));

export function Messages(): JSX.Element {
  const [{ asked, notices }, set] = useState(messages);
  const dialog = useRef<HTMLDialogElement>(null);
  draw = set;
  useEffect(() => {
    dialog.current!.returnValue = '';
    if (asked) dialog.current!.showModal();
  }, [asked]);
  return (
    <Fragment>
      <div class="notices" role="status" aria-live="polite">
        {notices.map(({ id, text, bad }) => (
          <div key={id} class={bad ? 'notice bad' : 'notice'}>
            <span>
              <bdi>{bad ? `Not done: ${text}` : text}</bdi>
            </span>
            <button type="button" aria-label="Put this message away" onClick={() => drop(id)}>
              ×
            </button>
          </div>
        ))}
      </div>
      <dialog
        ref={dialog}
        aria-labelledby="question"
        aria-describedby="question-body"
        onClose={() => {
          asked?.answer(dialog.current!.returnValue === 'yes');
          show({ asked: undefined });
        }}
      >
        {asked && <Asking {...asked} />}
      </dialog>
    </Fragment>
  );
}

/** A form that closes the dialog it stands in, with the value of the button. */
const Asking = ({ title, text, about, filter = [], verb, danger }: Question): JSX.Element => (
  <form method="dialog">
    <h2 id="question">{title}</h2>
    <div id="question-body">
      <p>
        {text} {about[0]} <Name text={about[1]} />
      </p>
      {filter.length > 0 && (
        <ul>
          {filter.map(([name, value]) => (
            <li key={name}>
              {name} <Name text={value} />
            </li>
          ))}
        </ul>
      )}
    </div>
    <div class="buttons">
      <button autofocus>Keep as it is</button>
      <button class={danger ? 'danger' : 'primary'} value="yes">
        {verb}
      </button>
    </div>
  </form>
);

async function perform(
  action: Action,
  told: (reply: ActionReply) => string,
  first?: Question,
): Promise<void> {
  if (first && !(await confirmed(first))) return;
  try {
    tell(told(await act(action)));
  } catch (error) {
    tell((error as Error).message, true);
  }
  refresh();
}

interface DoProps {
  what: () => Promise<void>;
  small?: boolean | undefined;
  children: ComponentChildren;
}

/** A button that does something; there is none where nothing may be done. */
export function Do({ what, small, children }: DoProps): JSX.Element | null {
  if (server.readOnly) return null;
  return (
    <button type="button" class={small ? 'small' : undefined} onClick={() => void what()}>
      {children}
    </button>
  );
}

type Job = Pick<JobRow, 'id' | 'state' | 'failedStep'>;
type JobAction = 'retry' | 'runNow' | 'cancel' | 'remove';

/** What may be done to a job as it is. A step that failed because another did waits again when that one is retried. */
function actionsFor({ state, failedStep }: Job): JobAction[] {
  if (failedStep !== undefined || state === 'completed') return ['remove'];
  if (state === 'failed' || state === 'cancelled') return ['retry', 'remove'];
  if (state === 'scheduled') return ['runNow', 'cancel', 'remove'];
  return state === 'active' ? ['cancel'] : ['cancel', 'remove'];
}

interface JobActionsProps {
  queue: string;
  job: Job;
  /** One of many: small, and says which. */
  listed?: boolean;
}

export const JobActions = ({ queue, job, listed }: JobActionsProps): JSX.Element => (
  <Fragment>
    {actionsFor(job).map((action) => (
      <Do key={action} small={listed} what={() => onJob(action, queue, job)}>
        {LABELS[action]}
        {listed && <span class="sr"> job {job.id.slice(0, 100)}</span>}
      </Do>
    ))}
  </Fragment>
);

const LABELS = { retry: 'Retry', runNow: 'Run now', cancel: 'Cancel', remove: 'Remove' };
const DONE = {
  retry: 'is queued again',
  runNow: 'is queued',
  cancel: 'is cancelled',
  remove: 'is removed',
};

function onJob(action: JobAction, queue: string, { id, state }: Job): Promise<void> {
  const shown = clip(id, 60);
  const question = (verb: string, text: string): Question => ({
    title: `${verb} this job?`,
    text,
    about: ['Job', id],
    verb: `${verb} the job`,
    danger: true,
  });
  const questions = {
    retry: undefined,
    runNow: undefined,
    cancel: question(
      'Cancel',
      state === 'active'
        ? 'It runs now: its signal is aborted, and its result is not kept.'
        : 'It will not run.',
    ),
    remove: question('Remove', 'Nothing will be known of it any more: arguments, result, error.'),
  };
  return perform(
    { action, queue, id },
    ({ done, revived = 0, forgotten }) =>
      done
        ? `Job ${shown} ${DONE[action]}${
            forgotten
              ? '; the steps after it stay failed, for one of them, or a result they need, is kept no more'
              : revived > 0
                ? `; ${plural(revived, 'step of its flow waits', 'steps of its flow wait')} for it again`
                : ''
          }`
        : `${LABELS[action]}: nothing was done, job ${shown} is in another state by now`,
    questions[action],
  );
}

const kindAction =
  (action: 'retryKind' | 'removeKind', verb: string, done: string, text: string) =>
  (queue: string, key: string, fn: string | undefined, many: number): Promise<void> =>
    perform(
      { action, queue, key },
      (reply) => `${plural(reply.count ?? 0, 'job is', 'jobs are')} ${done}`,
      {
        title: `${verb} ${plural(many, 'failed job')}?`,
        text,
        about: ['Queue', queue],
        filter: [['function', fn ?? '(unreadable)']],
        verb: `${verb} ${count(many)}`,
        danger: action === 'removeKind',
      },
    );

/** All that fail in the same way. */
export const retryKind = kindAction(
  'retryKind',
  'Retry',
  'queued again',
  'All that fail in this way start again with their first attempt.',
);
export const removeKind = kindAction(
  'removeKind',
  'Remove',
  'removed',
  'Arguments and errors of all that fail in this way are lost.',
);

const THESE = {
  retry: ['Retry', 'queued again', 'They start again with their first attempt.'],
  remove: ['Remove', 'removed', 'Nothing will be known of them any more.'],
  cancel: ['Cancel', 'cancelled', 'They will not run; those that run now are aborted.'],
} as const;

/** Those that were ticked. */
export function onThese(
  what: keyof typeof THESE,
  queue: string,
  ids: readonly string[],
): Promise<void> {
  const [verb, done, text] = THESE[what];
  return perform(
    { action: `${what}These`, queue, ids: [...ids] },
    (reply) =>
      `${plural(reply.count ?? 0, 'job is', 'jobs are')} ${done}${
        reply.count === ids.length
          ? ''
          : `; ${ids.length - (reply.count ?? 0)} were in another state by now`
      }`,
    {
      title: `${verb} ${plural(ids.length, 'job')}?`,
      text,
      about: ['Queue', queue],
      verb: `${verb} ${count(ids.length)}`,
      danger: what !== 'retry',
    },
  );
}

export const copyJob = (queue: string, id: string, args: string): Promise<void> =>
  perform({ action: 'copy', queue, id, args }, (reply) => `Enqueued as job ${reply.id}`);

export const setLimit = (queue: string, rate: string, concurrency: string): Promise<void> =>
  perform(
    {
      action: 'limit',
      queue,
      ...(rate !== '' && { rate }),
      ...(concurrency !== '' && { concurrency: Number(concurrency) }),
    },
    () => `Queue ${clip(queue, 60)} ${rate || concurrency ? 'is limited' : 'has no limits'}`,
  );

/** @param total failed ones, whatever the filter */
export function retryAll(queue: string, fn: string, error: string, total: number): Promise<void> {
  const filter: [string, string][] = [];
  if (fn) filter.push(['function', fn]);
  if (error) filter.push(['error with', error]);
  const filtered = filter.length > 0;
  const jobs = plural(total, 'failed job');
  return perform(
    { action: 'retryAll', queue, ...(fn && { fn }), ...(error && { error }) },
    (reply) => `${plural(reply.count ?? 0, 'job is', 'jobs are')} queued again`,
    {
      title: filtered ? 'Retry all failed jobs that match?' : `Retry all ${jobs}?`,
      text: filtered
        ? `Those of the ${jobs} that match start again with their first attempt:`
        : 'They start again with their first attempt.',
      about: ['Queue', queue],
      filter,
      verb: filtered ? 'Retry those that match' : `Retry ${count(total)}`,
    },
  );
}

type Purgeable = Extract<Action, { action: 'purge' }>['state'];

export const isPurgeable = (state: JobState): state is Purgeable =>
  state !== 'active' && state !== 'waiting';

export function purge(queue: string, state: Purgeable, total: number): Promise<void> {
  const waits = state === 'queued' || state === 'scheduled';
  const lost = waits ? 'They will never run.' : 'Arguments, results and errors are lost.';
  return perform(
    { action: 'purge', queue, state },
    (reply) => `${plural(reply.count ?? 0, `${state} job is`, `${state} jobs are`)} removed`,
    {
      title: `Remove all ${plural(total, `${state} job`)}?`,
      text: `${lost} Whatever the filter: all that are in this state.`,
      about: ['Queue', queue],
      verb: `Remove ${count(total)}`,
      danger: true,
    },
  );
}

export const setPaused = (queue: string, paused: boolean): Promise<void> =>
  perform(
    { action: paused ? 'pause' : 'resume', queue },
    () => `Queue ${clip(queue, 60)} ${paused ? 'is paused: nothing new starts' : 'goes on'}`,
  );

export const runNow = (queue: string, name: string): Promise<void> =>
  perform({ action: 'run', queue, name }, ({ id, done }) =>
    done
      ? `${clip(name, 60)} is queued${id ? ` as job ${clip(id, 60)}` : ''}`
      : `${clip(name, 60)} was not queued`,
  );

export const pauseEntry = (queue: string, name: string, paused: boolean): Promise<void> =>
  perform({ action: paused ? 'pauseSchedule' : 'resumeSchedule', queue, name }, ({ done }) =>
    done
      ? `${clip(name, 60)} ${paused ? 'is paused: it fires no more until it is resumed' : 'fires again'}`
      : `${clip(name, 60)} is no cron entry any more`,
  );

/** Of an order that a worker was given. */
const told = (place: string, what: string) => (reply: ActionReply) =>
  reply.done ? `${clip(place, 60)} ${what}` : `${clip(place, 60)} did not answer within a second`;

export const resizeWorker = (
  queue: string,
  id: string,
  place: string,
  concurrency: number,
): Promise<void> =>
  perform(
    { action: 'resizeWorker', queue, id, concurrency },
    told(place, `takes ${plural(concurrency, 'job')} at once until it is started again`),
  );

export const stopWorker = (queue: string, id: string, place: string): Promise<void> =>
  perform({ action: 'stopWorker', queue, id }, told(place, 'is stopping'), {
    title: 'Stop this worker?',
    text: 'It claims no more, and what it runs may finish. Whoever supervises it may start another.',
    about: ['Worker', place],
    verb: 'Stop the worker',
    danger: true,
  });
