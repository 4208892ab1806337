/** Columns for a terminal. */
import { escapeControls } from '../job/log.ts';

/** Narrower than this, or than its head, no column is made. */
const LEAST = 8;

export interface Fit {
  /** Columns of the terminal. */
  width: number;
  /** Heads of the columns whose texts may be cut where there is no room. */
  cut: readonly string[];
}

/** Rows under their heads, columns as wide as they need and there is room; no line where there is no row. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  fit?: Fit,
): string[] {
  if (rows.length === 0) return [];
  const lines = [heads, ...rows].map((row) => row.map(escapeControls));
  const widths = heads.map((_, i) => Math.max(...lines.map((row) => widthOf(row[i]!))));
  if (fit) narrow(widths, heads, fit);
  return lines.map((row) =>
    row
      .map((cell, i) => {
        const text = cut(cell, widths[i]!);
        return text + ' '.repeat(widths[i]! - widthOf(text));
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Takes from the widest of those that may be cut, until all fit. */
function narrow(widths: number[], heads: readonly string[], { width, cut: may }: Fit): void {
  const room = width - 2 * (heads.length - 1);
  for (;;) {
    const over = widths.reduce((a, b) => a + b, 0) - room;
    if (!(over > 0)) return;
    let widest = -1;
    for (const [i, head] of heads.entries()) {
      const least = Math.max(LEAST, head.length, widths[widest] ?? 0);
      if (may.includes(head) && widths[i]! > least) widest = i;
    }
    if (widest < 0) return;
    widths[widest]!--;
  }
}

/** Characters that take two columns (most of East Asia's, emoji), and those that take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const NONE = /\p{Mn}|\p{Me}|\p{Cf}/u;

const columnsOf = (character: string): number =>
  character <= '\u02ff' ? 1 : WIDE.test(character) ? 2 : NONE.test(character) ? 0 : 1;

/** How many columns a text takes. */
export function widthOf(text: string): number {
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
  return `${kept}…`;
}
