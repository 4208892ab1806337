/**
 * Values to JSON and back. JSON.stringify drops or bends what it can't say (functions, NaN, Map, BigInt);
 * here such a value is refused with its path, before anything is sent: nothing is silently changed.
 */
import { InvalidArgumentError } from './errors.ts';

/** Largest JSON text of a job's arguments, or of a result: 1 MiB. Bigger data belongs in a store of its own. */
export const MAX_JSON_BYTES = 1024 * 1024;

/** Deeper nesting than this is refused (the stack of a naive reader would overflow). */
const MAX_DEPTH = 500;

/**
 * Arguments to JSON text. Trailing `undefined`s are left out (the function sees them as missing, which is the same).
 * @throws {InvalidArgumentError} e.g. `args[0].user.id: BigInt can't be stored as JSON`
 */
export function encodeArgs(args: readonly unknown[]): string {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return encode(length === args.length ? args : args.slice(0, length), 'args');
}

/**
 * Any value to JSON text; `undefined` at the top has none and gives `undefined`.
 * @throws {InvalidArgumentError} with the path of what can't be stored
 */
export function encodeValue(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : encode(value, name);
}

/**
 * A job's result to JSON text, as JSON does it: an `undefined` in an array is stored as null. The work is done; to fail
 * it for that would help nobody.
 * @throws {InvalidArgumentError} with the path of what can't be stored
 */
export function encodeResult(value: unknown): string | undefined {
  return value === undefined ? undefined : encode(value, 'result', true);
}

function encode(value: unknown, name: string, lenient = false): string {
  let json: string;
  try {
    const problem = findProblem(value, [], [], lenient);
    if (problem) throw new InvalidArgumentError(`${name}${problem}`);
    json = JSON.stringify(value);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError(
      `${name}: reading the value threw: ${describeError(error).message}`,
    );
  }
  // UTF-8 takes at most three bytes for a UTF-16 unit: only long texts need the exact count.
  if (json.length * 3 > MAX_JSON_BYTES) {
    const bytes = Buffer.byteLength(json);
    if (bytes > MAX_JSON_BYTES) {
      throw new InvalidArgumentError(
        `${name}: ${bytes} bytes as JSON, the limit is ${MAX_JSON_BYTES}; store the data elsewhere and pass a reference`,
      );
    }
  }
  return json;
}

/**
 * Walks the value; the answer is `undefined` or `<path>: <what is wrong>`. `path` and `parents` are
 * one shared stack each, so that a clean value costs no allocation but these two. `lenient`: undefined may stand in arrays.
 */
function findProblem(
  value: unknown,
  path: (string | number)[],
  parents: object[],
  lenient: boolean,
): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : problem(path, `${value} can't be stored as JSON`);
    case 'object':
      return value === null ? undefined : findProblemInObject(value, path, parents, lenient);
    case 'undefined':
      return problem(path, "undefined can't be stored as JSON here; use null");
    case 'bigint':
      return problem(path, "BigInt can't be stored as JSON; pass it as a string");
    default:
      return problem(path, `a ${typeof value} can't be stored as JSON`);
  }
}

function findProblemInObject(
  value: object,
  path: (string | number)[],
  parents: object[],
  lenient: boolean,
): string | undefined {
  if (parents.includes(value)) return problem(path, "circular reference can't be stored as JSON");
  if (parents.length >= MAX_DEPTH)
    return problem(path.slice(0, 5), `nested deeper than ${MAX_DEPTH} levels`);
  if (value instanceof Date) {
    return Number.isNaN(value.getTime())
      ? problem(path, "an invalid Date can't be stored")
      : undefined;
  }
  parents.push(value);
  let found: string | undefined;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && !found; i++) {
      if (lenient && value[i] === undefined) continue;
      path.push(i);
      found = findProblem(value[i], path, parents, lenient);
      path.pop();
    }
  } else if (
    typeof (value as { toJSON?: unknown }).toJSON === 'function' &&
    !Buffer.isBuffer(value)
  ) {
    found = findProblem((value as { toJSON(): unknown }).toJSON(), path, parents, lenient);
  } else {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind !== 'Object' || ArrayBuffer.isView(value)) {
      const a = /^[AEIO]/.test(kind) ? 'an' : 'a';
      found = problem(path, `${a} ${kind} can't be stored as JSON${mend(kind)}`);
    } else {
      for (const key of Object.keys(value)) {
        const item = (value as Record<string, unknown>)[key];
        // As JSON has it: a property that is undefined is a property that is missing.
        if (item === undefined) continue;
        path.push(key);
        found =
          key === '__proto__'
            ? problem(path, 'a property of this name is refused: it poisons careless merges')
            : findProblem(item, path, parents, lenient);
        path.pop();
        if (found) break;
      }
    }
  }
  parents.pop();
  return found;
}

function problem(path: (string | number)[], what: string): string {
  const steps = path.map((step) =>
    typeof step === 'number'
      ? `[${step}]`
      : /^[A-Za-z_$][\w$]*$/.test(step)
        ? `.${step}`
        : `[${JSON.stringify(step)}]`,
  );
  return `${steps.join('')}: ${what}`;
}

function mend(kind: string): string {
  if (kind === 'Map' || kind === 'Set') return `; pass [...the${kind}]`;
  if (kind === 'Promise') return '; await it first';
  if (kind === 'Error') return '; pass its message';
  if (kind.endsWith('Array') || kind === 'ArrayBuffer') return '; pass base64 text or a reference';
  return '';
}

/** What is kept of an error: texts only, capped. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

const MAX_NAME = 200;
const MAX_MESSAGE = 8 * 1024;
const MAX_STACK = 16 * 1024;

/** Describes whatever was thrown; never throws itself, not even for proxies and getters that do. */
export function describeError(thrown: unknown): ErrorRecord {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: 'Error', message: cut(`thrown: ${safeText(() => thrown)}`, MAX_MESSAGE) };
  }
  const read = (key: 'name' | 'message' | 'stack') =>
    safely(() => {
      const text = (thrown as Record<string, unknown>)[key];
      return typeof text === 'string' ? text : undefined;
    });
  const name = read('name');
  const message = read('message');
  const stack = read('stack');
  if (message === undefined) {
    const json = safely(() => JSON.stringify(thrown));
    return {
      name: cut(name ?? 'Error', MAX_NAME),
      message: cut(`thrown: ${json ?? safeText(() => thrown)}`, MAX_MESSAGE),
    };
  }
  return {
    name: cut(name ?? 'Error', MAX_NAME),
    message: cut(message, MAX_MESSAGE),
    ...(stack === undefined ? {} : { stack: cut(stack, MAX_STACK) }),
  };
}

/** The recorded error as an `Error` again, so that it can be a `cause` and print as one. */
export function reviveError(record: ErrorRecord): Error {
  const error = new Error(record.message);
  // Not enumerable, as on a native error: it shows once, in front of the message.
  Object.defineProperty(error, 'name', { value: record.name, configurable: true, writable: true });
  if (record.stack !== undefined) error.stack = record.stack;
  return error;
}

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}... (${text.length - most} more characters)`;

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // the thrown value fights back: what can't be read counts as absent
  }
}

const safeText = (read: () => unknown): string =>
  safely(() => String(read())) ?? 'a value that can not be shown';
