/** Texts, names, states and times as they are shown. What users wrote is text and nothing else. */
import type { JobState, Text } from './api.js';
import { ago, clip, count, duration, instant } from './format.ts';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useEffect, useState } from './vendor/hooks.js';

const MOST_OF_A_NAME = 120;
const MOST_OF_A_TITLE = 600;

interface NameProps {
  text: string;
  most?: number;
}

/** Kept apart from what stands around it, so that it can't turn the direction of that. */
export function Name({ text, most = MOST_OF_A_NAME }: NameProps): JSX.Element {
  const cut = text.length > most;
  return (
    <bdi class="name" title={cut ? clip(text, MOST_OF_A_TITLE) : undefined}>
      {text === '' ? '(empty)' : clip(text, most)}
    </bdi>
  );
}

type NameLinkProps = NameProps & JSX.IntrinsicElements['a'] & { href: string };

export const NameLink = ({ text, most, ...link }: NameLinkProps): JSX.Element => (
  <a {...link}>
    <Name text={text} most={most} />
  </a>
);

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

/** In the order in which somebody looks for what is wrong. */
export const STATES: readonly JobState[] = [
  'failed',
  'queued',
  'active',
  'scheduled',
  'waiting',
  'completed',
  'cancelled',
];

/** A class name that is surely one of ours. */
export const stateClass = (state: string): string =>
  `s-${STATES.find((known) => known === state) ?? 'unknown'}`;

/** Never by its colour alone: the word is always there. */
export const State = ({ state }: { state: string }): JSX.Element => (
  <span class={`state ${stateClass(state)}`}>{clip(state, 20)}</span>
);

interface FactProps {
  name: string;
  /** A time to show; there is no such fact while it is undefined. */
  at?: number | undefined;
  bad?: boolean | undefined;
  children?: ComponentChildren;
}

export function Fact({ name, at, bad, children }: FactProps): JSX.Element | null {
  if (at === undefined && children === undefined) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd class={bad ? 'bad' : undefined}>{children ?? <Time at={at} />}</dd>
    </div>
  );
}

/** Why there is nothing to show. */
export function Trouble({ data, error }: { data?: unknown; error?: Error }): JSX.Element | null {
  if (!error || data) return null;
  return (
    <p class="empty" role="alert">
      <Name text={error.message} most={400} />
    </p>
  );
}

let aheadMs = 0;

/** @param redisNow as a reply that has just come says */
export function setClock(redisNow: number): void {
  const ahead = redisNow - Date.now();
  // Within the time a reply takes it's the same clock: else ages would tremble.
  if (Math.abs(ahead - aheadMs) > 1_500) aheadMs = ahead;
}

const now = (): number => Date.now() + aheadMs;

/** Draws its user again every second, while somebody looks. */
export function useNow(): number {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setAt(now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(at, now());
}

interface TimeProps {
  at: number | undefined;
  /** Shows the exact time at once. */
  exactly?: boolean;
}

/** `4 min ago`; the exact time shows when pointed at or focused. */
export function Time({ at, exactly }: TimeProps): JSX.Element {
  const now = useNow();
  if (at === undefined) return <span class="none">–</span>;
  const exact = instant(at);
  if (exactly) {
    return (
      <span>
        {ago(at, now)} <small>{exact.replace(/\.\d+/, '')}</small>
      </span>
    );
  }
  return (
    <span class="time" tabIndex={0} data-tip={exact}>
      {ago(at, now)}
      <span class="sr"> ({exact})</span>
    </span>
  );
}

/** How long something has been going on; ticks. */
export function Since({ at }: { at: number }): JSX.Element {
  const now = useNow();
  return <span>{duration(Math.max(0, now - at))}</span>;
}
