/** How a recorded error is told, with what caused it. Somebody may have written garbage: it is told as far as it goes. */
import type { ErrorRecord } from './codec.ts';

const DEEPEST = 10;
const MOST_FRAMES = 3;

/** On one line, e.g. `TypeError: fetch failed, caused by Error: connect ECONNREFUSED 127.0.0.1:1`. */
export function errorLine(error: ErrorRecord, depth = 0): string {
  if (depth === DEEPEST) return '...';
  const parts = membersOf(error).map((each) => errorLine(each, depth + 1));
  const of = parts.length > 0 ? ` [${parts.join('; ')}]` : '';
  const cause = causeOf(error);
  const by = cause ? `, caused by ${errorLine(cause, depth + 1)}` : '';
  return `${headOf(error)}${of}${by}`;
}

/** `name: message`, with the code where it isn't said. */
export function headOf({ name, message, code }: ErrorRecord): string {
  const head = message ? `${String(name)}: ${String(message)}` : String(name);
  return code === undefined || head.includes(String(code)) ? head : `${head} (${String(code)})`;
}

/** What stands below an error: its causes and the errors it gathers, each with where it came from. */
export function causeLines(error: ErrorRecord, depth = 0): string[] {
  if (depth === DEEPEST) return [];
  const below = [
    ...membersOf(error).map((each) => ['one of its errors: ', each] as const),
    ...[causeOf(error) ?? []].flat().map((each) => ['caused by ', each] as const),
  ];
  const indent = '  '.repeat(depth);
  return below.flatMap(([how, each]) => {
    const frames = String(each.stack ?? '').match(/^\s+at .*$/gm) ?? [];
    return [
      ...`${how}${headOf(each)}`.split('\n').map((line) => indent + line),
      ...frames.slice(0, MOST_FRAMES).map((line) => `${indent}    ${line.trim()}`),
      ...causeLines(each, depth + 1),
    ];
  });
}

const isRecord = (value: unknown): value is ErrorRecord =>
  typeof value === 'object' && value !== null && 'name' in value;

const membersOf = ({ errors }: ErrorRecord): ErrorRecord[] =>
  Array.isArray(errors) ? (errors as unknown[]).filter(isRecord) : [];

const causeOf = ({ cause }: ErrorRecord): ErrorRecord | undefined =>
  isRecord(cause) ? cause : undefined;
