/** Asks before something is done that can't be undone. Stands beside the pages, so that no update closes it. */
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';

export interface Question {
  title: string;
  /** What will happen, and to how many. */
  body: ComponentChildren;
  /** What the button says that does it. */
  verb: string;
  danger?: boolean;
}

interface Asked extends Question {
  answer: (yes: boolean) => void;
}

let show: ((asked: Asked) => void) | undefined;

/** @returns whether the user said yes */
export const confirmed = (question: Question): Promise<boolean> =>
  new Promise((answer) => (show ? show({ ...question, answer }) : answer(false)));

export function ConfirmDialog(): JSX.Element {
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    show = setAsked;
    return () => void (show = undefined);
  }, []);
  useEffect(() => {
    if (asked && !dialog.current!.open) dialog.current!.showModal();
  }, [asked]);

  const close = (yes: boolean): void => {
    asked?.answer(yes);
    setAsked(undefined);
    dialog.current!.close();
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      aria-describedby="question-body"
      onCancel={(event) => {
        event.preventDefault();
        close(false);
      }}
    >
      {asked && (
        <div>
          <h2 id="question">{asked.title}</h2>
          <div id="question-body">{asked.body}</div>
          <div class="buttons">
            <button type="button" autofocus onClick={() => close(false)}>
              Keep as it is
            </button>
            <button
              type="button"
              class={asked.danger ? 'danger' : 'primary'}
              onClick={() => close(true)}
            >
              {asked.verb}
            </button>
          </div>
        </div>
      )}
    </dialog>
  );
}
