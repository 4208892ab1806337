/** What the tsconfig of a file says, with what it extends: read without the compiler, which an app may not have. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { JSON } from '../job/globals.ts';

/** The options that decide how a loaded file behaves. */
export interface CompilerOptions {
  module?: string;
  jsx?: string;
  jsxImportSource?: string;
  jsxFactory?: string;
  jsxFragmentFactory?: string;
}

interface Config {
  extends?: string | string[];
  compilerOptions?: CompilerOptions;
}

/** Of the nearest tsconfig.json above the file; empty without one. */
export function compilerOptionsOf(file: string): CompilerOptions {
  const config = nearest(file, 'tsconfig.json');
  return config === undefined ? {} : read(config, []);
}

/** The nearest file of this name in the file's folder or above it. */
export function nearest(file: string, name: string): string | undefined {
  const folder = path.dirname(file);
  if (folder === file) return undefined;
  const full = path.join(folder, name);
  return isFile(full) ? full : nearest(folder, name);
}

const isFile = (full: string): boolean =>
  statSync(full, { throwIfNoEntry: false })?.isFile() ?? false;

/** @param below the configs that led here */
function read(file: string, below: readonly string[]): CompilerOptions {
  if (below.includes(file)) return {}; // a circle, which the compiler complains of
  const { extends: bases = [], compilerOptions } = parse(readFileSync(file, 'utf8'));
  const inherited = [bases].flat().map((base) => {
    const found = locate(base, file);
    return found === undefined ? {} : read(found, [...below, file]);
  });
  return Object.assign({}, ...inherited, compilerOptions) as CompilerOptions;
}

/** JSON with comments and commas at the end. What can't be read says nothing: the compiler tells of it. */
function parse(text: string): Config {
  const json = text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[^]*?\*\//g, '$1')
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, '$1');
  try {
    return JSON.parse(json) as Config;
  } catch {
    return {};
  }
}

/** A path from the config, or a file of a package. */
function locate(base: string, from: string): string | undefined {
  if (/^\.{0,2}\//.test(base) || path.isAbsolute(base)) {
    const full = path.resolve(path.dirname(from), base);
    return [full, `${full}.json`].find(isFile);
  }
  const { resolve } = createRequire(from);
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`]) {
    try {
      return resolve(name);
    } catch {
      // the next
    }
  }
  return undefined;
}
