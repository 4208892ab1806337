/** Shows something again every second, until it is stopped: `--watch`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnavailableError } from '../job/errors.ts';
import { Screen } from './screen.ts';
import { SIGNALS } from './supervisor.ts';
import { print, printJson } from './terminal.ts';

const EVERY_MS = 1_000;

/**
 * On a terminal it is drawn in place, elsewhere one block follows another; with `json`, one line another. That Redis
 * is away is said, and waited for, unless it was never there.
 * @param draw the lines to be shown, made for the terminal's width
 * @returns the exit code, when a signal has come or nobody reads any more
 */
export async function live<T>(
  read: () => Promise<T>,
  draw: (value: T) => string[],
  json: boolean,
): Promise<number> {
  let value: T = await read();
  let trouble: string | undefined;
  const stop = new AbortController();
  const { signal } = stop;
  const end = () => stop.abort();
  for (const each of SIGNALS) process.on(each, end);
  process.stdout.on('error', end);
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const lines = () => (trouble === undefined ? draw(value) : [trouble, '', ...draw(value)]);
  const screen = process.stdout.isTTY && !json ? new Screen(lines) : undefined;
  const show = () => {
    if (screen) screen.draw();
    else if (json) printJson(trouble === undefined ? value : { error: trouble });
    else print(...(trouble === undefined ? draw(value) : [trouble]), '');
  };
  try {
    for (;;) {
      show();
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return 0;
      const reading = read().then(
        (fresh) => {
          value = fresh;
          trouble = undefined;
        },
        (error: unknown) => {
          if (!(error instanceof RedisUnavailableError)) throw error;
          trouble = `Redis is away: ${error.message}`;
        },
      );
      await Promise.race([reading, stopped]);
      if (!signal.aborted) continue;
      reading.catch(() => {}); // nobody waits for it
      return 0;
    }
  } finally {
    screen?.close();
    for (const each of SIGNALS) process.off(each, end);
    process.stdout.off('error', end);
  }
}
