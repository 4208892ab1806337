import { createRequire } from 'node:module';

/**
 * Loads a package as a user's program does. With `import`, the package would be run by what runs this
 * TypeScript, behind proxies that slow it down and, in one case, break it.
 */
export const native: (name: string) => unknown = createRequire(import.meta.url);
