/** What became of the runs of each function, and how long they waited and took. */
import type { FunctionTimes, Percentiles } from './api.js';
import { count, duration } from './format.ts';
import { hrefOf } from './route.ts';
import { Table } from './table.tsx';
import { Name } from './text.tsx';
import { h, type ComponentChildren, type JSX } from './vendor/preact.js';
import { useState } from './vendor/hooks.js';

type Row = FunctionTimes & { queue: string };

interface Column {
  label: string;
  /** The greatest first; missing: by name. */
  weight?: (row: Row) => number;
  class?: string;
  cell: (row: Row) => ComponentChildren;
}

const runs = (row: Row): number => row.completed + row.failed + row.retried;

const COLUMNS: Column[] = [
  { label: 'Function', cell: ({ fn }) => <Name text={fn} most={60} /> },
  { label: 'Runs', weight: runs, class: 'n', cell: (row) => count(runs(row)) },
  { label: 'Failed', weight: (row) => row.failed, class: 'n', cell: (row) => <Failed {...row} /> },
  { label: 'Retried', weight: (row) => row.retried, class: 'n', cell: (row) => count(row.retried) },
  {
    label: 'Wait p50 · p95 · p99',
    weight: (row) => row.wait.p95 ?? -1,
    class: 'n',
    cell: (row) => <Three {...row.wait} />,
  },
  {
    label: 'Run p50 · p95 · p99',
    weight: (row) => row.run.p95 ?? -1,
    class: 'n',
    cell: (row) => <Three {...row.run} />,
  },
];

interface FunctionsProps {
  queue: string;
  rows: readonly FunctionTimes[];
}

export function Functions({ queue, rows }: FunctionsProps): JSX.Element {
  const [by, setBy] = useState('Failed');
  const { weight } = COLUMNS.find(({ label }) => label === by)!;
  const sorted = rows
    .map((row) => ({ ...row, queue }))
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
            columns={COLUMNS.map(({ label, ...column }) => ({
              ...column,
              names: !column.weight,
              sorted: by !== label ? undefined : column.weight ? 'descending' : 'ascending',
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

function Failed({ queue, fn, failed }: Row): JSX.Element {
  if (failed === 0) return <span>0</span>;
  return <a href={hrefOf('jobs', { queue, state: 'failed', fn })}>{count(failed)}</a>;
}

function Three({ p50, p95, p99 }: Percentiles): JSX.Element {
  const shown = (ms: number | undefined): string => (ms === undefined ? '–' : duration(ms));
  return (
    <div class="three">
      <span>{shown(p50)}</span>
      <span>{shown(p95)}</span>
      <span>{shown(p99)}</span>
    </div>
  );
}
