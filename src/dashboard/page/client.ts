/** Talks to the server. Addresses are relative: nobody knows under which path the dashboard is mounted. */
import type { Action, ActionReply, ErrorReply } from './api.js';
import { setClock } from './clock.ts';

/** An answer that isn't the one asked for; without a status: no answer. */
export class RequestError extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 15_000;

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const reply = await ask<T & { now?: number }>(path, { signal });
  if (typeof reply.now === 'number') setClock(reply.now);
  return reply;
}

export const act = (action: Action): Promise<ActionReply> =>
  ask<ActionReply>('api/action', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'minq' },
    body: JSON.stringify(action),
  });

async function ask<T>(
  path: string,
  init: RequestInit & { signal?: AbortSignal | undefined },
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { cache: 'no-store', ...init, signal });
    text = await response.text();
  } catch {
    throw new RequestError('the dashboard gives no answer');
  }
  if (!response.ok)
    throw new RequestError(errorOf(text) ?? `HTTP ${response.status}`, response.status);
  try {
    return JSON.parse(text) as T;
  } catch {
    // A login page in between, for instance.
    throw new RequestError('the answer is not from the dashboard', response.status);
  }
}

function errorOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorReply>;
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** `api/jobs?queue=...`; what is undefined or empty is left out. */
export function apiPath(
  name: string,
  values: Record<string, string | number | undefined> = {},
): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') query.set(key, String(value));
  }
  return `api/${name}${query.size > 0 ? `?${query.toString()}` : ''}`;
}
