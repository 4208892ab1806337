/** Rows with what can be done to each; on a phone each is a block, with the heads beside the values. */
import { server } from './server.ts';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useLayoutEffect, useRef } from './vendor/hooks.js';

export interface Column<Row> {
  head: ComponentChildren;
  /** Of the value on a phone, where the head is no text. */
  label?: string;
  class?: string | undefined;
  /** It names the row. */
  names?: boolean;
  sorted?: 'ascending' | 'descending' | undefined;
  cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  class?: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  /** Of a row: its key, and what else its element is given. */
  row: (row: Row) => JSX.IntrinsicElements['tr'] & { key: string };
  /** Missing where nothing may be done. */
  actions?: (row: Row) => ComponentChildren;
}

export function Table<Row>({
  columns,
  rows,
  row,
  actions,
  ...table
}: TableProps<Row>): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const focused = useRef<{ row: number; element: Element } | undefined>(undefined);
  const all = [...columns];
  if (actions && !server.readOnly) {
    all.push({ head: <span class="sr">Actions</span>, class: 'acts', cell: actions });
  }

  // Who retries job after job by keyboard isn't thrown to the top of the page as they leave the list.
  useLayoutEffect(() => {
    const was = focused.current;
    if (!was || was.element.isConnected || document.activeElement !== document.body) return;
    const { rows } = body.current!;
    rows[Math.min(was.row, rows.length - 1)]?.querySelector('a')?.focus();
    focused.current = undefined;
  });
  const remember = (event: FocusEvent): void => {
    const element = event.target as HTMLElement;
    const row = element.closest('tr');
    focused.current = row ? { row: row.sectionRowIndex, element } : undefined;
  };

  return (
    <table {...table}>
      <thead>
        <tr>
          {all.map(({ head, class: name, sorted }, i) => (
            <th key={i} scope="col" class={name} aria-sort={sorted}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body} onFocusIn={remember}>
        {rows.map((each) => (
          <tr {...row(each)}>{all.map((column, i) => cell(column, each, i))}</tr>
        ))}
      </tbody>
    </table>
  );
}

function cell<Row>(column: Column<Row>, row: Row, i: number): JSX.Element {
  const { head, class: name, names, label = head } = column;
  if (names) {
    return (
      <th key={i} scope="row">
        {column.cell(row)}
      </th>
    );
  }
  return (
    <td key={i} class={name} data-label={typeof label === 'string' ? label : undefined}>
      {column.cell(row)}
    </td>
  );
}
