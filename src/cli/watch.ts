/** Hears of changes to files. */
import { watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

export interface FileWatcher {
  add(files: string[]): void;
  close(): void;
}

/** Watches the folders of the files, for an editor may replace the file itself. */
export function watchFiles(onChange: () => void): FileWatcher {
  const files = new Set<string>();
  const folders = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  return {
    add(more) {
      for (const file of more) {
        files.add(file);
        const folder = path.dirname(file);
        if (folders.has(folder)) continue;
        const watcher = watch(folder, (_event, name) => {
          if (name === null || !files.has(path.join(folder, name))) return;
          clearTimeout(timer);
          timer = setTimeout(onChange, SETTLE_MS);
        });
        folders.set(folder, watcher);
      }
    },
    close() {
      clearTimeout(timer);
      for (const watcher of folders.values()) watcher.close();
    },
  };
}
