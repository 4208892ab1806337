import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { sourcesOf } from '../../src/cli/watch.ts';
import { jobsPath, loadJobs } from '../../src/worker/load.ts';
import { app, ROOT } from '../helpers/cli.ts';

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
    Object.keys((await loadJobs([path.join(folder, file)])).exports).filter((name) =>
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
  const { exports } = await loadJobs([path.join(folder, 'jobs.cjs')]);
  t.same(Object.keys(exports), ['a']);
});

void t.test('TypeScript tells the files behind tsconfig paths', async (t) => {
  const folder = app(t, {}, 'typescript');
  const { files } = await loadJobs([path.join(folder, 'jobs.ts')]);
  t.ok(files.includes(path.join(folder, 'lib/aliased.ts')));
});

/** Defaults and names of CommonJS modules: `plain` is its function, `compiled` was made by a compiler. */
const DEFAULTS = `export const a = async () => [
  typeof ms, typeof plain, plain.named, typeof compiled, named, typeof compiled.named, typeof (await import('compiled')).default,
];`;
const COMMONJS_PACKAGES = {
  'node_modules/plain/index.js': `module.exports = () => 1; module.exports.named = 'named';`,
  'node_modules/compiled/index.js': `exports.__esModule = true; exports.default = () => 1; exports.named = 'named';`,
  'loads.mjs': `import 'ms'; import 'plain'; import 'compiled';`,
};
const IMPORTS = [
  `import ms from 'ms'; import plain from 'plain'; import compiled, { named } from 'compiled';`,
  `import './loads.mjs';`,
];

for (const [what, { type, module }] of Object.entries({
  'an ES module': { type: 'module', module: 'nodenext' },
  'an ES module of a bundler': { type: undefined, module: 'esnext' },
  'CommonJS by the package': { type: undefined, module: 'NodeNext' },
  'CommonJS by the tsconfig': { type: 'commonjs', module: 'commonjs' },
})) {
  void t.test(
    `TypeScript gets from CommonJS what Node gives ${what}, in every order`,
    async (t) => {
      for (const imports of [IMPORTS, IMPORTS.toReversed()]) {
        const source = `${imports.join('\n')}\n${DEFAULTS}`;
        const folder = app(t, {
          ...COMMONJS_PACKAGES,
          'package.json': JSON.stringify({ type }),
          'tsconfig.json': `{ "compilerOptions": { "module": "${module}", /* as it was */ }, }`,
          'jobs.ts': source,
        });
        symlinkSync(path.join(ROOT, 'node_modules/ms'), path.join(folder, 'node_modules/ms'));
        const commonJs = what.startsWith('CommonJS');
        const compiled = path.join(folder, commonJs ? 'compiled.cjs' : 'compiled.mjs');
        const compilerOptions = {
          target: ts.ScriptTarget.ES2022,
          module: commonJs ? ts.ModuleKind.Node16 : ts.ModuleKind.ESNext,
          esModuleInterop: true,
        };
        const fileName = commonJs ? 'jobs.cts' : 'jobs.ts';
        const { outputText } = ts.transpileModule(source, { fileName, compilerOptions });
        writeFileSync(compiled, outputText);
        const show = `import(process.argv[1]).then(({ a }) => a()).then((said) => console.log(JSON.stringify(said)))`;
        const node = execFileSync(process.execPath, ['-e', show, compiled], { encoding: 'utf8' });
        const { exports } = await loadJobs([path.join(folder, 'jobs.ts')]);
        t.same(await (exports['a'] as () => unknown)(), JSON.parse(node));
      }
    },
  );
}

const JSX_RUNTIME = `export const jsx = (type, props) => ({ by: 'NAME', type, ...props }); export const jsxs = jsx; export const Fragment = 'f';`;
const FACTORY = `export const h = (type, props, ...children) => ({ by: 'h', type, children }); export const F = 'F';
  export default { createElement: (...all) => ({ ...h(...all), by: 'React' }), Fragment: 'RF' };`;
const AUTOMATIC = `export const a = () => <p><b>hi</b></p>;`;
const children = (by: string) => ({
  by,
  type: 'p',
  children: [{ by, type: 'b', children: ['hi'] }],
});
const element = (by: string) => ({ by, type: 'p', children: { by, type: 'b', children: 'hi' } });

void t.test("JSX is made what the file's tsconfig says", async (t) => {
  const cases: [what: string, options: object, source: string, expected: object][] = [
    ['jsxImportSource', { jsx: 'react-jsx', jsxImportSource: 'mine' }, AUTOMATIC, element('mine')],
    ['react by default', { jsx: 'react-jsx' }, AUTOMATIC, element('react')],
    ['left to a bundler', { jsx: 'preserve' }, AUTOMATIC, element('react')],
    ['nothing said', {}, AUTOMATIC, element('react')],
    ['classic', { jsx: 'react' }, `import React from './factory.js'; ${AUTOMATIC}`, children('React')],
    ['factories', { jsx: 'react', jsxFactory: 'h', jsxFragmentFactory: 'F' },
      `import { h, F } from './factory.js'; export const a = () => <>hi</>;`, { by: 'h', type: 'F', children: ['hi'] }],
    ['the file itself', { jsx: 'react' }, `/** @jsxImportSource mine */ ${AUTOMATIC}`, element('mine')],
    ['the file itself, classic', { jsx: 'react-jsx' }, `/** @jsx h */ import { h } from './factory.js'; ${AUTOMATIC}`, children('h')],
  ]; // prettier-ignore
  for (const [what, compilerOptions, source, expected] of cases) {
    const folder = app(t, {
      ...MODULE,
      'node_modules/base/tsconfig.json': JSON.stringify({ compilerOptions }),
      'config/tsconfig.shared.json': '{ "extends": "base/tsconfig.json" }',
      'tsconfig.json': '\uFEFF{ "extends": ["./config/tsconfig.shared"] } // for all',
      'factory.js': FACTORY,
      ...Object.fromEntries(
        ['mine', 'react'].map((name) => [
          `node_modules/${name}/jsx-runtime.mjs`,
          JSX_RUNTIME.replace('NAME', name),
        ]),
      ),
      'mail.tsx': source,
      'jobs.ts': `export * from './mail.js'; export const cast = <T>(x: unknown) => <T>x;`,
      'plain.jsx': source,
    });
    for (const name of ['mine', 'react']) {
      writeFileSync(
        path.join(folder, `node_modules/${name}/package.json`),
        '{ "exports": { "./jsx-runtime": "./jsx-runtime.mjs" } }',
      );
    }
    for (const file of ['jobs.ts', 'mail.tsx', 'plain.jsx']) {
      const { exports } = await loadJobs([path.join(folder, file)]);
      t.same((exports['a'] as () => unknown)(), expected, `${what}: ${file}`);
    }
  }
});

void t.test('a file is found through a symbolic link, and known by its real path', async (t) => {
  const folder = app(t, { ...MODULE, 'jobs.cjs': 'module.exports = { ["a" + 1]: () => 1 };' });
  const link = path.join(folder, 'link.cjs');
  symlinkSync(path.join(folder, 'jobs.cjs'), link);
  t.equal(jobsPath(link), path.join(folder, 'jobs.cjs'));
  t.same(Object.keys((await loadJobs([jobsPath(link)])).exports), ['a1']);
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

void t.test('a jobs file is a file: no folder, pipe, socket or device', async (t) => {
  const folder = app(t, { 'jobs.ts': 'export const a = () => 1;', 'folder/x.ts': '' });
  execFileSync('mkfifo', [path.join(folder, 'pipe.ts')]);
  t.equal(jobsPath(path.join(folder, 'jobs.ts')), path.join(folder, 'jobs.ts'));
  for (const [file, problem] of [
    ['missing.ts', /missing\.ts" does not exist; give its path/],
    ['folder', /folder" is a folder; give a file in it, e\.g\. .*folder\/jobs\.ts/],
    ['pipe.ts', /pipe\.ts" is a pipe, a socket or a device; give a regular file/],
    ['/dev/null', /"\/dev\/null" is a pipe, a socket or a device/],
  ] as const) {
    t.throws(() => jobsPath(path.resolve(folder, file)), {
      code: 'INVALID_ARGUMENT',
      message: problem,
    });
  }
});
