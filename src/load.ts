/**
 * Loads a user's jobs file: plain JavaScript natively, TypeScript through jiti, which on every Node we support
 * understands what native type stripping doesn't: `./util.js` that is really `util.ts`, enums, tsconfig paths.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidArgumentError } from './errors.ts';
import { show } from './duration.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;

export interface JobsFile {
  exports: Record<string, unknown>;
  /** The user's own files that were read, for `--watch`. */
  files: string[];
}

export async function loadJobs(file: string): Promise<JobsFile> {
  const full = path.resolve(file);
  if (!existsSync(full)) {
    throw new InvalidArgumentError(
      `jobs file: ${show(file)} does not exist; give its path, e.g. ./jobs.ts`,
    );
  }
  return TYPESCRIPT.test(full) ? loadTypeScript(full) : loadJavaScript(full);
}

async function loadJavaScript(full: string): Promise<JobsFile> {
  const exports = { ...((await import(pathToFileURL(full).href)) as Record<string, unknown>) };
  const { cache } = createRequire(import.meta.url);
  // Of a CommonJS module Node sees only the names it can tell by reading the source.
  if (cache[full]) Object.assign(exports, cache[full].exports);
  return { exports, files: [full, ...userFiles(Object.keys(cache))] };
}

async function loadTypeScript(full: string): Promise<JobsFile> {
  const { createJiti } = await import('jiti');
  // Without interopDefault modules are called directly, not through a proxy: five times faster.
  const jiti = createJiti(import.meta.url, { tsconfigPaths: true, interopDefault: false });
  const exports = await jiti.import<Record<string, unknown>>(full);
  return { exports: { ...exports }, files: userFiles([full, ...Object.keys(jiti.cache)]) };
}

const userFiles = (files: string[]): string[] => [
  ...new Set(files.filter((file) => !file.includes(`${path.sep}node_modules${path.sep}`))),
];
