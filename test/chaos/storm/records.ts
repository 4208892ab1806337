/** Holds what Redis recorded against what was seen: each job settled once, by its newest run, with what that gave. */
import { isDeepStrictEqual } from 'node:util';
import type { Books, Ended } from './books.ts';
import type { Case, Counters, History, RunSeen } from './history.ts';
import { expected, isFlowKind } from './plan.ts';

export function findMisrecorded(
  { books, counters }: History,
  cases: ReadonlyMap<string, Case>,
  runs: ReadonlyMap<string, readonly RunSeen[]>,
): string[] {
  const { enqueued, completed, failed, cancelled } = counters;
  const found: string[] = [];
  if (completed + failed + cancelled + (books?.givenUp ?? 0) !== enqueued) {
    found.push(
      `settled ${completed + failed + cancelled} times (${completed} completed, ${failed} failed, ` +
        `${cancelled} cancelled), and there were ${enqueued} jobs`,
    );
  }
  if (!books) return found;
  found.push(...books.unfinished.map((id) => `job ${id} is at no end`));
  found.push(...findMiscounted(books, counters));

  const byId = new Map<string, RunSeen[]>();
  for (const run of [...runs.values()].flat()) {
    const others = byId.get(run.id);
    if (others) others.push(run);
    else byId.set(run.id, [run]);
  }
  for (const [id, ended] of books.ended) {
    const seen = byId.get(id) ?? [];
    const key = seen[0]?.key.split('/')[0];
    found.push(...findWrongRun(id, ended, seen));
    found.push(...findWrongState(id, ended, key, cases.get(key ?? '')));
  }
  for (const { key, plan, accepts, heard } of cases.values()) {
    const ended = books.ended.get(accepts[0]?.id ?? '');
    if (!ended) continue;
    if (isFlowKind(plan!.kind) && !isDeepStrictEqual(ended.result, expected(plan!).result)) {
      found.push(
        `flow ${key} gave ${JSON.stringify(ended.result)} instead of ${JSON.stringify(expected(plan!).result)}`,
      );
    }
    if (heard !== undefined && heard !== JSON.stringify(ended.result)) {
      found.push(
        `who waited for ${key} heard ${heard}, and ${JSON.stringify(ended.result)} is recorded`,
      );
    }
  }
  return found;
}

function findMiscounted(books: Books, counters: Counters): string[] {
  const found: string[] = [];
  const same = (what: string, counted: number, there: number) => {
    if (counted !== there) found.push(`${what}: ${counted} counted, and ${there} are there`);
  };
  const states = [...books.ended.values()].map(({ state }) => state);
  for (const state of ['completed', 'failed', 'cancelled'] as const) {
    same(state, counters[state], states.filter((one) => one === state).length);
  }
  same('enqueued', counters.enqueued, states.length + books.unfinished.length + books.givenUp);
  return found;
}

/** The outcome is that of the newest run: the highest attempt. */
function findWrongRun(id: string, ended: Ended, seen: readonly RunSeen[]): string[] {
  const { attempt, newestAttempt, state, result } = ended;
  const found: string[] = [];
  // What failed with its worker has the ticket of a run that never was.
  const lost = state === 'failed' && attempt === newestAttempt - 1;
  if (attempt !== undefined && attempt !== newestAttempt && !lost) {
    found.push(
      `job ${id}: the outcome is of attempt ${attempt}, and its newest ticket of attempt ${newestAttempt}`,
    );
  }
  if (state !== 'completed') return found;
  const newest = seen.toSorted((a, b) => a.attempt - b.attempt || a.at - b.at).at(-1);
  if (!newest) {
    // What a group at the end of a flow has gathered is the result of a step without a function.
    if (attempt !== undefined) found.push(`job ${id} is completed, and nobody ran it`);
    return found;
  }
  if (newest.attempt !== attempt || newest.result !== JSON.stringify(result)) {
    found.push(
      `job ${id}: attempt ${attempt} is recorded with ${JSON.stringify(result)}, and the newest run ` +
        `was attempt ${newest.attempt} with ${newest.result ?? 'no end'}`,
    );
  }
  return found;
}

function findWrongState(
  id: string,
  { state }: Ended,
  key: string | undefined,
  one: Case | undefined,
): string[] {
  if (state === 'completed') return [];
  if (state === 'failed' && (one?.plan?.kind === 'doomed' || one?.plan?.kind === 'once')) return [];
  // One that was cancelled before it ran left no evidence.
  if (state === 'cancelled' && (key === undefined || one?.cancelAsked)) return [];
  return [`job ${id} (${key ?? 'which never ran'}) is ${state}, and should have completed`];
}
