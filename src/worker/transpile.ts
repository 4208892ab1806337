/** TypeScript and JSX to JavaScript as the compiler would make it of the file, by jiti, which asks no tsconfig about it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createJiti, type TransformOptions } from 'jiti';
import { JSON } from '../job/globals.ts';
import { compilerOptionsOf, nearest, type CompilerOptions } from './tsconfig.ts';

/** Keeps on disk what it has made, by its source. */
const babel = createJiti(import.meta.url, { interopDefault: false });

export function transpile(given: TransformOptions): string {
  const file = given.filename!;
  const options = compilerOptionsOf(file);
  const jsx = /\.[jt]sx$/.test(file);
  const source = namingTsx(given.source, file);
  const code = babel.transform({
    ...given,
    source: jsx ? pragmas(source, options) + source : source,
    ...(jsx && { jsx: {} }), // elsewhere `<T>(x)` is no element
  });
  return isCommonJs(file, options) ? withCommonJsDefaults(code) : code;
}

/** Comments that say it, on the first line: so what was made under another tsconfig isn't taken for this. */
function pragmas(source: string, options: CompilerOptions): string {
  const own = /@(jsxRuntime|jsxImportSource|jsx)\s/.exec(source)?.[1]; // wins, and fixes the rest
  if (own === 'jsxRuntime') return '';
  if (own === 'jsxImportSource') return '/** @jsxRuntime automatic */';
  if (own === 'jsx') return '/** @jsxRuntime classic */';
  const { jsx, jsxImportSource = 'react', jsxFactory, jsxFragmentFactory } = options;
  const classic = jsx === undefined ? jsxFactory !== undefined : jsx.toLowerCase() === 'react';
  return classic
    ? `/** @jsxRuntime classic *//** @jsx ${jsxFactory ?? 'React.createElement'} *//** @jsxFrag ${jsxFragmentFactory ?? 'React.Fragment'} */`
    : `/** @jsxRuntime automatic *//** @jsxImportSource ${jsxImportSource} */`;
}

/** `./mail.js`, as the compiler wants it written, where there is only `mail.tsx`. */
function namingTsx(source: string, file: string): string {
  const folder = path.dirname(file);
  return source.replace(
    /(\b(?:from|import)\s*\(?\s*(['"]))(\.{1,2}\/[^'"\n]+)\.js\2/g,
    (all, before: string, quote: string, name: string) => {
      const there = (ending: string) => existsSync(path.resolve(folder, name + ending));
      return !there('.js') && !there('.ts') && there('.tsx') ? `${before}${name}.tsx${quote}` : all;
    },
  );
}

/** Whether the compiler makes CommonJS of it. */
function isCommonJs(file: string, { module = '' }: CompilerOptions): boolean {
  if (/\.[cm]ts$/.test(file)) return file.endsWith('.cts');
  if (/^commonjs$/i.test(module)) return true;
  return /^node/i.test(module) && packageType(file) !== 'module';
}

function packageType(file: string): unknown {
  const found = nearest(file, 'package.json');
  try {
    return found && (JSON.parse(readFileSync(found, 'utf8')) as { type?: unknown }).type;
  } catch {
    return undefined;
  }
}

/**
 * Modules come by Node's `import`, whose default of a CommonJS module is all that it exports. To compiled CommonJS the
 * default of one that was itself compiled (`__esModule`) is its `exports.default`.
 */
const withCommonJsDefaults = (code: string): string =>
  code.replaceAll(/\bawait (jitiImport\("(?:\\.|[^"\\])*"\))/g, `(await $1.then(${CJS}))`);
const CJS = `(m) => m?.[Symbol.toStringTag] === "Module" && m.default?.__esModule ? m.default : m`;
