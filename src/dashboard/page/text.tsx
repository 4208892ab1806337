/** What users wrote - names, ids, values, errors - shown as text and as nothing else. */
import type { JobState, Text } from './api.js';
import { clip, count } from './format.ts';
import { h, type JSX } from './vendor/preact.js';

const MOST_OF_A_NAME = 120;
const MOST_OF_A_TITLE = 600;

/** Kept apart from what stands around it, so that it can't turn the direction of that. */
export function Name({
  text,
  most = MOST_OF_A_NAME,
}: {
  text: string;
  most?: number;
}): JSX.Element {
  const cut = text.length > most;
  return (
    <bdi class="name" title={cut ? clip(text, MOST_OF_A_TITLE) : undefined}>
      {text === '' ? '(empty)' : clip(text, most)}
    </bdi>
  );
}

/** A long text as it is. */
export function Value({ value, label }: { value: Text; label: string }): JSX.Element {
  return (
    <div class="value">
      <pre tabIndex={0} aria-label={label}>
        <bdi>{value.text}</bdi>
      </pre>
      {value.cut > 0 && <p class="cut">{count(value.cut)} more characters are not shown</p>}
    </div>
  );
}

/** Never by its colour alone: the word is always there. */
export function State({ state }: { state: JobState | 'unknown' }): JSX.Element {
  return <span class={`state s-${stateClass(state)}`}>{clip(state, 20)}</span>;
}

const KNOWN = ['waiting', 'scheduled', 'queued', 'active', 'completed', 'failed', 'cancelled'];

/** A class name that is surely one of ours. */
export const stateClass = (state: string): string => (KNOWN.includes(state) ? state : 'unknown');
