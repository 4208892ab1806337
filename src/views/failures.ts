/**
 * Failures by their kind: the function and the error, without the parts of it that change from one to the next. Ten thousand
 * failed jobs are seven things to look at.
 */
import { performance } from '../job/globals.ts';
import { pause } from '../job/duration.ts';
import { UNREADABLE, type ErrorRecord } from '../job/codec.ts';
import { headOf } from '../job/failure.ts';
import { readJson } from '../job/job.ts';
import type { Store } from '../store/store.ts';

/** Failed jobs of one function with the same kind of error. */
export interface FailureGroup {
  queue: string;
  /** Undefined where the record is unreadable. */
  fn: string | undefined;
  /** Name and message of the error with numbers, ids, addresses and quoted text taken out. */
  kind: string;
  count: number;
  /** When the first and the last of those that are kept ended, epoch ms. */
  firstAt: number;
  lastAt: number;
  /** How many in each five minutes of the last hour, the oldest first. */
  lately: number[];
  /** The last one: its id, and its error on one line. */
  example: { id: string; error: string };
}

/** What fails on a queue, by kind, see `queue.failures()`. */
export interface Failures {
  /** The most frequent first; at most 100. */
  groups: FailureGroup[];
  /** How many failed jobs were looked through: all, or the last 10,000. */
  looked: number;
  /** How many of these are steps of flows that failed only because another did: they are in no group. */
  caused: number;
}

const MOST_LOOKED = 10_000;
const MOST_CALLS = 50;
const MOST_GROUPS = 100;
const LATELY = 12;
const PART_MS = 5 * 60_000;
/** Characters of a message that make its kind. */
const MOST_KIND = 300;

/** Bounded work: at most the last 10,000 of them, with pauses in which others have Redis. */
export async function readFailures(store: Store): Promise<Failures> {
  const now = await store.now();
  const groups = new Map<string, FailureGroup>();
  let [looked, caused] = [0, 0];
  for (let calls = 0; looked < MOST_LOOKED && calls < MOST_CALLS; calls++) {
    const from = performance.now();
    const { seen, rows } = await store.figures.failures(looked);
    if (seen === 0) break;
    const tookMs = performance.now() - from;
    looked += seen;
    for (const [id = '', at = '', fn = '', head = ''] of rows) {
      if (head === '') caused++;
      else add(groups, store.queue, { id, at: Number(at), fn, head, now });
    }
    await pause(tookMs);
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
  return { groups: sorted.slice(0, MOST_GROUPS), looked, caused };
}

interface Failure {
  id: string;
  at: number;
  fn: string;
  /** How the error begins, as JSON. */
  head: string;
  now: number;
}

function add(groups: Map<string, FailureGroup>, queue: string, failure: Failure): void {
  const { id, at, fn, head, now } = failure;
  const error = beginningOf(head);
  const kind = kindOf(error);
  const key = `${fn} ${kind}`;
  let group = groups.get(key);
  if (!group) {
    const lately = Array.from({ length: LATELY }, () => 0);
    const example = { id, error: headOf(error) };
    group = {
      queue,
      fn: fn || undefined,
      kind,
      count: 0,
      firstAt: at,
      lastAt: at,
      lately,
      example,
    };
    groups.set(key, group);
  }
  group.count++;
  group.firstAt = Math.min(group.firstAt, at);
  group.lastAt = Math.max(group.lastAt, at);
  const part = LATELY - 1 - Math.floor((now - at) / PART_MS);
  if (part >= 0 && part < LATELY) group.lately[part]!++;
}

/** Name and message, of JSON that may end in the middle of the message. */
function beginningOf(json: string): ErrorRecord {
  const [, name, message] =
    /^\{"name":"((?:[^"\\]|\\.)*)","message":"((?:[^"\\]|\\.)*)/s.exec(json) ?? [];
  const text = (part: string | undefined): string | undefined =>
    // Half an escape at the end is left out.
    part === undefined
      ? undefined
      : (readJson(`"${part.replace(/\\(u[\da-f]{0,3})?$/i, '')}"`) as string | undefined);
  return { name: text(name) ?? 'Error', message: text(message) ?? UNREADABLE };
}

/**
 * What an error has in common with others of its kind. The parts that change give way to a sign for each.
 * @example `TypeError: no user 4711` and `TypeError: no user 8` are both `TypeError: no user <n>`
 */
export function kindOf({ name, message }: Pick<ErrorRecord, 'name' | 'message'>): string {
  const [line = ''] = message.slice(0, MOST_KIND).split('\n', 1);
  const text = line
    .replace(/(["'`])(?:(?!\1).)+\1/g, '$1…$1')
    .replace(/\b[a-z][a-z\d+.-]*:\/\/\S+/gi, '<url>')
    .replace(/[\w.+-]+@[\w-]+\.[\w.-]*\w/g, '<email>')
    .replace(/\b[\da-f]{8}-[\da-f-]{4,}[\da-f]\b/gi, '<id>')
    .replace(/\b\w{6,}\b/g, (word) => (/\d/.test(word) && /[a-z]/i.test(word) ? '<id>' : word))
    .replace(/\d+(?:[.,:]\d+)*/g, '<n>');
  return text === '' ? name : `${name}: ${text.trim()}`;
}

/** A piece of text that all errors of this kind have, the longest one: by it Redis finds those that may be of it. */
export function pieceOf(kind: string): string {
  const [, name, message] = /^([^:]*)(?:: (.*))?$/s.exec(kind) ?? ['', '', ''];
  const parts = (message ?? name ?? '').split(/<\w+>|…/);
  return parts
    .reduce((longest, part) => (part.length > longest.length ? part : longest), '')
    .trim();
}
