/**
 * Values to JSON and back. JSON.stringify drops or bends what it can't say (functions, NaN, Map, BigInt);
 * here such a value is refused with its path, before anything is sent: nothing is silently changed.
 */
import { JSON, Date } from './globals.ts';
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
    json = new Writer(name, lenient).write(value);
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
 * Checks and writes in one walk: a getter or a `toJSON` is read once, for it may answer otherwise the second time,
 * and what was checked is what is stored.
 */
class Writer {
  readonly #name: string;
  /** Undefined may stand in arrays. */
  readonly #lenient: boolean;
  readonly #path: (string | number)[] = [];
  readonly #parents: object[] = [];

  constructor(name: string, lenient: boolean) {
    this.#name = name;
    this.#lenient = lenient;
  }

  write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return quoted(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'number':
        return Number.isFinite(value)
          ? String(value)
          : this.#refuse(`${value} can't be stored as JSON`);
      case 'object':
        return value === null ? 'null' : this.#writeObject(value);
      case 'undefined':
        return this.#refuse("undefined can't be stored as JSON here; use null");
      case 'bigint':
        return this.#refuse("BigInt can't be stored as JSON; pass it as a string");
      default:
        return this.#refuse(`a ${typeof value} can't be stored as JSON`);
    }
  }

  #writeObject(value: object): string {
    if (this.#parents.includes(value)) this.#refuse("circular reference can't be stored as JSON");
    if (this.#parents.length >= MAX_DEPTH)
      this.#refuse(`nested deeper than ${MAX_DEPTH} levels`, 5);
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      this.#refuse("an invalid Date can't be stored");
    }
    this.#parents.push(value);
    const json = this.#writeParts(value);
    this.#parents.pop();
    return json;
  }

  #writeParts(value: object): string {
    if (Array.isArray(value)) return this.#writeArray(value);
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function' && !Buffer.isBuffer(value)) {
      return this.write(toJSON.call(value, String(this.#path.at(-1) ?? '')));
    }
    if (JSON.isRawJSON(value))
      this.#refuse("JSON.rawJSON can't be stored; pass the value it stands for");
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind !== 'Object' || ArrayBuffer.isView(value)) {
      const a = /^[AEIO]/.test(kind) ? 'an' : 'a';
      return this.#refuse(`${a} ${kind} can't be stored as JSON${mend(kind)}`);
    }
    return this.#writeProperties(value as Record<string, unknown>);
  }

  #writeArray(items: readonly unknown[]): string {
    const numbers = items.length > MANY_NUMBERS ? finiteNumbers(items) : undefined;
    if (numbers) return JSON.stringify(numbers);
    let json = '';
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      this.#path.push(i);
      json +=
        (i === 0 ? '' : ',') + (this.#lenient && item === undefined ? 'null' : this.write(item));
      this.#path.pop();
    }
    return `[${json}]`;
  }

  #writeProperties(value: Record<string, unknown>): string {
    let json = '';
    for (const key of Object.keys(value)) {
      const item = value[key];
      // As JSON has it: a property that is undefined is a property that is missing.
      if (item === undefined) continue;
      this.#path.push(key);
      if (key === '__proto__') {
        this.#refuse('a property of this name is refused: it poisons careless merges');
      }
      json += `${json === '' ? '' : ','}${quoted(key)}:${this.write(item)}`;
      this.#path.pop();
    }
    return `{${json}}`;
  }

  /** @throws {InvalidArgumentError} naming the place, or where it is deep, the first steps to it */
  #refuse(what: string, steps = Infinity): never {
    const path = this.#path
      .slice(0, steps)
      .map((step) =>
        typeof step === 'number'
          ? `[${step}]`
          : /^[A-Za-z_$][\w$]*$/.test(step)
            ? `.${step}`
            : `[${JSON.stringify(step)}]`,
      );
    throw new InvalidArgumentError(`${this.#name}${path.join('')}: ${what}`);
  }
}

const MANY_NUMBERS = 8;

/** A copy, where the array holds nothing else: vectors are common, and written at once they are quick. */
function finiteNumbers(items: readonly unknown[]): number[] | undefined {
  const numbers: number[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (!Number.isFinite(item)) return undefined;
    numbers.push(item as number);
  }
  return numbers;
}

/** Most strings are short and need no escape: then this is quicker. */
const quoted = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- these are what JSON escapes
  text.length < 64 && !/["\\\u0000-\u001f\ud800-\udfff]/.test(text)
    ? `"${text}"`
    : JSON.stringify(text);

function mend(kind: string): string {
  if (kind === 'Map' || kind === 'Set') return `; pass [...the${kind}]`;
  if (kind === 'Promise') return '; await it first';
  if (kind === 'Error') return '; pass its message';
  if (kind.endsWith('Array') || kind === 'ArrayBuffer') return '; pass base64 text or a reference';
  return '';
}

/** What is kept of an error, capped; with what caused it, five levels deep, and all of that in 4 KB. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** E.g. `ECONNREFUSED`. */
  readonly code?: string | number;
  readonly cause?: ErrorRecord;
  /** Of an `AggregateError`: the first ten. */
  readonly errors?: readonly ErrorRecord[];
}

interface Limits {
  message: number;
  stack: number;
}

const MAX_NAME = 200;
const WHOLE: Limits = { message: 8 * 1024, stack: 16 * 1024 };
/** Of an error below another. */
const BELOW: Limits = { message: 1_000, stack: 500 };
const MAX_LEVELS = 5;
const MAX_ERRORS = 10;
/** Bytes of JSON of all errors below the one that was thrown. */
const MAX_BELOW = 4 * 1024;

/** Describes whatever was thrown; never throws itself, not even for proxies and getters that do. */
export function describeError(thrown: unknown): ErrorRecord {
  return describe(thrown, WHOLE, { bytes: MAX_BELOW, seen: new Set() }, 0);
}

/** What is left for the errors below, and which have been described. */
interface Room {
  bytes: number;
  readonly seen: Set<unknown>;
}

function describe(thrown: unknown, limits: Limits, room: Room, level: number): ErrorRecord {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: 'Error', message: cut(`thrown: ${safeText(() => thrown)}`, limits.message) };
  }
  const any = (key: string) => safely(() => (thrown as Record<string, unknown>)[key]);
  const read = (key: 'name' | 'message' | 'stack') => {
    const text = any(key);
    return typeof text === 'string' ? text : undefined;
  };
  const name = cut(read('name') ?? 'Error', MAX_NAME);
  const message = read('message');
  if (message === undefined) {
    const json = safely(() => JSON.stringify(thrown));
    return { name, message: cut(`thrown: ${json ?? safeText(() => thrown)}`, limits.message) };
  }
  const stack = read('stack');
  const code = any('code');
  return {
    name,
    message: cut(message, limits.message),
    ...(stack !== undefined && { stack: cut(stack, limits.stack) }),
    ...(typeof code === 'string' && { code: cut(code, MAX_NAME) }),
    ...(Number.isFinite(code) && { code: code as number }),
    ...below(thrown, any, room, level),
  };
}

function below(
  thrown: object,
  any: (key: string) => unknown,
  room: Room,
  level: number,
): Pick<ErrorRecord, 'cause' | 'errors'> {
  const [cause, errors] = [any('cause'), any('errors')];
  if (level === MAX_LEVELS || (cause === undefined && errors === undefined)) return {};
  room.seen.add(thrown);
  const one = (each: unknown): ErrorRecord[] => {
    if (room.seen.has(each)) return []; // an error may be its own cause
    // Its own texts first: what is below it gets what they leave.
    const own = describe(each, BELOW, { bytes: 0, seen: new Set() }, MAX_LEVELS);
    room.bytes -= Buffer.byteLength(JSON.stringify(own));
    if (room.bytes < 0) return [];
    if (typeof each !== 'object' || each === null) return [own];
    const part = (key: string) => safely(() => (each as Record<string, unknown>)[key]);
    return [{ ...own, ...below(each, part, room, level + 1) }];
  };
  const list = safely(() => (Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : [])) ?? [];
  const members = list.flatMap(one);
  const [causeRecord] = cause === undefined ? [] : one(cause);
  return {
    ...(causeRecord && { cause: causeRecord }),
    ...(members.length > 0 && { errors: members }),
  };
}

/** What is said in the place of what isn't as minq writes it. */
export const UNREADABLE = '(unreadable)' as const;

/** An error as it lies in Redis, where somebody else may have written: what isn't as `describeError` writes it is left out. */
export function readError(stored: unknown, level = 0): ErrorRecord {
  const { name, message, stack, code, cause, errors } = (stored ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof message !== 'string') {
    return { name: 'Error', message: UNREADABLE };
  }
  const deep = level >= MAX_LEVELS;
  return {
    name,
    message,
    ...(typeof stack === 'string' && { stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(cause !== undefined && !deep && { cause: readError(cause, level + 1) }),
    ...(Array.isArray(errors) &&
      !deep && { errors: errors.slice(0, MAX_ERRORS).map((each) => readError(each, level + 1)) }),
  };
}

/** The recorded error as an `Error` again, so that it can be a `cause` and print as one. */
export function reviveError({ name, message, stack, code, cause, errors }: ErrorRecord): Error {
  const error = errors
    ? new AggregateError(
        errors.map((each) => reviveError(each)),
        message,
      )
    : new Error(message);
  // Not enumerable, as on a native error: it shows once, in front of the message.
  const define = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  define('name', name);
  if (stack !== undefined) error.stack = stack;
  if (code !== undefined) Object.assign(error, { code });
  if (cause) define('cause', reviveError(cause));
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
