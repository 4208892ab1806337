/** A bug to try the runner of mutants with: its test is a quick one. */
import type { Mutant } from './mutant.ts';

export const CODEC: Mutant = {
  name: 'codec-lets-nan-through',
  what: 'NaN arrives as null',
  file: 'job/codec.ts',
  find: 'Number.isFinite(value)',
  replace: 'true',
  tests: ['job/codec'],
};
