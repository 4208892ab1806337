/** What there is to run: the scenarios of their folder, the libraries, and the mutants. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Library, LibraryName } from './libraries/library.ts';
import type { Scenario } from './scenario.ts';

const load = async (...file: string[]): Promise<Record<string, unknown>> => {
  const url = pathToFileURL(path.join(import.meta.dirname, ...file)).href;
  return (await import(url)) as Record<string, unknown>;
};

/** In the order of their names. */
export async function loadScenarios(): Promise<Scenario[]> {
  const folder = path.join(import.meta.dirname, 'scenarios');
  const files = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith('.ts'))
    : [];
  return Promise.all(
    files.toSorted().map(async (file) => (await load('scenarios', file))['default'] as Scenario),
  );
}

export const loadLibrary = async (name: LibraryName): Promise<Library> =>
  (await load('libraries', `${name}.ts`))[name] as Library;

export interface KilledMutant {
  readonly name: string;
  /** The test that noticed; undefined: none did. */
  readonly killedBy: string | undefined;
  readonly ms: number;
}

export async function runMutants(options: {
  seed: number;
  say: (line: string) => void;
}): Promise<KilledMutant[]> {
  const module = await load('mutants', 'run.ts');
  return (module['runMutants'] as (given: typeof options) => Promise<KilledMutant[]>)(options);
}
