/** Which files a jobs file is made of, and when they change. */
import { readFileSync, statSync, watch } from 'node:fs';
import path from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/** Watches the folders of the files, for an editor may replace the file itself. */
export function watchFiles(onChange: () => void) {
  const files = new Set<string>();
  const folders = new Set<string>();
  const closed = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    add(more: readonly string[]) {
      for (const file of more) {
        files.add(file);
        const folder = path.dirname(file);
        if (folders.has(folder)) continue;
        folders.add(folder);
        watch(folder, { signal: closed.signal }, (_event, name) => {
          if (name === null || !files.has(path.join(folder, name))) return;
          clearTimeout(timer);
          timer = setTimeout(onChange, SETTLE_MS);
        });
      }
    },
    close() {
      clearTimeout(timer);
      closed.abort();
    },
  };
}

/** What follows `from`, `import` or `require` and is a relative path. */
const RELATIVE = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}\/.*?)\1/g;
const CODE = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];

/**
 * Told by reading them, so that it is known of files that don't load too.
 * @returns the file, and what it and its kind import by relative paths
 */
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

const isFile = (full: string): boolean =>
  statSync(full, { throwIfNoEntry: false })?.isFile() ?? false;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // gone in this moment: the next look finds it
  }
}
