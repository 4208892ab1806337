/**
 * Judges a storm, as Jepsen's checker of queues does: what was accepted must have completed, what ran must have been
 * asked for; and beyond that, that each job was settled once, by its newest run.
 */
import { casesOf, runsOf, type Case, type History, type RunSeen } from './history.ts';
import { expected, isFlowKind } from './plan.ts';
import { findMisrecorded } from './records.ts';

export interface Verdict {
  readonly attempted: number;
  readonly accepted: number;
  /** Accepted, and never completed. A line each, as below. */
  readonly lost: readonly string[];
  /** Ran, and nobody had asked for it. */
  readonly unexpected: readonly string[];
  /** Whatever else minq promises and was not so. */
  readonly broken: readonly string[];
  /** Runs beyond the first, but for those that followed a failure. */
  readonly extraRuns: number;
  /** How many ticks of cron ran; the seconds between the first and the last of them, where none is lost. */
  readonly ticks: number;
}

export function judge(history: History): Verdict {
  const cases = casesOf(history);
  const runs = runsOf(history);
  const accepted = [...cases.values()].filter(({ accepts }) => accepts.length > 0);
  return {
    attempted: cases.size,
    accepted: accepted.length,
    lost: [
      ...accepted.flatMap((one) => findLost(one, runs, history)),
      ...findMissedTicks(runs.get('tick') ?? []),
    ],
    unexpected: findUnexpected(cases, runs),
    broken: [
      ...history.seen,
      ...findMishaps(history),
      ...findStartedAgain(runs),
      ...findMisrecorded(history, cases, runs),
    ],
    extraRuns: countExtra(runs),
    ticks: new Set(runs.get('tick')?.map(({ id }) => id)).size,
  };
}

function findLost(
  { key, plan, accepts, cancelAsked }: Case,
  runs: ReadonlyMap<string, readonly RunSeen[]>,
  { books }: History,
): string[] {
  const was = (how: 'end' | 'fail', at: string) =>
    runs.get(at)?.some((run) => run.how === how) ?? false;
  const id = accepts[0]!.id;
  const lost: string[] = [];
  const need = (done: boolean, what: string) => {
    if (!done) lost.push(`lost: ${key} (job ${id}) was accepted, and ${what}`);
  };
  if (books) need(books.ended.has(id), 'has no outcome');
  if (isFlowKind(plan!.kind)) {
    for (let place = 0; place < expected(plan!).places; place++) {
      need(was('end', `${key}/${place}`), `its step ${place} never completed`);
    }
  } else if (plan!.kind === 'doomed') {
    need(was('fail', key), 'never ran to its end');
    need(was('end', `${key}/mourn`), 'the job for its failure never completed');
  } else if (plan!.kind === 'once' && books?.ended.get(id)?.state === 'failed') {
    need((runs.get(key)?.length ?? 0) > 0, 'failed without ever having begun');
  } else if (!cancelAsked) {
    need(was('end', key), 'never completed');
  }
  return lost;
}

/** A tick a second, from the first that was fired to the last. */
function findMissedTicks(runs: readonly RunSeen[]): string[] {
  const ticks = runs.filter(({ how }) => how === 'end').map(({ id }) => tickOf(id));
  const fired = new Set(ticks);
  const missed: string[] = [];
  for (let at = Math.min(...ticks); at <= Math.max(...ticks); at += 1_000) {
    if (!fired.has(at)) missed.push(`lost: the tick of ${new Date(at).toISOString()} never ran`);
  }
  return missed;
}

const tickOf = (id: string) => Number(/^cron:tick:(\d+)$/.exec(id)?.[1]);

function findUnexpected(
  cases: ReadonlyMap<string, Case>,
  runs: ReadonlyMap<string, readonly RunSeen[]>,
): string[] {
  const found: string[] = [];
  /** By key; of a flow the first part, which its steps share. */
  const ids = new Map<string, Set<string>>();
  const note = (key: string, id: string) => {
    const known = ids.get(key);
    if (known) known.add(id);
    else ids.set(key, new Set([id]));
  };
  const flowId = (id: string) => id.replace(/\.\d+$/, '');
  for (const { key, plan, accepts } of cases.values()) {
    for (const { id } of accepts) note(key, isFlowKind(plan!.kind) ? flowId(id) : id);
  }
  for (const [key, seen] of runs) {
    if (key === 'tick') {
      const strange = seen.filter(({ id }) => !(tickOf(id) % 1_000 === 0));
      found.push(...strange.map(({ id }) => `unexpected: tick ran as job ${id}`));
      continue;
    }
    const [base, place] = key.split('/') as [string, string?];
    const plan = cases.get(base)?.plan;
    if (!plan || !isPlace(place, plan)) {
      found.push(`unexpected: ${key} ran (job ${seen[0]!.id}), and nobody had asked for it`);
      continue;
    }
    for (const { id } of seen) {
      if (isFlowKind(plan.kind)) note(base, flowId(id));
      else note(key, id);
    }
  }
  for (const [key, known] of ids) {
    if (known.size > 1) {
      found.push(`unexpected: ${key} was asked for once, and is the jobs ${[...known].join(', ')}`);
    }
  }
  return found;
}

function isPlace(place: string | undefined, plan: NonNullable<Case['plan']>): boolean {
  if (isFlowKind(plan.kind)) return Number(place) < expected(plan).places;
  return place === undefined || (place === 'mourn' && plan.kind === 'doomed');
}

/** A ticket is one worker's, and once: a further run has a higher attempt, for in a storm no worker gives jobs back. */
/** Who dies before Redis has heard that the run began is forgiven once; what starts again then, Redis knows of. */
function findStartedAgain(runs: ReadonlyMap<string, readonly RunSeen[]>): string[] {
  const found: string[] = [];
  for (const [key, seen] of runs) {
    const started = new Map<string, number>();
    for (const { id, attempt } of seen) {
      const ticket = `${id} ${attempt}`;
      const times = (started.get(ticket) ?? 0) + 1;
      if (times > 2) found.push(`attempt ${attempt} of ${key} (job ${id}) started ${times} times`);
      started.set(ticket, times);
    }
  }
  return found;
}

/** What processes say of themselves that must not happen, whatever the storm. */
function findMishaps({ calls, runs }: History): string[] {
  const who = (line: { pid: number; key: string; id: string }) =>
    `process ${line.pid}${line.key === '-' ? '' : `, ${line.key}`}`;
  return [...calls, ...runs].flatMap((line) => {
    switch (line.what) {
      case 'unhandled':
        return [`${who(line)}: nobody caught ${line.more}`];
      case 'warning':
        return [`${who(line)}: Node warned of ${line.more}`];
      case 'hung':
        return [`${who(line)}: a call did not end`];
      case 'refused':
        return [`${who(line)}: a call failed that should not: ${line.more}`];
      case 'error':
        // Redis being away is to be expected; a script of ours that it refuses is not.
        return line.more.includes('Redis refused') ? [`${who(line)}: ${line.more}`] : [];
      default:
        return [];
    }
  });
}

function countExtra(runs: ReadonlyMap<string, readonly RunSeen[]>): number {
  let extra = 0;
  for (const seen of runs.values()) {
    const last = new Map<string, RunSeen>();
    for (const run of seen) {
      const before = last.get(run.id);
      if (before && before.how !== 'fail') extra++;
      last.set(run.id, run);
    }
  }
  return extra;
}
