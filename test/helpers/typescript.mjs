/**
 * TypeScript for the processes of the tests: `node --import=./test/helpers/typescript.mjs file.ts`. There are some
 * hundreds of them in a run, so a source is transpiled once, and what came out is kept until the source changes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/minq-tests');

/** What the transpiler does depends on. */
const SETTINGS = ['node_modules/typescript/package.json', 'tsconfig.json'].map((file) =>
  readFileSync(path.join(ROOT, file), 'utf8'),
);

// Node runs this file twice: to be told of the hook below, and in the thread where hooks run.
// The tests' own library is loaded before: each of its modules would have to go through that thread.
if (isMainThread) {
  if (process.argv[1]?.endsWith('.test.ts')) await import('tap');
  register(import.meta.url);
}

/** A hook of Node's: gives the source of a module. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
  const file = fileURLToPath(url);
  return { format: 'module', shortCircuit: true, source: await javascript(file) };
}

async function javascript(file) {
  const source = readFileSync(file, 'utf8');
  const hash = createHash('sha1')
    .update([...SETTINGS, file, source].join('\0'))
    .digest('hex');
  const kept = path.join(CACHE, `${hash}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const made = await transpile(file, source);
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${kept}.${process.pid}`, made);
    renameSync(`${kept}.${process.pid}`, kept); // others read it meanwhile
    return made;
  }
}

async function transpile(fileName, source) {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) =>
    readFileSync(file, 'utf8'),
  );
  const { target, verbatimModuleSyntax } = config.compilerOptions;
  const compilerOptions = {
    target,
    verbatimModuleSyntax,
    module: 'ESNext',
    inlineSourceMap: true,
    inlineSources: true,
  };
  return ts.transpileModule(source, { fileName, compilerOptions }).outputText;
}
