/** `minq job <id>`: everything that is known of one job, and of the flow it is a step of. */
import { UNREADABLE, type ErrorRecord } from '../job/codec.ts';
import { causeLines, errorLine, headOf } from '../job/failure.ts';
import { outlineOf, type FlowOutline } from '../flow/outline.ts';
import type { FlowInfo } from '../flow/view.ts';
import { orUnreadable, type JobInfo, type WorkerInfo } from '../views/inspector.ts';
import { QUEUE_OF, type Command } from './command.ts';
import { withQueueOf } from './redis.ts';
import { show, table } from './terminal.ts';
import { runsOf } from './workers.ts';

/** Longest value shown on a line, in characters; most ids. */
const MOST_TEXT = 400;
const MOST_IDS = 5;

export const job: Command = {
  help: `Usage: minq job <id> [options]

Shows everything that is known of a job, and the attempts that failed before. Times are by Redis's clock. Of a step of
a flow it shows the flow too, with the state of each step.

${QUEUE_OF}  --json             print JSON, values in full
`,
  words: [1, 1],
  run: (given) =>
    withQueueOf(given.words[0]!)(given, async (queue) => {
      const handle = queue.job(given.words[0]!);
      const info = await handle.info();
      const [flow, workers] = await Promise.all([
        info.flow && orUnreadable(handle.flow()),
        info.state === 'active' ? queue.workers() : [],
      ]);
      const worker = workerOf(info, workers);
      const value = {
        ...info,
        ...(worker && { worker }),
        ...(info.flow && {
          flow: { ...info.flow, tree: typeof flow === 'object' ? flow.root : (flow ?? null) },
        }),
      };
      return show(given, value, () => [
        ...describeJob(info, worker),
        ...describeAttempts(info),
        ...describeLog(info),
        ...describeFlow(info, flow),
      ]);
    }),
};

type RunningOn = ReturnType<typeof workerOf>;

/** The worker that said last that it runs the job; one that has just claimed it hasn't said so yet. */
function workerOf(info: JobInfo, workers: WorkerInfo[]) {
  const last = runsOf(workers).findLast(({ id }) => id === info.id);
  if (!last) return undefined;
  const { id, host, pid } = last.worker;
  return { id, host, pid, since: last.since };
}

function describeJob(info: JobInfo, worker: RunningOn): string[] {
  const { flow, error } = info;
  const behind = flow && info.state === 'waiting' ? '  (the result before it comes first)' : '';
  const fields: [name: string, value: string | undefined][] = [
    ['id', info.id],
    ['function', info.fn ?? '(its record is missing or unreadable)'],
    ['queue', info.queue],
    ['state', info.state],
    ['attempt', String(info.attempt)],
    ['priority', info.priority],
    ['arguments', json(info.args)! + behind],
    ['meta', Object.keys(info.meta).length > 0 ? json(info.meta) : undefined],
    ['tick', time(info.tick)],
    ['enqueued', time(info.enqueuedAt)],
    ['due', time(info.dueAt)],
    ['started', time(info.startedAt ?? worker?.since)],
    ['ended', time(info.endedAt)],
    ['ran for', info.ranMs === undefined ? undefined : duration(info.ranMs)],
    ['lease ends', time(info.leaseEndsAt)],
    ['worker', worker && `${worker.id} (${worker.host}, pid ${worker.pid})`],
    ['waits for', flow?.waitsFor?.length ? some(flow.waitsFor) : undefined],
    ['progress', json(info.progress)],
    ['result', json(info.result)],
    ['reason', info.reason],
    ['failed step', info.failedStep],
  ];
  const lines = fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(13)}${value}`],
  );
  // Of a job that goes on, it is why the last attempt did not do.
  const head = info.state === 'failed' ? 'error' : 'last error';
  if (!error) return lines;
  const told = [...describeStack(error), ...causeLines(error)].map((line) => `  ${line}`);
  return [...lines, head, ...told];
}

function describeStack(error: ErrorRecord): string[] {
  const { stack = '' } = error;
  const head = headOf(error);
  // It begins with what the error was when it was made; a name given later is told by the head alone.
  const frames = stack.slice(Math.max(0, stack.search(/^\s+at /m)));
  const text = stack.startsWith(head) ? stack : `${head}\n${frames}`;
  return text.trimEnd().split('\n');
}

/** A line each, the oldest first; the last one, or the one that runs, is the job's own. */
function describeAttempts({ attempts = [] }: JobInfo): string[] {
  if (attempts.length === 0) return [];
  const rows = attempts.map(({ attempt, endedAt, ranMs, error }) => [
    String(attempt),
    time(endedAt) ?? '?',
    ranMs === undefined ? '' : `after ${duration(ranMs)}`,
    errorLine(error).split('\n')[0]!.slice(0, MOST_TEXT),
  ]);
  const lines = table(['', 'ENDED', '', 'ERROR'], rows, ['ERROR'], {
    indent: '  ',
    bad: ['ERROR'],
  });
  return ['', 'attempts that failed before', ...lines];
}

const describeLog = ({ log }: JobInfo): string[] =>
  log === undefined
    ? []
    : [
        '',
        'log',
        ...log
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ];

function describeFlow(info: JobInfo, flow: FlowInfo | typeof UNREADABLE | undefined): string[] {
  if (!info.flow) return [];
  const { id, step } = info.flow;
  if (flow === UNREADABLE) return ['', `flow ${id}, step ${step}; the others: ${flow}`];
  if (!flow) return ['', `flow ${id}, step ${step}; the others are forgotten`];
  const lines = treeLines(outlineOf(flow.root, info.id), info, 1);
  const width = Math.max(...lines.map(([text, state]) => (state ? text.length : 0)));
  const texts = lines.map(([text, state = '']) => `${text.padEnd(width)}  ${state}`.trimEnd());
  return ['', `flow ${id}`, ...texts];
}

/** Only steps have a state. */
type TreeLine = [text: string, state?: string];

/** @param me the job it is all about: marked */
function treeLines(node: FlowOutline, me: JobInfo, depth: number): TreeLine[] {
  const indent = '  '.repeat(depth);
  if ('more' in node) return [[`${indent}${node.more} more: ${node.state}`]];
  if ('id' in node) {
    const { id, fn, queue, state } = node;
    const mark = id === me.id ? `${indent.slice(2)}> ` : indent;
    return [[`${mark}${id}  ${queue === me.queue ? fn : `${fn}@${queue}`}`, state]];
  }
  const [kind, parts] = 'chain' in node ? ['chain', node.chain] : ['group', node.group];
  return [[indent + kind], ...parts.flatMap((part) => treeLines(part, me, depth + 1))];
}

const time = (at: number | undefined): string | undefined =>
  at === undefined || !Number.isFinite(at) ? undefined : new Date(at).toISOString();

function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  const minutes = Math.floor(seconds / 60);
  const left = Math.floor(seconds % 60);
  return minutes < 60
    ? `${minutes} min ${left} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min ${left} s`;
}

/** The value as JSON, cut where it is too long to be read. */
function json(value: unknown): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined || text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}...`;
}

function some(ids: string[]): string {
  const more = ids.length - MOST_IDS;
  const shown = ids.slice(0, MOST_IDS).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
