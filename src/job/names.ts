/** Names a user gives: of functions, of queues and prefixes, ids of jobs. */
import { refuse } from './refuse.ts';

const NAME = /^[A-Za-z_$][\w$.:-]{0,127}$/;
/** Names objects have by birth, and `then`, which would make a module look like a promise. */
const FORBIDDEN = new Set(['default', 'then', ...Object.getOwnPropertyNames(Object.prototype)]);

/** Whether a function may be enqueued and looked up under this name. Checked at both ends. */
export const isFunctionName = (name: unknown): name is string =>
  typeof name === 'string' && NAME.test(name) && !FORBIDDEN.has(name);

const SAFE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

export const isName = (value: unknown): value is string =>
  typeof value === 'string' && SAFE_NAME.test(value);

/** @throws {InvalidArgumentError} for names that would break the hash tag or collide with other keys */
export function checkName(value: unknown, what: string): string {
  if (isName(value)) return value;
  return refuse(what, value, 'give 1 to 64 of the characters A-Z a-z 0-9 _ . -');
}

const SCHEDULE_NAME = /^[\w.:@/+=-]{1,128}$/;

/** @throws {InvalidArgumentError} */
export function checkScheduleName(value: unknown): string {
  if (typeof value === 'string' && SCHEDULE_NAME.test(value)) return value;
  return refuse('name', value, 'give 1 to 128 of the characters A-Z a-z 0-9 _ . : @ / + = -');
}

/** Scripts part ids by blanks, people read them: letters, digits, signs and symbols of any language. */
const ID = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u;

function checkId(value: unknown, name: string, most: number): string {
  if (typeof value === 'string' && ID.test(value) && value.length <= most) return value;
  return refuse(name, value, `give 1 to ${most} printable characters without blanks`);
}

/**
 * Ids that minq makes from others, of `onFailure` jobs, may be longer than those a user may give.
 * @throws {InvalidArgumentError} for what can't be the id of a job
 */
export const checkJobId = (value: unknown): string => checkId(value, 'id', 256);

/**
 * An id that a user gives a job. What would be that of a tick of cron, or of an `onFailure` job, would keep it from running. (Those of
 * flows are random.)
 * @throws {InvalidArgumentError}
 */
export function checkOwnId(value: unknown, name: string): string {
  const id = checkId(value, name, 128);
  if (!/^cron:|:(failure|again):\d+$/.test(id)) return id;
  return refuse(
    name,
    id,
    'minq itself makes ids that begin with cron: or end with :failure:<number> or :again:<number>; give another',
  );
}
