/** Says what became of an action, also to those who don't see the page. */
import { h, type JSX } from './vendor/preact.js';
import { useEffect, useState } from './vendor/hooks.js';

interface Notice {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 8_000;
const MOST = 4;

let last = 0;
let listener: ((notice: Notice) => void) | undefined;

export function tell(text: string, bad = false): void {
  listener?.({ id: ++last, text, bad });
}

export function Notices(): JSX.Element {
  const [notices, setNotices] = useState<Notice[]>([]);
  const drop = (id: number): void => setNotices((all) => all.filter((notice) => notice.id !== id));
  useEffect(() => {
    listener = (notice) => {
      setNotices((all) => [...all, notice].slice(-MOST));
      // What went wrong stays until it is put away.
      if (!notice.bad) setTimeout(() => drop(notice.id), SHOWN_MS);
    };
    return () => void (listener = undefined);
  }, []);
  return (
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
  );
}
