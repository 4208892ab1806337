/** What is written to standard output: lines for people, JSON for programs. */
import { escapeControls } from '../job/log.ts';

/** Columns there are; as many as you like where no terminal shows them. */
export function columns(): number {
  const told = Number(process.env['COLUMNS']);
  if (Number.isSafeInteger(told) && told > 0) return told;
  return process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
}

/** Whoever reads this can be asked: a terminal is before them, and answers come from it. */
export const onTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

export function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${escapeControls(line)}\n`).join(''));
}

/** On one line. JSON escapes the C0 controls only. */
export function printJson(value: unknown): void {
  process.stdout.write(`${escapeControls(JSON.stringify(value))}\n`);
}

/** Resolves when all that was printed has been read, or nobody will: the process may end then. */
export const written = (): Promise<void> =>
  new Promise((resolve) => process.stdout.write('', () => resolve()));
