/** The command line is wrong: one line says how, and the exit code is 2. */
export class UsageError extends Error {}

export const WRONG_USAGE = 2;
