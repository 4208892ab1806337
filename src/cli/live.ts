/** Shows something again every second, until it is stopped: `--watch`. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnavailableError } from '../job/errors.ts';
import { escapeControls } from '../job/log.ts';
import { whenAskedToStop } from './process.ts';
import { columns, cut, painted, print, printJson } from './terminal.ts';

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
  const stopListening = whenAskedToStop(end);
  process.stdout.on('error', end);
  const stopped = once(signal, 'abort');
  const lines = () => (trouble === undefined ? draw(value) : [trouble, '', ...draw(value)]);
  const screen = process.stdout.isTTY && !json ? openScreen(lines, end) : undefined;
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
    stopListening();
    process.stdout.off('error', end);
  }
}

/** The other screen; no cursor; what is too wide is not wrapped. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END = '\u001b[J';

/** One key, of several that may have been pressed since. */
const KEY = new RegExp(String.raw`\u001b\[\d*[A-Z~]|[^]`, 'g');
/** Keys that scroll, a line or a page. */
const LINES = new Map([['\u001b[A', -1], ['k', -1], ['\u001b[B', 1], ['j', 1]]); // prettier-ignore
const PAGES = new Map([['\u001b[5~', -1], ['\u001b[6~', 1], [' ', 1]]); // prettier-ignore

/** The whole terminal, drawn again and again, and given back as it was on every way out. */
function openScreen(frame: () => string[], end: () => void) {
  const { stdin, stdout } = process;
  /** The first line that is shown. */
  let top = 0;
  const draw = () => {
    const rows = stdout.rows || 24;
    const all = frame().map((line) => cut(escapeControls(line), columns()));
    top = Math.max(0, Math.min(top, all.length - rows + 1));
    const lines = all.slice(top, top + rows);
    const over = all.length - top - rows;
    if (over > 0) lines.splice(rows - 1, 1, `… ${over + 1} more lines${stdin.isTTY ? ' (↓)' : ''}`);
    stdout.write(
      HOME + lines.map((line) => painted(line) + TO_END_OF_LINE).join('\n') + TO_END + HOME,
    );
  };
  const listen = (to: boolean) => {
    if (!stdin.isTTY) return;
    stdin.setRawMode(to);
    if (to) stdin.resume();
    else stdin.pause();
  };
  const leave = () => {
    listen(false);
    stdout.write(LEAVE);
  };
  const suspend = () => {
    leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  const resume = () => {
    listen(true);
    stdout.write(ENTER);
    draw();
  };
  // What it reads raw, the terminal makes no signals of.
  const onKeys = (bytes: Buffer) => {
    for (const key of bytes.toString().match(KEY) ?? []) press(key);
  };
  const press = (key: string) => {
    if (key === '\u0003') process.kill(process.pid, 'SIGINT');
    else if (key === '\u001a') suspend();
    else if (key === 'q') end();
    else {
      top += (LINES.get(key) ?? 0) + (PAGES.get(key) ?? 0) * ((stdout.rows || 24) - 2);
      draw();
    }
  };
  stdout.write(ENTER);
  listen(true);
  stdin.on('data', onKeys);
  stdout.on('resize', draw);
  process.on('exit', leave).on('SIGTSTP', suspend).on('SIGCONT', resume);
  return {
    draw,
    /** Gives the terminal back; the last frame stays on it. */
    close() {
      process.off('exit', leave).off('SIGTSTP', suspend).off('SIGCONT', resume);
      stdout.off('resize', draw);
      stdin.off('data', onKeys);
      leave();
      print(...frame());
    },
  };
}
