import { symlinkSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { sourcesOf } from '../../src/cli/watch.ts';
import { jobsPath, loadJobs } from '../../src/worker/load.ts';
import { app } from '../helpers/cli.ts';

const MODULE = { 'package.json': '{ "type": "module" }' };

void t.test('the exports of a file are told by name, whatever the kind of module', async (t) => {
  const folder = app(t, {
    ...MODULE,
    'esm.js': 'export const a = () => 1; export default () => 2;',
    'named.cjs': 'exports.a = () => 1;',
    'computed.cjs': 'const all = () => ({ a: () => 1, b: () => 2 }); module.exports = all();',
    'function.cjs': 'module.exports = Object.assign(() => 1, { a: () => 2 });',
    'nothing.cjs': 'module.exports = null;',
    'typed.ts': 'export const a = (): number => 1; export type B = string;',
  });
  const names = async (file: string) =>
    Object.keys((await loadJobs(path.join(folder, file))).exports).filter((name) =>
      /^\w$/.test(name),
    );
  t.same(await names('esm.js'), ['a']);
  t.same(await names('named.cjs'), ['a']);
  t.same(await names('computed.cjs'), ['a', 'b']);
  t.same(await names('function.cjs'), ['a']);
  t.same(await names('nothing.cjs'), []);
  t.same(await names('typed.ts'), ['a']);
});

void t.test("a CommonJS module's own object is no job beside its exports", async (t) => {
  const folder = app(t, { 'jobs.cjs': 'module.exports = { a: () => 1 };' });
  const { exports } = await loadJobs(path.join(folder, 'jobs.cjs'));
  t.same(Object.keys(exports), ['a']);
});

void t.test('TypeScript tells the files behind tsconfig paths', async (t) => {
  const folder = app(t, {}, 'typescript');
  const { files } = await loadJobs(path.join(folder, 'jobs.ts'));
  t.ok(files.includes(path.join(folder, 'lib/aliased.ts')));
});

void t.test('a file is found through a symbolic link, and known by its real path', async (t) => {
  const folder = app(t, { ...MODULE, 'jobs.cjs': 'module.exports = { ["a" + 1]: () => 1 };' });
  const link = path.join(folder, 'link.cjs');
  symlinkSync(path.join(folder, 'jobs.cjs'), link);
  t.equal(jobsPath(link), path.join(folder, 'jobs.cjs'));
  t.same(Object.keys((await loadJobs(jobsPath(link))).exports), ['a1']);
});

void t.test('what a file imports by relative paths is followed, broken files too', async (t) => {
  const folder = app(t, {
    ...MODULE,
    'jobs.ts': `import { a } from './a.js';
      import './plain.js';
      import type { B } from "./nested";
      const c = await import('./c.mjs'); const d = require('../${'outside'}.json');
      import 'minq'; import './missing.js';`,
    'a.ts': `export * from './jobs.js'; export { x } from './deep/x';  this is no TypeScript`,
    'deep/x.tsx': 'export const x = 1;',
    'plain.js': '',
    'nested/index.mts': '',
    'c.mjs': '',
    'unrelated.ts': '',
  });
  const found = sourcesOf(path.join(folder, 'jobs.ts')).map((file) => path.relative(folder, file));
  t.same(found.toSorted(), [
    'a.ts',
    'c.mjs',
    'deep/x.tsx',
    'jobs.ts',
    'nested/index.mts',
    'plain.js',
  ]);
});
