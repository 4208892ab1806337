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
import { JSON } from '../job/globals.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';

const TYPESCRIPT = /\.([cm]?ts|[jt]sx)$/;

/** All CommonJS modules of the process, by their paths. */
const loadedByNode = createRequire(import.meta.url).cache;

/** Modules that were loaded together. */
export interface Loaded {
  /** What each of them exports. */
  modules: Record<string, unknown>[];
  /** Files that were read for them and that only the loader knows of, as those behind tsconfig paths. */
  files: string[];
}

/**
 * The full path, without symbolic links: the name under which the module loaders know the file.
 * @throws {InvalidArgumentError} when there is no such file, or it is a folder, a pipe or a device
 */
export const jobsPath = (file: string): string => fileOf(file, 'jobs file');

/** @param what it is, for the error */
export function fileOf(file: string, what: string): string {
  let full: string;
  try {
    full = realpathSync(file);
  } catch {
    throw new InvalidArgumentError(
      `${what}: ${show(file)} does not exist; give its path, e.g. ./jobs.ts`,
    );
  }
  const found = statSync(full);
  if (found.isDirectory()) {
    throw new InvalidArgumentError(
      `${what}: ${show(file)} is a folder; give a file in it, e.g. ${path.join(file, 'jobs.ts')}`,
    );
  }
  if (!found.isFile()) {
    // A pipe is empty for the second process that reads it; a device may have no end.
    throw new InvalidArgumentError(
      `${what}: ${show(file)} is a pipe, a socket or a device; give a regular file, e.g. ./jobs.ts`,
    );
  }
  return full;
}

/**
 * What all jobs files export.
 * @param fulls from `jobsPath`
 * @throws {InvalidArgumentError} for a name that two of them export, unless it is the same thing
 * @throws {MinqError} as `load`
 */
export async function loadJobs(
  fulls: readonly string[],
): Promise<{ exports: Record<string, unknown>; files: string[] }> {
  const { modules, files } = await load(fulls, 'jobs file');
  const exports: Record<string, unknown> = {};
  const from = new Map<string, string>();
  for (const [i, full] of fulls.entries()) {
    for (const [name, value] of Object.entries(modules[i]!)) {
      const before = from.get(name);
      if (before !== undefined && exports[name] !== value && name !== 'default') {
        throw new InvalidArgumentError(
          `jobs files: both ${before} and ${full} export ${show(name)}; rename one of them`,
        );
      }
      from.set(name, full);
      exports[name] = value;
    }
  }
  return { exports, files };
}

/**
 * Loads them as one file would that imports them all: what they share is there once.
 * @param fulls full paths
 * @param what each is, for the error
 * @throws {MinqError} with what a file itself threw, or why it can't be read, as `cause`
 */
export async function load(fulls: readonly string[], what: string): Promise<Loaded> {
  try {
    const typed = fulls.some((full) => TYPESCRIPT.test(full));
    return await (typed ? loadTypeScript(fulls) : loadJavaScript(fulls));
  } catch (cause) {
    const { name, message, stack = '' } = describeError(cause);
    // Node puts the place of a syntax error in front of the stack; for ESM it keeps it to itself.
    const place = /^(?:file:\/\/)?(\/.+:\d+)\n/.exec(stack)?.[1];
    const hint = place ?? (cause instanceof SyntaxError ? '`node --check` shows where' : undefined);
    const why = `${name}: ${message.replace(/\s+/g, ' ')}${hint ? ` (${hint})` : ''}`;
    const names = fulls.join(', ');
    throw new MinqError('JOBS_FILE', `${what} ${names} can't be loaded: ${why}`, { cause });
  }
}

async function loadJavaScript(fulls: readonly string[]): Promise<Loaded> {
  const modules: Loaded['modules'] = [];
  for (const full of fulls) {
    const namespace = (await import(pathToFileURL(full).href)) as Record<string, unknown>;
    // As a namespace, a CommonJS module has only the exports Node can tell by reading the source.
    const commonJs = loadedByNode[full];
    modules.push({ ...(commonJs?.exports ?? namespace) });
  }
  return { modules, files: [] };
}

async function loadTypeScript(fulls: readonly string[]): Promise<Loaded> {
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
  // Without a cache of modules, only what is imported together shares what it imports.
  const [first] = fulls as [string];
  const all = fulls.map((full, i) => `export * as file${i} from ${JSON.stringify(full)};`);
  const namespace = await (fulls.length === 1
    ? jiti.import<Record<string, unknown>>(first)
    : (jiti.evalModule(all.join('\n'), {
        filename: path.join(path.dirname(first), 'jobs files.ts'),
        async: true,
      }) as Promise<Record<string, Record<string, unknown>>>));
  const modules = fulls.map((_, i) => ({
    ...(fulls.length === 1 ? namespace : (namespace[`file${i}`] as Record<string, unknown>)),
  }));
  return { modules, files: [...files, ...Object.keys(loadedByNode)] };
}
