/** How a recorded error is told, with what caused it. */
import type { ErrorRecord } from './codec.ts';

const MOST_FRAMES = 3;

/** On one line, e.g. `TypeError: fetch failed, caused by Error: connect ECONNREFUSED 127.0.0.1:1`. */
export function errorLine(error: ErrorRecord): string {
  const { cause, errors = [] } = error;
  const of = errors.length > 0 ? ` [${errors.map((each) => errorLine(each)).join('; ')}]` : '';
  const by = cause ? `, caused by ${errorLine(cause)}` : '';
  return `${headOf(error)}${of}${by}`;
}

/** `name: message`, with the code where it isn't said. */
export function headOf({ name, message, code }: ErrorRecord): string {
  const head = message ? `${name}: ${message}` : name;
  return code === undefined || head.includes(String(code)) ? head : `${head} (${String(code)})`;
}

/** What stands below an error: its causes and the errors it gathers, each with where it came from. */
export function causeLines({ cause, errors = [] }: ErrorRecord, depth = 0): string[] {
  const below = [
    ...errors.map((each) => ['one of its errors: ', each] as const),
    ...(cause ? [['caused by ', cause] as const] : []),
  ];
  const indent = '  '.repeat(depth);
  return below.flatMap(([how, each]) => {
    const frames = each.stack?.match(/^\s+at .*$/gm) ?? [];
    return [
      ...`${how}${headOf(each)}`.split('\n').map((line) => indent + line),
      ...frames.slice(0, MOST_FRAMES).map((line) => `${indent}    ${line.trim()}`),
      ...causeLines(each, depth + 1),
    ];
  });
}
