/** The house: which room may know which, what its README says of it, where keys are spelled, how long a file may get. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { VERSION } from '../src/job/version.ts';

/** From the ground up. A room imports, types included, only from those named before it, and from itself. */
const ROOMS = [
  'job',
  'redis',
  'store',
  'cron',
  'flow',
  'views',
  'worker',
  'queue',
  'testing',
  'dashboard',
  'cli',
];
/** Rooms beside each other: a worker needs no producer, a producer no worker. */
const STRANGERS = [['queue', 'worker']];
/** Where the package is entered; it belongs to no room and may know all of them. */
const DOOR = 'index';

interface SourceFile {
  readonly name: string;
  readonly imports: readonly string[];
}

const SRC = path.resolve(import.meta.dirname, '../src');
const texts = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
  .map((file) => ({
    name: file.replaceAll(path.sep, '/').replace(/\.tsx?$/, ''),
    text: readFileSync(path.join(SRC, file), 'utf8'),
  }));
const files: SourceFile[] = texts.map(({ name, text }) => ({
  name,
  imports: importsOf(name, text),
}));

/** Own files it imports: values, types, re-exports and `import()` alike. */
function importsOf(name: string, text: string): string[] {
  return (
    ts
      .preProcessFile(text)
      .importedFiles.map(({ fileName }) => fileName)
      .filter((file) => file.startsWith('.'))
      .map((file) => path.posix.join(path.posix.dirname(name), file))
      // Of the pages: what is only declared, because it comes from elsewhere.
      .filter(
        (file) =>
          !(file.endsWith('.js') && existsSync(path.join(SRC, `${file.slice(0, -3)}.d.ts`))),
      )
      .map((file) => file.replace(/\.tsx?$/, ''))
  );
}

const roomOf = (name: string): string => name.split('/')[0]!;

/** Imports that point up, or to a stranger; a line each. */
function wrongImports(all: readonly SourceFile[]): string[] {
  return all
    .filter(({ name }) => name !== DOOR)
    .flatMap(({ name, imports }) =>
      imports
        .filter((other) => {
          const [from, to] = [roomOf(name), roomOf(other)];
          const strangers = STRANGERS.some((pair) => pair.includes(from) && pair.includes(to));
          return from !== to && (strangers || !(ROOMS.indexOf(to) < ROOMS.indexOf(from)));
        })
        .map((other) => `${name} imports ${other}`),
    );
}

/** Files that import each other in a circle, as `a -> b -> a`; the first circle met from each file. */
function circles(all: readonly SourceFile[]): string[] {
  const importsBy = new Map(all.map(({ name, imports }) => [name, imports]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (name: string, way: readonly string[]): void => {
    const at = way.indexOf(name);
    if (at >= 0) found.push([...way.slice(at), name].join(' -> '));
    if (at >= 0 || done.has(name)) return;
    for (const other of importsBy.get(name) ?? []) visit(other, [...way, name]);
    done.add(name);
  };
  for (const { name } of all) visit(name, []);
  return found;
}

void t.test('every file but the door lies in a room', async (t) => {
  t.ok(files.length > 100, `${files.length} files`);
  const loose = files.map(({ name }) => name).filter((name) => !ROOMS.includes(roomOf(name)));
  t.same(loose, [DOOR]);
});

void t.test('rooms import only from rooms before them', async (t) => {
  t.same(wrongImports(files), []);
  t.ok(files.flatMap(({ imports }) => imports).length > 300, 'imports were read at all');
});

void t.test('one import turned round is noticed', async (t) => {
  const turned = (name: string, to: string) =>
    wrongImports(files.map((file) => (file.name === name ? { name, imports: [to] } : file)));
  t.same(turned('job/errors', 'store/keys'), ['job/errors imports store/keys']);
  t.same(turned('store/flow', 'flow/plan'), ['store/flow imports flow/plan']);
  t.same(turned('worker/worker', 'queue/queue'), ['worker/worker imports queue/queue']);
  t.same(turned('queue/queue', 'worker/worker'), ['queue/queue imports worker/worker']);
  const round = files.map((file) =>
    file.name === 'job/errors' ? { name: file.name, imports: ['job/duration'] } : file,
  );
  t.same(circles(round)[0], 'job/errors -> job/duration -> job/errors');
});

void t.test('no files import each other in a circle', async (t) => {
  t.same(circles(files), []);
});

void t.test('the pages share with the server nothing but the types in its api', async (t) => {
  const pages = files.filter(({ name }) => name.startsWith('dashboard/page/'));
  t.ok(pages.length > 10);
  const outside = pages.flatMap(({ imports }) =>
    imports.filter((other) => !other.startsWith('dashboard/page/')),
  );
  t.same(outside, []);
  const into = files
    .filter(({ name }) => !name.startsWith('dashboard/page/'))
    .flatMap(({ imports }) => imports.filter((other) => other.startsWith('dashboard/page/')));
  t.same(into, []);
});

void t.test('what a module gives is named: no export *, no grab bags', async (t) => {
  t.same(texts.filter(({ text }) => /^export \*/m.test(text)).map(({ name }) => name), []); // prettier-ignore
  t.same(
    files.filter(({ name }) => /(^|\/)(types|utils|constants|helpers|common)$/.test(name)),
    [],
  );
});

void t.test(
  'every room has a README of a page, which names what is there and nothing else',
  async (t) => {
    for (const room of ROOMS) {
      const text = readFileSync(path.join(SRC, room, 'README.md'), 'utf8');
      t.ok(text.split('\n').length <= 101, `${room}: at most 100 lines`);
      t.same(unnamed(room, text), [], `${room}: each file is named`);
      t.same(missing(room, text), [], `${room}: what is named is there`);
      t.same(neighboursIn(text), neighboursOf(room), `${room}: imports, imported by`);
    }
    t.same(unnamed('views', 'only `inspector.ts`, metrics.ts and `views/statistics.ts`'), [
      'each.ts',
      'failures.ts',
      'figures.ts',
      'findings.ts',
      'metrics.ts',
      'statistics.ts',
      'strangers.ts',
    ]);
    t.same(
      missing('views', '`inspector.ts`, `job/job.ts`, `test/views/`; `gone.ts`, `job/gone.ts`'),
      ['gone.ts', 'job/gone.ts'],
    );
  },
);

void t.test('the picture in the README has the rooms in their order', async (t) => {
  const readme = readFileSync(path.resolve(SRC, '../README.md'), 'utf8');
  t.same(Array.from(readme.matchAll(/^[├└]── (\w+)\/ /gm), ([, room]) => room), ROOMS); // prettier-ignore
});

/** Files and folders of a room that stand in its README by no name of their own, as `file.ts` or `folder/`. */
function unnamed(room: string, readme: string): string[] {
  return readdirSync(path.join(SRC, room), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((name) => name !== 'README.md' && !readme.includes(`\`${name}\``));
}

/** Paths a README names, from its room, from `src` or from the top, under which there is nothing. */
function missing(room: string, readme: string): string[] {
  const named = [...readme.matchAll(/`([\w./-]+(?:\.(?:tsx?|mjs|json|yml|md)|\/))`/g)].map(
    (match) => match[1]!,
  );
  const from = [path.join(SRC, room), SRC, path.join(SRC, '..')];
  return named.filter((name) => !from.some((folder) => existsSync(path.join(folder, name))));
}

/** Rooms that it imports, and that import it: as the code has it, and as a README does. */
function neighboursOf(room: string): string[][] {
  const pairs = files.flatMap(({ name, imports }) =>
    imports.map((other) => [roomOf(name), roomOf(other)] as const),
  );
  const others = ROOMS.filter((other) => other !== room);
  return [
    others.filter((other) => pairs.some(([from, to]) => from === room && to === other)),
    others.filter((other) => pairs.some(([from, to]) => from === other && to === room)),
  ];
}

function neighboursIn(readme: string): string[][] {
  const [, imports = '', importedBy = ''] =
    /^Imports ([^;.]+); imported by ([^;.]+?)[.:]/m.exec(readme) ?? [];
  return [imports, importedBy].map((text) => ROOMS.filter((room) => text.includes(`\`${room}\``)));
}

void t.test('no file is longer than 400 lines', async (t) => {
  const long = texts.filter(({ text }) => text.split('\n').length > 401);
  t.same(long.map(({ name }) => name), []); // prettier-ignore
});

void t.test('only keys.ts spells keys', async (t) => {
  const keys = texts.find(({ name }) => name === 'store/keys')!;
  const SPELLED =
    /\}?:\{\$?|['"`}]:(queued|jobs|active|scheduled|outcomes|wake|claim|results|control|stats)\b/;
  t.ok(
    literalsOf(keys.text).some((text) => SPELLED.test(text)),
    'the pattern knows one',
  );
  const spelled = texts.flatMap(({ name, text }) =>
    name === 'store/keys' ? [] : literalsOf(text).filter((literal) => SPELLED.test(literal)),
  );
  t.same(spelled, []);
  const fixed = texts.filter(({ text }) => /redis\.call\('\w+', ['"]/.test(text));
  t.same(fixed.map(({ name }) => name), [], 'scripts touch only keys they are given'); // prettier-ignore
});

void t.test('what runs beside jobs takes the runtime as it was at load', async (t) => {
  const BESIDE = /^(job|redis|store|cron|flow|views|worker|queue)\/|^cli\/(main|process|metrics)$/;
  const found = texts
    .filter(({ name }) => BESIDE.test(name) && name !== 'job/globals')
    .flatMap(({ name, text }) => replaceable(text).map((global) => `${name}: ${global}`));
  t.same(found, []);
  t.same(replaceable('const a = JSON.parse(b); const c: Date = new Date(); setTimeout(d);'), [
    'JSON',
    'Date',
    'setTimeout',
  ]);
  t.same(replaceable("import { JSON } from './globals.ts'; JSON.parse(a); b.Date;"), []);
});

/** Globals in use that a job may replace, and that `globals.ts` gives. */
function replaceable(text: string): string[] {
  const names = ['JSON', 'Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate'];
  const used = new Set<string>();
  const imported = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportSpecifier(node)) imported.add(node.name.text);
    const isValue =
      ts.isIdentifier(node) &&
      !ts.isTypeReferenceNode(node.parent) &&
      !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node);
    if (isValue && names.includes(node.text)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.ESNext, true));
  return [...used].filter((name) => !imported.has(name));
}

void t.test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(path.resolve(SRC, '../package.json'), 'utf8')) as {
    version: string;
  };
  t.equal(VERSION, version);
});

/** Texts in the code, as they are written: quoted ones and templates. */
function literalsOf(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isTemplateLiteral(node)) found.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.ESNext, true));
  return found;
}
