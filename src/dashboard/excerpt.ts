/** Texts and values from users, as much of them as goes out. */
import type { ErrorRecord } from '../job/codec.ts';
import { causeLines, errorLine } from '../job/failure.ts';
import type { JobInfo } from '../views/inspector.ts';
import type { ErrorText, Text } from './api.ts';

/** Of one value, in bytes. */
const LARGEST = 10 * 1024;

/** @param most bytes of UTF-8 */
export function cutBytes(text: string, most = LARGEST): Text {
  // UTF-8 takes at most three bytes for a UTF-16 unit: only long texts need the exact count.
  if (text.length * 3 <= most) return { text, cut: 0 };
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return { text, cut: 0 };
  // As a stream that goes on: half a character at the end is left out.
  const kept = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, most), {
    stream: true,
  });
  return { text: kept, cut: text.length - kept.length };
}

export function cutCharacters(text: string, most: number): Text {
  if (text.length <= most) return { text, cut: 0 };
  // Not between the two halves of a character.
  const kept = text.slice(0, /[\uD800-\uDBFF]/.test(text[most - 1]!) ? most - 1 : most);
  return { text: kept, cut: text.length - kept.length };
}

/** A value as JSON, easy to read. */
export const pretty = (value: unknown): Text => cutBytes(JSON.stringify(value, null, 2) ?? '');

/** A value as JSON on one line. */
export const glance = (value: unknown): Text => cutCharacters(JSON.stringify(value) ?? '', 200);

export function errorText(error: ErrorRecord, most = LARGEST): ErrorText {
  const { name, message, stack, code } = error;
  const causes = causeLines(error).join('\n');
  return {
    name: cutCharacters(String(name), 200).text,
    message: cutBytes(String(message), most),
    ...(stack !== undefined && { stack: cutBytes(String(stack), most) }),
    ...(code !== undefined && { code: cutCharacters(String(code), 200).text }),
    ...(causes !== '' && { causes: cutBytes(causes, most) }),
  };
}

export const errorGlance = (error: ErrorRecord): Text => cutCharacters(errorLine(error), 300);

/** Trace headers and the like: a few short texts, as a rule. */
export function metaTexts(meta: Record<string, string>): Record<string, string> {
  const texts = Object.entries(meta)
    .slice(0, 50)
    .map(([key, value]) => [cutCharacters(key, 100).text, cutCharacters(value, 500).text]);
  return Object.fromEntries(texts) as Record<string, string>;
}

export type Redact = (job: JobInfo) => JobInfo;

/**
 * Takes from jobs what the user's hook takes out, before anything else looks at them.
 * A hook that fails has hidden nothing: then everything it may have meant is withheld.
 */
export const redactor =
  (hook: Redact | undefined): Redact =>
  (job) => {
    if (!hook) return job;
    try {
      // What is checked is what is shown: a `toJSON` may answer otherwise the second time. Throws for what can't be sent.
      const shown: unknown = JSON.parse(JSON.stringify(hook(job)));
      if (isJob(shown)) return shown;
    } catch {
      // Withheld, as if it had given nothing that is a job.
    }
    const { result: _, error: __, progress: ___, attempts: ____, log: _____, ...rest } = job;
    return { ...rest, args: [WITHHELD], meta: {} };
  };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): boolean => typeof value === 'string';

const isError = (value: unknown): boolean =>
  isObject(value) && isText(value['name']) && isText(value['message']);

function isJob(value: unknown): value is JobInfo {
  if (!isObject(value)) return false;
  const { id, state, fn, args, meta, error, attempts, log } = value;
  return (
    isText(id) && isText(state) && (fn === undefined || isText(fn)) &&
    Array.isArray(args) && isObject(meta) && Object.values(meta).every(isText) &&
    (error === undefined || isError(error)) && (log === undefined || isText(log)) &&
    (attempts === undefined || (Array.isArray(attempts) && attempts.every((each) => isObject(each) && isError(each['error']))))
  ); // prettier-ignore
}

const WITHHELD = 'withheld: redact failed';
