/** Asks again and again, so that pages are true without reloading: not while nobody looks. */
import { RequestError } from './client.ts';
import { useEffect, useRef, useState } from './vendor/hooks.js';

export interface Polled<T> {
  /** The last good answer; stays while the server can't be reached. */
  data?: T;
  /** Of the last try. */
  error?: RequestError;
}

/** Whether the server answers, for all the page to know. */
export const link = { lost: undefined as string | undefined, seenAt: Date.now() };

const hurries = new Set<() => void>();
const kept = new Map<string, unknown>();
const MOST_KEPT = 20;

/** Asks again now: something was done. */
export function refresh(): void {
  for (const hurry of hurries) hurry();
}

/**
 * @param key what is asked for: another one begins anew, with the answer it had last time, if any
 * @param load asks; undefined: there is nothing to ask yet
 */
export function usePoll<T>(
  key: string,
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  everyMs: number,
): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { key: string }>({ key });
  const latest = useRef(load);
  latest.current = load;
  const asks = load !== undefined;

  useEffect(() => {
    if (!asks) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running: AbortController | undefined;
    let over = false;

    const run = async (): Promise<void> => {
      clearTimeout(timer);
      running?.abort();
      const mine = (running = new AbortController());
      const began = performance.now();
      try {
        const data = await latest.current!(mine.signal);
        if (over || mine.signal.aborted) return;
        keep(key, data);
        answered();
        setPolled({ key, data });
      } catch (error) {
        if (over || mine.signal.aborted) return;
        const known = error instanceof RequestError ? error : new RequestError(String(error));
        if (known.status === undefined || known.status >= 500) link.lost = known.message;
        else answered();
        setPolled((before) => ({
          key,
          error: known,
          ...(before.key === key && before.data !== undefined && { data: before.data }),
        }));
      }
      // What takes the server long is asked less often.
      const pause = Math.max(everyMs, 5 * (performance.now() - began));
      if (!document.hidden) timer = setTimeout(() => void run(), pause);
    };
    const look = (): void => {
      if (document.hidden) clearTimeout(timer);
      else void run();
    };
    const hurry = (): void => void run();

    document.addEventListener('visibilitychange', look);
    hurries.add(hurry);
    void run();
    return () => {
      over = true;
      clearTimeout(timer);
      running?.abort();
      document.removeEventListener('visibilitychange', look);
      hurries.delete(hurry);
    };
  }, [key, asks, everyMs]);

  if (polled.key === key) return polled;
  const before = kept.get(key) as T | undefined;
  return before === undefined ? {} : { data: before };
}

function keep(key: string, data: unknown): void {
  kept.delete(key);
  kept.set(key, data);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
}

function answered(): void {
  link.lost = undefined;
  link.seenAt = Date.now();
}
