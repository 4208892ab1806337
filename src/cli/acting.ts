/** What the commands share that change something: asking first, and saying what was done. */
import { createInterface } from 'node:readline';
import { escapeControls } from '../job/log.ts';
import type { Values } from './command.ts';
import { onTerminal, print, printJson } from './terminal.ts';
import { UsageError } from './usage.ts';

/** Of commands that ask. */
export const YES = { yes: { type: 'boolean', short: 'y' } } as const;

/**
 * To be called before anything is looked at: where nobody can be asked, `--yes` must be there.
 * @throws {UsageError}
 */
export function checkYes(values: Values, what: string): void {
  if (values['yes'] === true || onTerminal()) return;
  throw new UsageError(`${what} can't be undone, and nobody can be asked here; give --yes`);
}

/** Asks on the terminal, unless `--yes` has answered. */
export async function agreed(values: Values, question: () => Promise<string>): Promise<boolean> {
  if (values['yes'] === true) return true;
  const asked = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const text = escapeControls(await question());
  try {
    const answer = await new Promise<string>((resolve) => {
      asked.once('close', () => resolve('')); // the end of the input is no yes
      asked.question(`${text} [y/N] `, resolve);
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asked.close();
  }
}

/** @returns the exit code */
export function done(values: Values, message: string, fields: object): number {
  if (values['json']) printJson({ done: true, ...fields });
  else print(message);
  return 0;
}

/** There was nothing to do it to, or it was not wanted after all. @returns the exit code */
export function notDone(values: Values, why: string, fields: object = {}): number {
  if (values['json']) printJson({ done: false, ...fields, why });
  else process.stderr.write(`minq: ${escapeControls(why)}\n`);
  return 1;
}

export const unwanted = (values: Values, fields: object = {}): number =>
  notDone(values, 'nothing was done', fields);
