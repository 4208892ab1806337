/** Columns for a terminal. */
import { escapeControls } from '../log.ts';

/** Rows under their heads, columns as wide as they need; empty where there is no row. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [heads, ...rows].map((row) => row.map(escapeControls));
  const widths = heads.map((_, i) => Math.max(...lines.map((row) => row[i]!.length)));
  return lines
    .map(
      (row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd() + '\n',
    )
    .join('');
}
