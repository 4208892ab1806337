/** Names a user gives: of functions, of queues and prefixes. */
import { refuse } from './refuse.ts';

const NAME = /^[A-Za-z_$][\w$.:-]{0,127}$/;
/** Names objects have by birth, and `then`, which would make a module look like a promise. */
const FORBIDDEN = new Set(['default', 'then', ...Object.getOwnPropertyNames(Object.prototype)]);

/** Whether a function may be enqueued and looked up under this name. Checked at both ends. */
export const isFunctionName = (name: unknown): name is string =>
  typeof name === 'string' && NAME.test(name) && !FORBIDDEN.has(name);

const SAFE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** @throws {InvalidArgumentError} for names that would break the hash tag or collide with other keys */
export function checkName(value: unknown, what: string): string {
  if (typeof value === 'string' && SAFE_NAME.test(value)) return value;
  return refuse(what, value, 'give 1 to 64 of the characters A-Z a-z 0-9 _ . -');
}
