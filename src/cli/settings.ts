/** What holds for a command: flags, then the config file, then the environment (which is asked where Redis is opened). */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkConfig, isConfig } from '../job/checks.ts';
import { InvalidArgumentError } from '../job/errors.ts';
import { checkName } from '../job/names.ts';
import { show } from '../job/refuse.ts';
import { fileOf, load } from '../worker/load.ts';
import type { Given } from './command.ts';
import type { Config } from './config.ts';

const FILES = ['minq.config.ts', 'minq.config.js', 'minq.config.mjs'];

/** Paths in it are full ones. */
export interface Settings extends Omit<Config, 'jobs'> {
  jobs: readonly string[];
  /** The config file, if there is one, and what only the loader knows that it is made of. */
  files: readonly string[];
}

/** @throws {InvalidArgumentError} naming the file, the option, the value and the mend */
export async function settingsOf(given: Given): Promise<Settings> {
  const named = given.text('config');
  const file = named ?? FILES.find((each) => existsSync(each));
  const { config, files } = file === undefined ? { config: {}, files: [] } : await read(file);
  const [redis, prefix] = [given.text('redis'), given.text('prefix')];
  const folder = path.dirname(path.resolve(file ?? ''));
  return {
    ...config,
    ...(redis !== undefined && { redis }),
    ...(prefix !== undefined && { prefix: checkName(prefix, '--prefix') }),
    jobs: [config.jobs ?? []].flat().map((each) => path.resolve(folder, each)),
    files,
  };
}

async function read(file: string): Promise<{ config: Config; files: string[] }> {
  const full = fileOf(file, 'config file');
  const { modules, files } = await load([full], 'config file');
  const [exports] = modules as [Record<string, unknown>];
  // Of a CommonJS file, all that it exports is the config.
  const config = exports['default'] ?? (isConfig(exports) ? exports : undefined);
  if (typeof config !== 'object' || config === null) {
    throw new InvalidArgumentError(
      `${file}: its default export is ${show(config)}; write: export default defineConfig({ ... })`,
    );
  }
  try {
    checkConfig(config);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`${file}: ${error.message}`);
  }
  return { config, files: [full, ...files] };
}
