/** The server: asked again and again, so that pages are true without reloading - but not while nobody looks. */
import type { Action, ActionReply, ErrorReply } from './api.js';
import { setClock } from './text.tsx';
import { useEffect, useState } from './vendor/hooks.js';

/** What is known of it, for all the page to see. */
export const server = {
  /** Why it can't be reached. */
  lost: undefined as string | undefined,
  seenAt: Date.now(),
  /** No action is allowed. */
  readOnly: false,
  /** The token is asked for. */
  locked: false,
};

/** An answer that isn't the one asked for; without a status: no answer. */
export class RequestError extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 15_000;

/** @param path behind `api/`: relative, for nobody knows under which path the dashboard is mounted */
export async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const reply = await ask<T & { now?: number; readOnly?: boolean }>(path, { signal });
  if (reply.now !== undefined) setClock(reply.now);
  if (reply.readOnly !== undefined) server.readOnly = reply.readOnly;
  return reply;
}

export const act = (action: Action): Promise<ActionReply> => post<ActionReply>('action', action);

/** @throws {RequestError} for a wrong one */
export const logIn = (token: string): Promise<unknown> => post('login', { token });

const post = <T>(path: string, body: object): Promise<T> =>
  ask<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  let text: string;
  try {
    const headers = new Headers(init.headers);
    headers.set('x-requested-with', 'minq');
    response = await fetch(`api/${path}`, { cache: 'no-store', ...init, headers, signal });
    text = await response.text();
  } catch {
    throw new RequestError('the dashboard gives no answer');
  }
  let reply: (T & Partial<ErrorReply>) | undefined;
  try {
    reply = JSON.parse(text) as T & Partial<ErrorReply>;
  } catch {
    // A login page in between, for instance.
  }
  const { ok, status } = response;
  if (!path.startsWith('login')) server.locked = status === 401;
  if (!ok) throw new RequestError(reply?.error ?? `HTTP ${status}`, status);
  if (!reply) throw new RequestError('the answer is not from the dashboard', status);
  return reply;
}

const hurries = new Set<() => void>();

/** Asks again now: something was done. */
export function refresh(): void {
  for (const hurry of hurries) hurry();
}

/** The last good answers. */
const kept = new Map<string, unknown>();
const MOST_KEPT = 20;

function keep(key: string, data: unknown): void {
  kept.delete(key);
  kept.set(key, data);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
}

export interface Polled<T> {
  /** The last good answer; stays while the server can't be reached. */
  data?: T;
  /** Of the last try. */
  error?: RequestError;
}

/** @param path behind `api/` */
export const useReply = <T>(path: string, everyMs = 2_000): Polled<T> =>
  usePoll<T>(path, (signal) => get(path, signal), everyMs);

/** @param key all of what is asked for: another one begins anew, with the answer it had last time, if any */
export function usePoll<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { key: string }>({ key });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running: AbortController | undefined;

    const run = async (): Promise<void> => {
      clearTimeout(timer);
      running?.abort();
      const { signal } = (running = new AbortController());
      const began = performance.now();
      let error: RequestError | undefined;
      try {
        const data = await load(signal);
        if (!signal.aborted) keep(key, data);
      } catch (thrown) {
        error = thrown instanceof RequestError ? thrown : new RequestError(String(thrown));
      }
      if (signal.aborted) return;
      const lost = error && (error.status === undefined || error.status >= 500);
      server.lost = lost ? error?.message : undefined;
      if (!lost) server.seenAt = Date.now();
      setPolled({ key, data: kept.get(key) as T | undefined, error });
      // What takes the server long is asked less often.
      const pause = Math.max(everyMs, 5 * (performance.now() - began));
      if (!document.hidden) timer = setTimeout(hurry, pause);
    };
    const hurry = (): void => void run();
    const look = (): void => (document.hidden ? clearTimeout(timer) : hurry());

    document.addEventListener('visibilitychange', look);
    hurries.add(hurry);
    hurry();
    return () => {
      clearTimeout(timer);
      running?.abort();
      document.removeEventListener('visibilitychange', look);
      hurries.delete(hurry);
    };
  }, [key, everyMs]);

  return polled.key === key ? polled : { data: kept.get(key) as T | undefined };
}
