/** A copy of the package to plant bugs in; nothing outside of its folder is ever changed. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { misfit, type Mutant } from './mutant.ts';

export const ROOT = path.resolve(import.meta.dirname, '../../..');

/**
 * What is in version control, and what is new and not ignored: work in progress is to be tested, too. Modules and the
 * built pages (no bug is planted in those) are linked.
 */
export function copyPackage(folder: string): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'src', 'test'];
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  mkdirSync(folder);
  for (const file of [
    'package.json',
    'tsconfig.json',
    'README.md',
    'bench/GUIDE.md',
    ...files.filter(Boolean),
  ]) {
    const from = path.join(ROOT, file);
    if (existsSync(from)) cpSync(from, path.join(folder, file)); // not of one that was deleted
  }
  for (const name of ['node_modules', 'dist']) {
    symlinkSync(path.join(ROOT, name), path.join(folder, name));
  }
}

/** @returns what takes the bug out again */
export function plant(folder: string, { file, find, replace }: Mutant): () => void {
  const target = path.join(folder, 'src', file);
  const source = readFileSync(target, 'utf8');
  writeFileSync(
    target,
    source.replace(find, () => replace),
  );
  return () => writeFileSync(target, source);
}

/** @returns a line for each that no longer fits its source */
export function misfits(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    const target = path.join(ROOT, 'src', mutant.file);
    const why = existsSync(target)
      ? misfit(mutant, readFileSync(target, 'utf8'))
      : 'its file is gone';
    return why ? [`mutant ${mutant.name} no longer fits src/${mutant.file}: ${why}`] : [];
  });
}
