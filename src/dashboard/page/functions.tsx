/** What became of the runs of each function, and how long they waited and took. */
import type { FunctionTimes, Percentiles } from './api.js';
import { count, duration } from './format.ts';
import { hrefOf } from './route.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useState } from './vendor/hooks.js';

type Column = 'fn' | 'runs' | 'failed' | 'retried' | 'wait' | 'run';

const runs = (row: FunctionTimes): number => row.completed + row.failed + row.retried;

const WEIGHT: Record<Exclude<Column, 'fn'>, (row: FunctionTimes) => number> = {
  runs,
  failed: (row) => row.failed,
  retried: (row) => row.retried,
  wait: (row) => row.wait.p95 ?? -1,
  run: (row) => row.run.p95 ?? -1,
};

const HEADS: [column: Column, label: string][] = [
  ['fn', 'Function'],
  ['runs', 'Runs'],
  ['failed', 'Failed'],
  ['retried', 'Retried'],
  ['wait', 'Wait p50 · p95 · p99'],
  ['run', 'Run p50 · p95 · p99'],
];

export function Functions({ queue, rows }: { queue: string; rows: FunctionTimes[] }): JSX.Element {
  const [by, setBy] = useState<Column>('failed');
  const sorted = rows.toSorted((a, b) =>
    by === 'fn'
      ? compare(a, b)
      : WEIGHT[by](b) - WEIGHT[by](a) || runs(b) - runs(a) || compare(a, b),
  );
  return (
    <section aria-label="Functions">
      <h2>
        Functions <small>in the last hour or two</small>
      </h2>
      {rows.length === 0 ? (
        <p class="empty">No job has ended lately: functions are listed here once they have run.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Table of functions">
          <table>
            <thead>
              <tr>
                {HEADS.map(([column, label]) => (
                  <th
                    key={column}
                    scope="col"
                    class={column === 'fn' ? undefined : 'n'}
                    aria-sort={
                      by !== column ? undefined : column === 'fn' ? 'ascending' : 'descending'
                    }
                  >
                    <button type="button" class="sort" onClick={() => setBy(column)}>
                      {label}
                      <span aria-hidden="true">{by === column ? ' ▾' : ''}</span>
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {sorted.map((row) => (
                <tr key={row.fn}>
                  <th scope="row">
                    <Name text={row.fn} most={60} />
                  </th>
                  <td class="n">{count(runs(row))}</td>
                  <td class={row.failed > 0 ? 'n bad' : 'n'}>
                    {row.failed > 0 ? (
                      <a href={hrefOf('jobs', { queue, state: 'failed', fn: row.fn })}>
                        {count(row.failed)}
                      </a>
                    ) : (
                      '0'
                    )}
                  </td>
                  <td class="n">{count(row.retried)}</td>
                  <Three of={row.wait} />
                  <Three of={row.run} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const compare = (a: FunctionTimes, b: FunctionTimes): number =>
  a.fn < b.fn ? -1 : a.fn > b.fn ? 1 : 0;

function Three({ of }: { of: Percentiles }): JSX.Element {
  const text = (ms: number | undefined): string => (ms === undefined ? '–' : duration(ms));
  return (
    <td class="n three">
      <span>{text(of.p50)}</span>
      <span>{text(of.p95)}</span>
      <span>{text(of.p99)}</span>
    </td>
  );
}
