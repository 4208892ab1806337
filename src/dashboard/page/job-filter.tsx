/** Which jobs are shown: by function, by text of the error; and the way straight to one. */
import { jobHref } from './route.ts';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

interface JobFilterProps {
  queue: string;
  fn: string;
  error: string;
  /** Of the jobs that are shown. */
  functions: readonly string[];
  onFilter: (fn: string, error: string) => void;
}

const PAUSE_MS = 300;

export function JobFilter({ queue, fn, error, functions, onFilter }: JobFilterProps): JSX.Element {
  const [text, setText] = useState({ fn, error });
  const [id, setId] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // Changed elsewhere, by a link or the way back: but not while somebody types.
  useEffect(() => {
    if (timer.current === undefined) setText({ fn, error });
  }, [fn, error]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const send = (next: { fn: string; error: string }): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    onFilter(next.fn, next.error);
  };
  const typed = (next: { fn: string; error: string }): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(next), PAUSE_MS);
  };
  return (
    <div class="filters">
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          send(text);
        }}
      >
        <label>
          <span>Function (its whole name)</span>
          <input
            type="search"
            name="fn"
            list="functions"
            value={text.fn}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => typed({ ...text, fn: event.currentTarget.value })}
          />
        </label>
        <label>
          <span>Text in the error</span>
          <input
            type="search"
            name="error"
            value={text.error}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => typed({ ...text, error: event.currentTarget.value })}
          />
        </label>
        <datalist id="functions">
          {functions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      <form
        class="jump"
        onSubmit={(event) => {
          event.preventDefault();
          if (id.trim() !== '') location.hash = jobHref(queue, id.trim());
        }}
      >
        <label>
          <span>Job id</span>
          <input
            type="text"
            name="id"
            value={id}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setId(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Open</button>
      </form>
    </div>
  );
}
