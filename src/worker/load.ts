/**
 * Loads a user's jobs file: plain JavaScript natively, TypeScript through jiti, which on every Node we support
 * understands what native type stripping doesn't: `./util.js` that is really `util.ts`, enums, tsconfig paths, JSX.
 */
import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeError } from '../job/codec.ts';
import { show } from '../job/refuse.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';

const TYPESCRIPT = /\.([cm]?ts|[jt]sx)$/;

/** All CommonJS modules of the process, by their paths. */
const loadedByNode = createRequire(import.meta.url).cache;

export interface JobsFile {
  exports: Record<string, unknown>;
  /** Files that were read for it and that only the loader knows of, as those behind tsconfig paths. */
  files: string[];
}

/**
 * The full path, without symbolic links: the name under which the module loaders know the file.
 * @throws {InvalidArgumentError} when there is no such file, or it is a folder, a pipe or a device
 */
export function jobsPath(file: string): string {
  let full: string;
  try {
    full = realpathSync(file);
  } catch {
    throw new InvalidArgumentError(
      `jobs file: ${show(file)} does not exist; give its path, e.g. ./jobs.ts`,
    );
  }
  const found = statSync(full);
  if (found.isDirectory()) {
    throw new InvalidArgumentError(
      `jobs file: ${show(file)} is a folder; give a file in it, e.g. ${path.join(file, 'jobs.ts')}`,
    );
  }
  if (!found.isFile()) {
    // A pipe is empty for the second process that reads it; a device may have no end.
    throw new InvalidArgumentError(
      `jobs file: ${show(file)} is a pipe, a socket or a device; give a regular file, e.g. ./jobs.ts`,
    );
  }
  return full;
}

/**
 * @param full from `jobsPath`
 * @throws {MinqError} with what the file itself threw, or why it can't be read, as `cause`
 */
export async function loadJobs(full: string): Promise<JobsFile> {
  try {
    return await (TYPESCRIPT.test(full) ? loadTypeScript(full) : loadJavaScript(full));
  } catch (cause) {
    const { name, message, stack = '' } = describeError(cause);
    // Node puts the place of a syntax error in front of the stack; for ESM it keeps it to itself.
    const place = /^(?:file:\/\/)?(\/.+:\d+)\n/.exec(stack)?.[1];
    const hint = place ?? (cause instanceof SyntaxError ? '`node --check` shows where' : undefined);
    const what = `${name}: ${message.replace(/\s+/g, ' ')}${hint ? ` (${hint})` : ''}`;
    throw new MinqError('JOBS_FILE', `jobs file ${full} can't be loaded: ${what}`, { cause });
  }
}

async function loadJavaScript(full: string): Promise<JobsFile> {
  const namespace = (await import(pathToFileURL(full).href)) as Record<string, unknown>;
  // As a namespace, a CommonJS module has only the exports Node can tell by reading the source.
  const commonJs = loadedByNode[full];
  return { exports: { ...(commonJs?.exports ?? namespace) }, files: [] };
}

async function loadTypeScript(full: string): Promise<JobsFile> {
  const [{ createJiti }, { transpile }] = await Promise.all([
    import('jiti'),
    import('./transpile.ts'),
  ]);
  const files: string[] = [];
  const jiti = createJiti(import.meta.url, {
    tsconfigPaths: true,
    // Without it modules are called directly, not through a proxy: five times faster.
    interopDefault: false,
    // What Node has loaded before would come from its cache of CommonJS modules, without a default.
    moduleCache: false,
    fsCache: false, // `transpile` has one
    extensions: ['.js', '.mjs', '.cjs', '.jsx', '.ts', '.mts', '.cts', '.tsx'],
    transform(options) {
      files.push(options.filename!);
      return { code: transpile(options) };
    },
  });
  const exports = await jiti.import<Record<string, unknown>>(full);
  return { exports: { ...exports }, files: [...files, ...Object.keys(loadedByNode)] };
}
