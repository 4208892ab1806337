/** How the functions of a queue have done lately. */
import type { FunctionRow, QueueReply } from './api.js';
import { count, duration } from './format.ts';
import { hrefOf } from './route.ts';
import { Table } from './table.tsx';
import { Name } from './text.tsx';
import { Times } from './times.tsx';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useState } from './vendor/hooks.js';

type Row = FunctionRow & { queue: string; bounds: QueueReply['bounds'] };

interface Column {
  label: string;
  /** The greatest first; missing: by name. */
  weight?: (row: Row) => number;
  cell: (row: Row) => ComponentChildren;
}

const runs = (row: Row): number => row.completed + row.failed + row.retried;

const PERCENTILES = ['p50', 'p95', 'p99'] as const;

const shown = (ms: number | undefined): string => (ms === undefined ? '–' : duration(ms));

const COLUMNS: Column[] = [
  { label: 'Function', cell: (row) => <Function {...row} /> },
  { label: 'Runs', weight: runs, cell: (row) => count(runs(row)) },
  { label: 'Failed', weight: (row) => row.failed, cell: (row) => <Failed {...row} /> },
  { label: 'Retried', weight: (row) => row.retried, cell: (row) => count(row.retried) },
  ...PERCENTILES.map((of): Column => ({
    label: `Wait ${of}`,
    weight: (row) => row.wait[of] ?? -1,
    cell: (row) => shown(row.wait[of]),
  })),
  ...PERCENTILES.map((of): Column => ({
    label: `Run ${of}`,
    weight: (row) => row.run[of] ?? -1,
    cell: (row) => shown(row.run[of]),
  })),
];

interface FunctionsProps {
  queue: string;
  rows: readonly FunctionRow[];
  bounds: QueueReply['bounds'];
}

export function Functions({ queue, rows, bounds }: FunctionsProps): JSX.Element {
  const [by, setBy] = useState('Failed');
  const { weight } = COLUMNS.find(({ label }) => label === by)!;
  const sorted = rows
    .map((row) => ({ ...row, queue, bounds }))
    .toSorted((a, b) => (weight && (weight(b) - weight(a) || runs(b) - runs(a))) || order(a, b));
  return (
    <section aria-label="Functions">
      <h2>
        Functions <small>in the last hour or two</small>
      </h2>
      {rows.length === 0 ? (
        <p class="empty">No job has ended lately: functions are listed here once they have run.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Table of functions">
          <Table
            columns={COLUMNS.map(({ label, weight, cell }) => ({
              cell,
              class: weight && 'n',
              names: !weight,
              sorted: by !== label ? undefined : weight ? 'descending' : 'ascending',
              head: (
                <button type="button" class="sort" onClick={() => setBy(label)}>
                  {label}
                  <span aria-hidden="true">{by === label ? ' ▾' : ''}</span>
                </button>
              ),
            }))}
            rows={sorted}
            row={({ fn }) => ({ key: fn })}
          />
        </div>
      )}
    </section>
  );
}

const order = (a: Row, b: Row): number => (a.fn < b.fn ? -1 : a.fn > b.fn ? 1 : 0);

const Function = ({ fn, waits, runs: took, bounds }: Row): JSX.Element => (
  <details>
    <summary>
      <Name text={fn} most={60} />
    </summary>
    <div class="pair">
      <Times label="Waited" counts={waits} bounds={bounds} />
      <Times label="Took" counts={took} bounds={bounds} />
    </div>
  </details>
);

function Failed({ queue, fn, failed }: Row): JSX.Element {
  if (failed === 0) return <span>0</span>;
  return <a href={hrefOf('jobs', { queue, state: 'failed', fn })}>{count(failed)}</a>;
}
