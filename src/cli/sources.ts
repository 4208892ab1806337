/** Which files a jobs file is made of, told by reading them, so that it is known of files that don't load too. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** What follows `from`, `import` or `require` and is a relative path. */
const RELATIVE = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}\/.*?)\1/g;
const CODE = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'];

/** @returns the file, and what it and its kind import by relative paths */
export function sourcesOf(file: string): string[] {
  const found = new Set([file]);
  // A Set hands out what is added to it on the way.
  for (const each of found) {
    for (const [, , specifier] of read(each).matchAll(RELATIVE)) {
      const target = candidates(path.resolve(path.dirname(each), specifier!)).find(isFile);
      if (target) found.add(target);
    }
  }
  return [...found];
}

/** What a loader may take for this path: it, `util.ts` for `util.js`, and what it says without its ending. */
function candidates(full: string): string[] {
  return [
    full,
    full.replace(/\.([cm]?)jsx?$/, '.$1ts'),
    full.replace(/\.jsx?$/, '.tsx'),
    ...CODE.map((ending) => full + ending),
    ...CODE.map((ending) => path.join(full, `index${ending}`)),
  ];
}

function isFile(full: string): boolean {
  return statSync(full, { throwIfNoEntry: false })?.isFile() ?? false;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // gone in this moment: the next look finds it
  }
}
