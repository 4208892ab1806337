/** Which app a worker belongs to, so that one app's cron entries are told from another's on the same queue; and which those are. */
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { definitionText } from '../cron/entry.ts';
import type { JobFunction } from '../job/define.ts';
import { JSON } from '../job/globals.ts';

/** Of several files: all of their names. */
export const appOfAll = (files: readonly string[]): string => files.map(appOf).toSorted().join(' ');

/**
 * The name of the package a file belongs to and the file's place in it: the same after each deploy, into
 * whatever folder. Without a package, the file's name.
 */
export function appOf(file: string): string {
  let full = path.resolve(file);
  try {
    full = realpathSync(full);
  } catch {
    // No file (`node -e`): its name will do.
  }
  for (let folder = path.dirname(full); ; folder = path.dirname(folder)) {
    const name = packageName(folder);
    if (name !== undefined)
      return `${name}:${path.relative(folder, full).replaceAll(path.sep, '/')}`;
    if (folder === path.dirname(folder)) return path.basename(full);
  }
}

function packageName(folder: string): string | undefined {
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    const { name } = JSON.parse(text) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined; // none here
  }
}

/** The app and the cron entries of its functions on this queue; a worker that isn't to define any belongs to no app. */
export function entriesOf(
  functions: ReadonlyMap<string, JobFunction>,
  {
    queue,
    app,
    cron,
    burst,
  }: { queue: string; app: string; cron: boolean | 'own'; burst: boolean },
): { app: string; definitions: Map<string, string> } {
  const definitions = new Map<string, string>();
  if (!cron || burst) return { app: '', definitions };
  for (const { name, options } of functions.values()) {
    if (options.cron === undefined && options.every === undefined) continue;
    if ((options.queue ?? (cron === 'own' ? undefined : queue)) !== queue) continue;
    definitions.set(name, definitionText({ ...options, fn: name }, app));
  }
  return { app, definitions };
}
