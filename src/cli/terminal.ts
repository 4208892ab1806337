/** What is written to standard output: lines and columns for people, JSON for programs. */
import { escapeControls } from '../job/log.ts';
import type { Given } from './command.ts';

/** Columns there are; as many as you like where no terminal shows them. */
export function columns(): number {
  const told = Number(process.env['COLUMNS']);
  if (Number.isSafeInteger(told) && told > 0) return told;
  return process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
}

export function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${painted(escapeControls(line))}\n`).join(''));
}

/**
 * Colours stand in a text as characters that are none, until it is written: so they take no room, and are no controls that would be
 * escaped. What a terminal shows of each.
 */
const COLOURS = { bad: 31, warn: 33, good: 32, dim: 2 } as const;
const [FIRST, END] = [0xfdd0, '\ufdef'];
const MARKS = /[\ufdd0-\ufdd3\ufdef]/g;

/** Always beside a word that says the same: not everybody sees colours, and not every output has them. */
export const paint = (colour: keyof typeof COLOURS, text: string): string =>
  `${String.fromCharCode(FIRST + Object.keys(COLOURS).indexOf(colour))}${text}${END}`;

/** As terminals have it, or without, where nobody would see it or wants it (no-color.org). */
export function painted(line: string): string {
  const codes = Object.values(COLOURS);
  const on = isColoured();
  return line.replace(MARKS, (mark) =>
    on ? `\u001b[${codes[mark.charCodeAt(0) - FIRST] ?? 0}m` : '',
  );
}

function isColoured(): boolean {
  const { NO_COLOR = '', FORCE_COLOR = '', TERM } = process.env;
  if (NO_COLOR !== '' || FORCE_COLOR === '0') return false;
  return FORCE_COLOR !== '' || (process.stdout.isTTY && TERM !== 'dumb');
}

/** On one line. JSON escapes the C0 controls only. */
export function printJson(value: unknown): void {
  process.stdout.write(`${escapeControls(JSON.stringify(value))}\n`);
}

/** The value with `--json`, else the lines. @returns the exit code */
export function show(given: Given, value: unknown, lines: () => string[]): number {
  if (given.json) printJson(value);
  else print(...lines());
  return 0;
}

/** As a word of a shell's command line. */
export const quoted = (text: string): string =>
  /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Resolves when all that was printed has been read, or nobody will: the process may end then. */
export const written = (): Promise<void> =>
  new Promise((resolve) => process.stdout.write('', () => resolve()));

interface TableOptions {
  indent?: string;
  /** Heads of the columns that tell of what went wrong. */
  bad?: readonly string[];
  /** Heads of the columns that go where there is no room, the first one first. */
  less?: readonly string[];
}

/** How narrow it can be made. */
function leastOf(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  mayCut: readonly string[],
): number {
  const widths = heads.map((head, i) =>
    mayCut.includes(head)
      ? Math.max(LEAST, head.length)
      : Math.max(head.length, ...rows.map((row) => widthOf(escapeControls(row[i] ?? '')))),
  );
  return widths.reduce((a, b) => a + b, 2 * (heads.length - 1));
}

/**
 * Rows under their heads, columns as wide as they need and there is room; no line where there is no row.
 * @param mayCut heads of the columns whose texts may be cut where there is no room
 */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  mayCut: readonly string[],
  { indent = '', bad = [], less = [] }: TableOptions = {},
): string[] {
  if (rows.length === 0) return [];
  const [unwanted] = less;
  if (unwanted !== undefined && leastOf(heads, rows, mayCut) > columns() - indent.length) {
    const without = (row: readonly string[]) => row.filter((_, i) => heads[i] !== unwanted);
    return table(without(heads), rows.map(without), mayCut, { indent, bad, less: less.slice(1) });
  }
  const lines = [heads, ...rows].map((row) =>
    row.map((cell) => escapeControls(cell).replace(MARKS, '')),
  );
  const widths = heads.map((_, i) => Math.max(...lines.map((row) => widthOf(row[i]!))));
  const least = heads.map((head, i) =>
    mayCut.includes(head) ? Math.max(LEAST, head.length) : widths[i]!,
  );
  narrow(widths, least, columns() - indent.length - 2 * (heads.length - 1));
  return lines.map((row, line) => {
    const cells = row.map((cell, i) => {
      const text = cut(cell, widths[i]!);
      const rest = i < row.length - 1 ? ' '.repeat(widths[i]! - widthOf(text)) : '';
      const isBad = line > 0 && bad.includes(heads[i]!) && !['', '-', '0'].includes(text);
      return (isBad ? paint('bad', text) : text) + rest;
    });
    const joined = cells.join('  ').trimEnd();
    return indent + (line === 0 ? paint('dim', joined) : joined);
  });
}

/** Narrower than this, or than its head, no column is made. */
const LEAST = 8;

/** Takes from the widest of those that may be cut, until all fit. */
function narrow(widths: number[], least: readonly number[], room: number): void {
  while (widths.reduce((a, b) => a + b, 0) > room) {
    let widest = -1;
    for (const [i, width] of widths.entries()) {
      if (width > Math.max(least[i]!, widths[widest] ?? 0)) widest = i;
    }
    if (widest < 0) return;
    widths[widest]!--;
  }
}

/** Characters that take two columns (most of East Asia's, emoji), and those that take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const NONE = /\p{Mn}|\p{Me}|\p{Cf}/u;
const MARK = /[\ufdd0-\ufdd3\ufdef]/;

const columnsOf = (character: string): number =>
  character <= '\u02ff'
    ? 1
    : MARK.test(character)
      ? 0
      : WIDE.test(character)
        ? 2
        : NONE.test(character)
          ? 0
          : 1;

/** How many columns a text takes. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** The text, or as much of it as fits before an ellipsis. */
export function cut(text: string, width: number): string {
  if (text.length <= width / 2 || widthOf(text) <= width) return text;
  let kept = '';
  let room = width - 1;
  for (const character of text) {
    room -= columnsOf(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept}…${/[\ufdd0-\ufdd3]/.test(kept) ? END : ''}`;
}
