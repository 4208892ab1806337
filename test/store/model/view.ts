/**
 * A queue as its users could know it, a line for each thing: of the model, and of what Redis holds. How minq keeps it
 * (lists with void tickets, fields of flows) is left out: that is for the invariants.
 */
import { LANES, recordOf, ticketOf, type ModelQueue, type State } from './queue.ts';
import type { Snapshot } from './snapshot.ts';

export type View = Map<string, string>;

interface JobLine {
  state: string;
  ticket: string;
  at: number;
  record: string;
  outcome: string | undefined;
  lastError: string | undefined;
  attempts: string | undefined;
  progress: string | undefined;
  waiters: string | undefined;
  unwanted: boolean;
}

const lineOf = (job: JobLine): string =>
  `${job.state} as ${job.ticket} (${job.at}) ${job.record}` +
  (job.outcome === undefined ? '' : ` outcome ${job.outcome}`) +
  (job.lastError === undefined ? '' : ` last error ${job.lastError}`) +
  (job.attempts ? ` attempts ${JSON.stringify(job.attempts)}` : '') +
  (job.progress === undefined ? '' : ` progress ${job.progress}`) +
  (job.waiters ? ` awaited by ${job.waiters}` : '') +
  (job.unwanted ? ' unwanted' : '');

const lines = (list: Iterable<string>) => [...list].join('\n');

export function viewOfModel(queue: ModelQueue): View {
  const view: View = new Map();
  for (const job of queue.jobs.values()) {
    const line = lineOf({
      ...job,
      ticket: ticketOf(job),
      record: recordOf(job),
      outcome: job.outcome === undefined ? undefined : `${job.endedAt}${job.outcome}`,
      lastError: job.lastError,
      attempts: job.attempts.map((each) => `${each}\n`).join(''),
      progress: job.progress,
      waiters: job.waiters.join(' '),
    });
    view.set(`job ${job.id}`, line);
  }
  for (const lane of LANES) view.set(`lane ${lane}`, lines(queue.inLine(lane)));
  for (const [name, count] of Object.entries(queue.stats)) view.set(`stats ${name}`, String(count));
  view.set('paused', String(queue.paused));
  for (const [id, last] of queue.again) view.set(`again ${id}`, last);
  for (const [id, { at, counted }] of queue.workers) view.set(`worker ${id}`, `${at} ${counted}`);
  for (const [name, count] of queue.timings) view.set(`timing ${name}`, String(count));
  for (const [name, { definition, tick, last }] of queue.entries) {
    const times = last?.times === undefined ? '' : ` times ${last.times}`;
    const what = last ? `${last.tick} ${last.word} ${last.fired ?? ''}${times}` : 'never';
    view.set(`cron ${name}`, `${definition} next ${tick ?? 'never'} last ${what}`);
  }
  for (const [name, at] of queue.apps) view.set(`app ${name}`, String(at));
  view.set('beat', queue.beat && queue.beat.until >= queue.now ? queue.beat.worker : 'nobody');
  view.set('published', lines(queue.told.sort()));
  queue.told = [];

  const steps = [...queue.jobs.values()].filter(({ step }) => step);
  const results = [...queue.groups].flatMap((group) => group.results.filter((each) => each !== undefined)); // prettier-ignore
  view.set('flows', flowLine(queue.groups.size, steps.length, steps.filter(({ step }) => step!.last).length)); // prettier-ignore
  view.set('results of members', lines(results.sort()));
  view.set('outbox', lines(queue.outbox.map(({ text }) => text)));
  return view;
}

const flowLine = (groups: number, steps: number, shapes: number): string =>
  `${groups} groups, ${steps} steps, ${shapes} shapes`;

const PLACES: readonly [keyof Snapshot, State][] = [
  ['high', 'queued'], ['queued', 'queued'], ['low', 'queued'], ['scheduled', 'scheduled'], ['active', 'active'],
  ['completed', 'completed'], ['failed', 'failed'], ['cancelled', 'cancelled'], ['waiting', 'waiting'],
]; // prettier-ignore

export function viewOfRedis(found: Snapshot): View {
  const view: View = new Map();
  const current = (id: string) => found.tickets.get(id) ?? `${id}:1:1`;
  const lanes = { high: withoutVoid(found, 'high'), normal: withoutVoid(found, 'queued'), low: withoutVoid(found, 'low') }; // prettier-ignore
  const standing = new Set([...lanes.high, ...lanes.normal, ...lanes.low]);
  for (const [id, record] of found.jobs) {
    const ticket = current(id);
    const states = PLACES.filter(([name, state]) => {
      if (state === 'queued') return found[name as 'high'].includes(ticket) && standing.has(ticket);
      const member = state === 'scheduled' || state === 'active' ? ticket : id;
      return (found[name] as Map<string, number>).has(member);
    });
    const [name, state] = states[0] ?? [];
    const at = state === undefined || state === 'queued' ? 0 : (found[name!] as Map<string, number>).get(state === 'scheduled' || state === 'active' ? ticket : id)!; // prettier-ignore
    // A job's place among those due in the same millisecond is for minq alone.
    const time = state === 'scheduled' ? Math.floor(at) : at;
    const line = lineOf({
      state: states.length === 1 ? state! : `in ${states.length} places`,
      ticket,
      at: time,
      record,
      outcome: found.outcomes.get(id),
      lastError: found.errors.get(id),
      attempts: found.attempts.get(id),
      progress: found.progress.get(id),
      waiters: found.waiters.get(id),
      unwanted: found.cancelling.has(ticket),
    });
    view.set(`job ${id}`, line);
  }
  for (const lane of LANES) view.set(`lane ${lane}`, lines(lanes[lane]));
  for (const [name, count] of found.stats) if (name !== 'highestRun') view.set(`stats ${name}`, count); // prettier-ignore
  view.set('paused', String(found.paused !== null));
  for (const [id, last] of found.again) view.set(`again ${id}`, last);
  for (const [id, text] of found.workers) {
    const { counted = 0 } = JSON.parse(text.slice(13)) as { counted?: number };
    view.set(`worker ${id}`, `${text.slice(0, 13)} ${counted}`);
  }
  for (const [name, count] of found.timings) view.set(`timing ${name}`, count);
  for (const [name, definition] of found.entries) {
    view.set(`cron ${name}`, `${definition} next ${found.cron.get(name) ?? 'never'} last ${found.lastTicks.get(name) ?? 'never'}`); // prettier-ignore
  }
  for (const [name, at] of found.apps) view.set(`app ${name}`, at);
  view.set('beat', found.beat ?? 'nobody');
  view.set('published', lines(found.published.sort()));

  const fields = [...found.flows.keys()];
  const groups = fields.filter((field) => /\*\d+$/.test(field)).length;
  const steps = fields.filter((field) => /\.\d+$/.test(field)).length;
  const shapes = fields.filter((field) => !/[.*]/.test(field)).length;
  view.set('flows', flowLine(groups, steps, shapes));
  const results = [...found.joins].filter(([field]) => field.includes('/')).map(([, text]) => text);
  view.set('results of members', lines(results.sort()));
  view.set('outbox', lines(found.outbox));
  if (found.flowing.length > 0) view.set('left to do', lines(found.flowing));
  return view;
}

/** A void ticket lies in its list until it is met; of two alike, the first is the void one. */
export function withoutVoid(found: Snapshot, list: 'high' | 'queued' | 'low'): string[] {
  if (found.dropped.size === 0) return found[list];
  const left = new Set(found.dropped);
  return found[list].filter((ticket) => !left.delete(ticket));
} // prettier-ignore

/** What is not the same, a line for each. */
export function differences(expected: View, actual: View): string[] {
  const found: string[] = [];
  for (const name of new Set([...expected.keys(), ...actual.keys()])) {
    const [ours, theirs] = [expected.get(name), actual.get(name)];
    if (ours !== theirs) found.push(`${name}\n    model: ${ours ?? 'none'}\n    Redis: ${theirs ?? 'none'}`); // prettier-ignore
  }
  return found;
}
