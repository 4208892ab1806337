/** Which jobs are shown: by function, by text of the error; and the way straight to one. */
import { jobHref } from './route.ts';
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

interface Filter {
  fn: string;
  error: string;
}

interface JobFilterProps {
  queue: string;
  filter: Filter;
  /** Of the jobs that are shown. */
  functions: readonly string[];
  onFilter: (filter: Filter) => void;
}

const PAUSE_MS = 300;

export function JobFilter({ queue, filter, functions, onFilter }: JobFilterProps): JSX.Element {
  const [text, setText] = useState(filter);
  const [id, setId] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // Changed elsewhere, by a link or the way back: but not while somebody types.
  useEffect(() => {
    if (timer.current === undefined) setText(filter);
  }, [filter.fn, filter.error]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const send = (next: Filter): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    onFilter(next);
  };
  const typed = (next: Filter): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(next), PAUSE_MS);
  };
  return (
    <div class="filters">
      <form role="search" onSubmit={instead(() => send(text))}>
        <Field
          label="Function (its whole name)"
          type="search"
          name="fn"
          list="functions"
          value={text.fn}
          onText={(fn) => typed({ ...text, fn })}
        />
        <Field
          label="Text in the error"
          type="search"
          name="error"
          value={text.error}
          onText={(error) => typed({ ...text, error })}
        />
        <datalist id="functions">
          {functions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      <form
        class="jump"
        onSubmit={instead(() => {
          if (id.trim() !== '') location.hash = jobHref(queue, id.trim());
        })}
      >
        <Field label="Job id" type="text" name="id" value={id} onText={setId} />
        <button type="submit">Open</button>
      </form>
    </div>
  );
}

const instead =
  (act: () => void) =>
  (event: Event): void => {
    event.preventDefault();
    act();
  };

interface FieldProps {
  label: string;
  type: 'search' | 'text';
  name: string;
  list?: string;
  value: string;
  onText: (text: string) => void;
}

const Field = ({ label, onText, ...input }: FieldProps): JSX.Element => (
  <label>
    <span>{label}</span>
    <input
      {...input}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  </label>
);
