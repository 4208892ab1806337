/**
 * What a job says by `currentJob().log`: it goes to the worker's logger, and the newest of it is kept with the job when it fails, or
 * where its function has `keepLogs`. Most jobs log nothing, and have none.
 */
import { UNREADABLE } from '../job/codec.ts';
import { Date } from '../job/globals.ts';
import type { Outcome } from '../job/job.ts';
import { textLine, type LogFields, type Logger } from '../job/log.ts';
import { MAX_LOG } from '../store/scripts/upkeep.ts';

/** What is to be kept of it, if anything is. */
export const keptOf = (
  log: RunLog,
  keepLogs: boolean | undefined,
  { kind }: Outcome,
): string | undefined =>
  (keepLogs ?? (kind === 'failed' || kind === 'retry')) ? log.kept : undefined;

export class RunLog implements Logger {
  readonly #logger: Logger;
  readonly #own: LogFields;
  /** Lines, the newest last. */
  #kept = '';

  constructor(logger: Logger, own: LogFields) {
    this.#logger = logger;
    this.#own = own;
  }

  get kept(): string {
    return this.#kept;
  }

  // A logger's methods may be taken out of it.
  readonly debug: Logger['debug'] = (message, fields) => this.#say('debug', message, fields);
  readonly info: Logger['info'] = (message, fields) => this.#say('info', message, fields);
  readonly warn: Logger['warn'] = (message, fields) => this.#say('warn', message, fields);
  readonly error: Logger['error'] = (message, fields) => this.#say('error', message, fields);

  #say(level: keyof Logger, message: string, fields?: LogFields): void {
    this.#logger[level](message, { ...this.#own, ...fields });
    this.#kept += `${lineOf(level, message, fields).slice(0, MAX_LOG / 4)}\n`;
    // Cut now and then only: what is too much is cut where it is stored.
    if (this.#kept.length > 4 * MAX_LOG) this.#kept = this.#kept.slice(-MAX_LOG);
  }
}

/** Whatever is given for a text: what can't be made one is no reason to disturb the job. */
function lineOf(level: keyof Logger, message: unknown, fields: LogFields = {}): string {
  try {
    return textLine(new Date(), level, String(message), fields);
  } catch {
    return textLine(new Date(), level, UNREADABLE, {});
  }
}
