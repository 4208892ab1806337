/** What the keyboard does, wherever one isn't writing. */
import { hrefOf, parseRoute, type PageName } from './route.ts';
import { nextTheme } from './theme.ts';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

const KEYS: [key: string, what: string][] = [
  ['/', 'look for a job by its id'],
  ['g h', 'overview'],
  ['g f', 'failures'],
  ['g j', 'jobs'],
  ['g w', 'workers'],
  ['g c', 'cron'],
  ['t', 'light, dark, as the system has it'],
  ['?', 'these keys'],
  ['Esc', 'close'],
];
const GO: Record<string, PageName> = {
  h: 'overview',
  f: 'failures',
  j: 'jobs',
  w: 'workers',
  c: 'cron',
};

let open: (yes: boolean) => void = () => {};

export const showKeys = (): void => open(true);

let before = '';
addEventListener('keydown', (event) => {
  const writing =
    event.target instanceof Element && event.target.closest('input, select, textarea, dialog');
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  const page = before === 'g' ? GO[key] : undefined;
  before = key;
  if (page) location.hash = hrefOf(page, { queue: pageQueue(page) });
  else if (key === '?') showKeys();
  else if (key === 't') nextTheme();
  else if (key === '/') document.querySelector<HTMLInputElement>('input[name="find"]')?.focus();
  else return;
  event.preventDefault();
});

/** The overview is of all of them. */
const pageQueue = (page: PageName): string | undefined =>
  page === 'overview' ? undefined : parseRoute(location.hash).with['queue'];

/** They stand beside the pages, so that no update closes them. */
export function Keys(): JSX.Element | null {
  const [shown, set] = useState(false);
  open = set;
  return shown ? <Shown /> : null;
}

function Shown(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys" onClose={() => open(false)}>
      <form method="dialog">
        <h2 id="keys">Keys</h2>
        <dl>
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <div class="buttons">
          <button autofocus>Close</button>
        </div>
      </form>
    </dialog>
  );
}
