/** How bad input is refused: the error names the option or argument, the value and the mend. */
import { JSON } from './globals.ts';
import { InvalidArgumentError } from './errors.ts';

/** @throws {InvalidArgumentError} */
export function refuse(name: string, value: unknown, mend: string): never {
  throw new InvalidArgumentError(`${name}: ${show(value)} is not usable; ${mend}`);
}

/** A value as it may stand in an error message: short, quoted, never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
