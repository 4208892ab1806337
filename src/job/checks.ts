/**
 * Every option's check and default; what it means stands in `options.ts`. What a user gives is checked here once, at construction or
 * at the call; the rest of minq sees only resolved values, durations in ms.
 */
import { now, Date } from './globals.ts';
import type { Backoff } from './backoff.ts';
import { checkCron, checkTimezone } from './pattern.ts';
import { LONGEST_TIMER_MS, toMs } from './duration.ts';
import { refuse } from './refuse.ts';
import { InvalidArgumentError } from './errors.ts';
import { checkName, checkOwnId, isFunctionName } from './names.ts';

/** Defaults of a run: retries 3, exponential backoff from 1 s up to 10 m, timeout 5 m, results 1 h. */
export const RUN_DEFAULTS = {
  retries: 3,
  backoff: { type: 'exponential', delay: 1_000, max: 600_000, jitter: 1 } satisfies Backoff,
  timeout: 5 * 60_000,
  resultTtl: 3_600_000,
} as const;

export type Check<T> = (value: unknown, name: string) => T;
type Checks = Record<string, Check<unknown>>;
type Checked<C extends Checks> = { -readonly [K in keyof C]?: ReturnType<C[K]> };

const duration =
  (min = 0, max?: number): Check<number> =>
  (value, name) =>
    toMs(value, name, min, max);

const wholeNumber =
  (min: number, max: number): Check<number> =>
  (value, name) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(name, value, `give a whole number from ${min} to ${max}`);

const oneOf =
  <const T extends string>(...words: T[]): Check<T> =>
  (value, name) =>
    words.includes(value as T)
      ? (value as T)
      : refuse(name, value, `give one of ${words.map((word) => `'${word}'`).join(', ')}`);

export const flag: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : refuse(name, value, 'give true or false');

export const func =
  <T>(): Check<T> =>
  (value, name) =>
    typeof value === 'function' ? (value as T) : refuse(name, value, 'give a function');

const text: Check<string> = (value, name) =>
  typeof value === 'string' && value.length > 0 ? value : refuse(name, value, 'give a text');

const date: Check<number> = (value, name) =>
  value instanceof Date && Number.isSafeInteger(value.getTime()) && value.getTime() >= 0
    ? value.getTime()
    : refuse(name, value, 'give a valid Date');

export const checkMeta: Check<Record<string, string>> = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(name, value, 'give an object of texts');
  }
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') refuse(`${name}.${key}`, item, 'give a text');
  }
  return { ...value } as Record<string, string>;
};

/** `'5s'` is a fixed backoff; an object may leave out what the default has. */
const backoff: Check<Backoff> = (value, name) => {
  if (typeof value === 'number' || typeof value === 'string') {
    const delay = toMs(value, name);
    return { type: 'fixed', delay, max: delay, jitter: 0 };
  }
  const given = check(backoffChecks, value, name);
  return { ...RUN_DEFAULTS.backoff, ...given };
};

const backoffChecks = {
  type: oneOf('exponential', 'fixed'),
  delay: duration(),
  max: duration(),
  jitter: (value, name) =>
    typeof value === 'number' && value >= 0 && value <= 1
      ? value
      : refuse(name, value, 'give a number from 0 (none) to 1 (full)'),
} satisfies Checks;

/** Zero would mean "never"; nothing that runs may be without an end. */
const runChecks = {
  retries: wholeNumber(0, 1_000_000),
  backoff,
  timeout: duration(1),
  resultTtl: duration(),
} satisfies Checks;

const enqueueChecks = {
  ...runChecks,
  id: checkOwnId as Check<string>,
  unique: oneOf('pending', 'kept', 'waiting'),
  delay: duration(),
  runAt: date,
  expires: duration(1),
  priority: oneOf('high', 'normal', 'low'),
  queue: checkName as Check<string>,
  meta: checkMeta,
} satisfies Checks;

/** When a cron entry fires, and what becomes of ticks that were missed or come too early. */
const tickChecks = {
  cron: checkCron,
  every: duration(1_000),
  timezone: checkTimezone,
  catchUp: oneOf('last', 'none', 'all'),
  overlap: flag,
  until: date,
  times: wholeNumber(1, 1_000_000_000),
} satisfies Checks;

const jobChecks = {
  ...runChecks,
  retryIf: func<(error: unknown) => boolean>(),
  onFailure: text,
  keepLogs: flag,
  queue: checkName as Check<string>,
  expires: duration(1),
  ...tickChecks,
} satisfies Checks;

const scheduleChecks = {
  ...tickChecks,
  fn: (value, name) =>
    isFunctionName(value)
      ? value
      : refuse(name, value, 'give the name of a function your jobs file exports'),
  args: (value, name) =>
    Array.isArray(value) ? (value as unknown[]) : refuse(name, value, 'give an array'),
  options: ((value, name) => checkEnqueueOptions(value, name)) as Check<ResolvedEnqueueOptions>,
  paused: flag,
} satisfies Checks;

const routes: Check<Record<string, string>> = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(name, value, "give an object, such as { sendMail: 'mail' }");
  }
  for (const [fn, queue] of Object.entries(value)) {
    if (!isFunctionName(fn)) refuse(name, fn, 'give the names of functions your jobs file exports');
    checkName(queue, `${name}.${fn}`);
  }
  return { ...value } as Record<string, string>;
};

const queueChecks = {
  redis: ((value) => value) as Check<unknown>,
  prefix: checkName as Check<string>,
  defaults: ((value, name) => checkEnqueueOptions(value, name)) as Check<ResolvedEnqueueOptions>,
  callTimeout: duration(1, LONGEST_TIMER_MS),
  routes,
} satisfies Checks;

export const checkMiddleware = func<(...args: never[]) => Promise<unknown>>();

export const checkConcurrency = wholeNumber(1, 1_000);

/** At most so many of them: what is kept is memory of Redis. */
const kept: Check<{ age?: number; count?: number }> = (value, name) =>
  check({ age: duration(1_000), count: wholeNumber(1, 1_000_000) }, value, name);

const workerChecks = {
  keepFailed: kept,
  keepCompleted: kept,
  queue: checkName as Check<string>,
  concurrency: checkConcurrency,
  app: text,
  cron: (value, name) => (value === 'own' ? value : flag(value, name)),
  lease: duration(300, LONGEST_TIMER_MS),
  shutdownTimeout: duration(),
  burst: flag,
  redis: ((value) => value) as Check<unknown>,
  prefix: checkName as Check<string>,
  callTimeout: duration(1, LONGEST_TIMER_MS),
  routes,
  middleware: checkMiddleware,
  logger: (value, name) => {
    for (const method of ['debug', 'info', 'warn', 'error']) {
      if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') {
        refuse(name, value, `it needs a method '${method}' (console and pino have them)`);
      }
    }
    return value as object;
  },
} satisfies Checks;

const { queue: _queue, burst: _burst, cron: _cron, ...everyWorker } = workerChecks;

const textOrList: Check<string | string[]> = (value, name) =>
  [value].flat().every((each) => typeof each === 'string' && each !== '')
    ? (value as string | string[])
    : refuse(name, value, 'give the path of a file, or an array of them');

const shares: Check<object> = (value, name) => {
  const named = Array.isArray(value) ? value.map((queue) => [queue, undefined]) : undefined;
  if (!named && (typeof value !== 'object' || value === null)) {
    return refuse(
      name,
      value,
      'give names with numbers, such as { mail: 5 }, or an array of names',
    );
  }
  for (const [queue, atOnce] of named ?? Object.entries(value as object)) {
    checkName(queue, name);
    if (atOnce !== undefined) checkConcurrency(atOnce, `${name}.${queue}`);
  }
  return value as object;
};

const configChecks = {
  ...queueChecks,
  ...everyWorker,
  jobs: textOrList,
  queues: shares,
  dashboard: ((value, name) =>
    typeof value === 'object' && value !== null
      ? value
      : refuse(name, value, 'give an object')) as Check<object>,
} satisfies Checks;

/** @throws {InvalidArgumentError} for what can't be in a `minq.config.ts` */
export function checkConfig(value: unknown): void {
  check(configChecks, value, 'options');
}

/** Marks a config, so that a queue or a worker takes of it what is theirs. Shared between copies of minq. */
const CONFIG = Symbol.for('minq.config');

export const isConfig = (value: object): boolean => CONFIG in value;
export const markConfig = <T extends object>(config: T): T => ({ ...config, [CONFIG]: true });

export type ResolvedEnqueueOptions = Checked<typeof enqueueChecks>;
export type ResolvedJobOptions = Checked<typeof jobChecks>;
export type ResolvedSchedule = Checked<typeof scheduleChecks>;
export type ResolvedWorkerOptions = Checked<typeof workerChecks>;
export type ResolvedQueueOptions = Checked<typeof queueChecks>;

/** @param defaults taken where nothing is given */
export function checkEnqueueOptions(
  value: unknown,
  name = 'options',
  defaults: ResolvedEnqueueOptions = {},
): ResolvedEnqueueOptions {
  const given = check(enqueueChecks, value, name);
  const where = name === 'options' ? '' : `${name}.`;
  if (given.delay !== undefined && given.runAt !== undefined) {
    refuse(`${where}delay`, given.delay, "give either 'delay' or 'runAt', not both");
  }
  const options = { ...defaults, ...given };
  if (given.runAt !== undefined) delete options.delay;
  if (options.unique !== undefined && options.id === undefined) {
    refuse(`${where}unique`, options.unique, "it needs an 'id' to be unique by");
  }
  const waits = options.runAt === undefined ? (options.delay ?? 0) : options.runAt - now();
  if (options.expires !== undefined && options.expires <= waits) {
    const start = options.runAt === undefined ? 'delay' : 'runAt';
    refuse(
      `${where}expires`,
      options.expires,
      `it must be later than '${start}', or the job can never start`,
    );
  }
  return options;
}

/** What makes sense for one job only can't be a default for all. */
export function checkQueueOptions(value: unknown): ResolvedQueueOptions {
  const options = check(queueChecks, value, 'options');
  for (const name of ['id', 'unique', 'runAt', 'queue'] as const) {
    if (options.defaults?.[name] !== undefined) {
      refuse(`defaults.${name}`, options.defaults[name], 'it can be given to a single job only');
    }
  }
  return options;
}

export function checkJobOptions(value: unknown): ResolvedJobOptions {
  const options = check(jobChecks, value, 'job options');
  checkTicks(options);
  return options;
}

/** What `Queue.schedule` takes. */
export function checkSchedule(value: unknown): ResolvedSchedule & { fn: string } {
  const given = check(scheduleChecks, value, 'options');
  if (given.cron === undefined && given.every === undefined) {
    refuse('cron', undefined, "say when: give 'cron' or 'every'");
  }
  checkTicks(given);
  for (const name of ['id', 'unique', 'delay', 'runAt', 'queue'] as const) {
    const option = given.options?.[name];
    if (option !== undefined) {
      refuse(name, option, 'each tick enqueues a job of its own, at once, on this queue');
    }
  }
  return { ...given, fn: given.fn ?? refuse('fn', undefined, 'give the name of a function') };
}

function checkTicks({ cron, every, ...rest }: ResolvedJobOptions): void {
  if (cron !== undefined && every !== undefined) {
    refuse('every', every, "give either 'cron' or 'every', not both");
  }
  for (const name of ['timezone', 'catchUp', 'overlap', 'until', 'times', 'expires'] as const) {
    if (rest[name] === undefined) continue;
    if (name === 'timezone' && every !== undefined) {
      refuse(name, rest[name], "it goes with 'cron'; 'every' is the same in all time zones");
    }
    if (cron === undefined && every === undefined) {
      refuse(name, rest[name], "it goes with 'cron' or 'every'");
    }
  }
}

export const checkWorkerOptions = (value: unknown): ResolvedWorkerOptions =>
  check(workerChecks, value, 'options');

/** `result({ timeout, signal })` */
export const checkResultOptions = (value: unknown) =>
  check(
    {
      timeout: duration(),
      signal: (signal: unknown, name: string) =>
        signal instanceof AbortSignal ? signal : refuse(name, signal, 'give an AbortSignal'),
    },
    value,
    'options',
  );

/** `reschedule(id, when)`. @returns it as scripts take it: `+<ms>` from now, or epoch ms */
export function checkWhen(value: unknown): string {
  const { delay, runAt } = check({ delay: duration(), runAt: date }, value, 'when');
  if ((delay === undefined) === (runAt === undefined)) {
    refuse('when', value, "give either 'delay' or 'runAt'");
  }
  return runAt === undefined ? `+${delay}` : String(runAt);
}

/** `'100/1m'` */
const rate: Check<{ count: number; perMs: number }> = (value, name) => {
  const [, count, per] =
    (typeof value === 'string' && /^(\d{1,6})\/(.+)$/.exec(value.trim())) || [];
  if (count === undefined || Number(count) < 1 || Number(count) > 100_000) {
    return refuse(name, value, "give how many in which time, such as '100/1m'; at most 100,000");
  }
  return { count: Number(count), perMs: toMs(per, name, 100, 24 * 3_600_000) };
};

/** `queue.limit(limit)` */
export const checkLimit = (value: unknown) =>
  check({ rate, concurrency: wholeNumber(1, 1_000_000) }, value, 'limit');

/** A page: `{ offset, limit }`. */
const PAGE = { offset: wholeNumber(0, Number.MAX_SAFE_INTEGER), limit: wholeNumber(1, 1_000) };
const FILTER = { fn: text, error: text, kind: text, args: text };
export const checkPage = (value: unknown) => check(PAGE, value, 'options');
export const checkFilter = (value: unknown) => check(FILTER, value, 'options');
export const checkFind = (value: unknown) => check({ ...PAGE, ...FILTER }, value, 'options');

/** @throws {InvalidArgumentError} for an unknown option, or a value that its check refuses */
export function check<C extends Checks>(checks: C, value: unknown, name: string): Checked<C> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(name, value, 'give an object');
  }
  const prefix = name === 'options' || name === 'job options' ? '' : `${name}.`;
  const checked: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as object)) {
    const one = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (!one && Object.hasOwn(configChecks, key) && isConfig(value)) continue;
    if (!one) {
      const near = Object.keys(checks).find((known) => alike(known, key));
      throw new InvalidArgumentError(
        `${prefix}${key}: unknown option${near ? `; did you mean '${near}'?` : `; known are ${Object.keys(checks).join(', ')}`}`,
      );
    }
    if (item !== undefined) checked[key] = one(item, prefix + key);
  }
  return checked as Checked<C>;
}

/** One typing slip apart: same letters in other case, or one letter more, less, other or swapped. */
function alike(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x === y) return true;
  if (Math.abs(x.length - y.length) > 2) return false;
  let same = 0;
  while (same < x.length && x[same] === y[same]) same++;
  let tail = 0;
  while (tail < Math.min(x.length, y.length) - same && x.at(-1 - tail) === y.at(-1 - tail)) tail++;
  return Math.max(x.length, y.length) - same - tail <= 2 && same + tail >= 2;
}
