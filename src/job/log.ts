/** Logging: a four-method interface that `console`, winston and pino fit, and the two loggers the CLI uses. */
import { JSON, Date } from './globals.ts';

/** What goes with a line of a log, by name. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/**
 * Anything with these four methods; `fields` are plain values such as `id` and `fn`. pino and bunyan, which take the
 * fields first, are known as such and get them first.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

type Level = keyof Logger;

/** What nobody wants to hear. Known by identity, so that no line is put together for it in the hot path. */
export const unheard = (): void => {};

/**
 * The logger as minq calls it. pino and bunyan take the fields before the message, and would drop without a word what
 * comes after it. They are known by a method that no other has: theirs on what a child logger inherits.
 */
export function messageFirst(logger: Logger): Logger {
  if (!['bindings', 'addSerializers'].some((name) => isMethod(logger, name))) return logger;
  const fieldsFirst = logger as unknown as Record<Level, (fields: LogFields, text: string) => void>;
  const at =
    (level: Level): Logger[Level] =>
    (message, fields = {}) =>
      fieldsFirst[level](fields, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const isMethod = (object: object, name: string): boolean =>
  typeof (object as Record<string, unknown>)[name] === 'function';

/**
 * Makes text safe for a terminal and a log line: C0 and C1 controls, line separators and
 * direction marks are written as escapes, and so is what nobody sees (zero width, tags), so that a job's name can't forge a line or move the cursor.
 */
export function escapeControls(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex -- finding control characters is this function's job
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu,
    (c) => (c === '\n' ? '\\n' : c === '\t' ? '\\t' : escaped(c.codePointAt(0)!)),
  );
}

const escaped = (code: number): string =>
  code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;

function fieldText(value: string | number | boolean): string {
  const text = escapeControls(String(value));
  return /^[^\s="]+$/.test(text) ? text : JSON.stringify(text).replaceAll('\\\\', '\\');
}

/** `12:00:01.123 info  job completed id=.. fn=..`: a line a person reads. */
export function textLine(time: Date, level: Level, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${time.toISOString().slice(11, 23)} ${level.padEnd(5)} ${escapeControls(message)}${pairs.join('')}`;
}

/** `{"time":"...","level":"info","message":"job completed","id":"..."}`: a line a machine reads. */
export function jsonLine(time: Date, level: Level, message: string, fields: LogFields): string {
  // JSON escapes the C0 controls only.
  return escapeControls(JSON.stringify({ time: time.toISOString(), level, message, ...fields }));
}

export interface LineLoggerOptions {
  json?: boolean;
  verbose?: boolean;
  write?: (line: string) => void;
}

/** Writes one line per message to standard error; `debug` only when `verbose`. */
export function lineLogger(options: LineLoggerOptions = {}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const format = options.json ? jsonLine : textLine;
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}) =>
      write(format(new Date(), level, message, fields));
  return {
    debug: options.verbose ? at('debug') : unheard,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
