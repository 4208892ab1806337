/** README and the guides: their sizes, their links, their sentences. What they say is run by `readme.long.test.ts`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { DOCS, GUIDES, read } from './helpers/docs.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

void t.test('README is short, and leads to every guide', async (t) => {
  const readme = read('README.md');
  t.ok(readme.split('\n').length <= 250, `${readme.split('\n').length} lines`);
  for (const guide of GUIDES) t.match(readme, `](${guide})`, guide);
});

/** As GitHub makes it of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

void t.test('every link leads somewhere', async (t) => {
  for (const file of [...DOCS, 'src/queue/MOVING.md']) {
    for (const [, to = ''] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(to)) continue;
      const [target = '', heading] = to.split('#');
      const place = target === '' ? file : path.join(path.dirname(file), target);
      if (!t.ok(existsSync(path.join(ROOT, place)), `${file}: ${to}`) || heading === undefined) continue;
      const headings = [...read(place).matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchor(text!));
      t.ok(headings.includes(heading), `${file}: ${to}`);
    }
  }
}); // prettier-ignore

void t.test('sentences are short', async (t) => {
  const words = DOCS.flatMap((file) =>
    read(file)
      .replace(/^```[^]*?^```$/gm, '')
      .split('\n')
      .filter((line) => !/^(\||#|<!--|!\[)/.test(line))
      .join('\n')
      .split(/(?<=[.!?:;])\s+|\n\n|\n(?=[-\d])/)
      .map((sentence) => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length)
      .filter((count) => count > 2),
  ).toSorted((a, b) => a - b);
  const median = words[Math.floor(words.length / 2)]!;
  t.comment(`${words.length} sentences, of ${median} words at the median`);
  t.ok(median < 18, `${median} words`);
});

void t.test('every error has its line, and no line is of an error that is none', async (t) => {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => readFileSync(path.join(ROOT, 'src', file), 'utf8'));
  const thrown = sources.flatMap((text) => [...text.matchAll(/(?:MinqError|super)\(\s*'([A-Z_]+)'/g)].map(([, code]) => code!));
  const rows = [...read('src/job/ERRORS.md').matchAll(/^\| `([A-Z_]+)` +\| `(\w+)`/gm)];
  t.same(rows.map(([, code]) => code!).toSorted(), [...new Set(thrown)].toSorted());
  const errors = sources.find((text) => text.includes('export class MinqError'))!;
  for (const [, code, name] of rows) {
    if (name === 'MinqError') continue;
    const [, body = ''] = new RegExp(`class ${name} extends MinqError \\{([^]*?)\\n\\}`).exec(errors) ?? [];
    t.match(body, `'${code}'`, `${code}: ${name}`);
  }
}); // prettier-ignore

void t.test('symptoms that are messages are messages of ours, word for word', async (t) => {
  const rows = read('src/worker/TROUBLESHOOTING.md').split('\n').filter((line) => line.startsWith('| ')).slice(2);
  t.ok(rows.length >= 20, `${rows.length} symptoms`);
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(path.join(ROOT, 'src', file), 'utf8').replace(/\$\{[^}]*\}/g, '…'))
    .join('\n');
  for (const row of rows) {
    const [, message] = /^\| "([^"]+)"/.exec(row) ?? [];
    if (message === undefined || /ES Module/.test(message)) continue; // of Node, not of ours
    for (const part of message.split(/ ?\.\.\. ?| \bn\b /)) t.ok(sources.includes(part.trim()), part);
  }
}); // prettier-ignore

/** Methods that say all by their name. */
const PLAIN = new Set(['Logger.debug', 'Logger.info', 'Logger.warn', 'Logger.error']);

void t.test('every public name, and every method, has its doc comment', async (t) => {
  const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, allowImportingTsExtensions: true, noEmit: true, types: [] };
  const doors = ['src/index.ts', 'src/dashboard/index.ts', 'src/testing/index.ts'].map((file) => path.join(ROOT, file));
  const program = ts.createProgram(doors, options);
  const checker = program.getTypeChecker();
  const isBare = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length === 0;
  const bare: string[] = [];
  let names = 0;
  for (const door of doors) {
    const file = checker.getSymbolAtLocation(program.getSourceFile(door)!)!;
    for (const exported of checker.getExportsOfModule(file)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      names++;
      if (isBare(symbol)) bare.push(exported.name);
      if (!(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) continue;
      for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
        const [declared] = member.declarations ?? [];
        if (!declared?.getSourceFile().fileName.includes('/src/') || !(member.flags & ts.SymbolFlags.Method)) continue;
        const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
        if (ts.getCombinedModifierFlags(declared) & hidden || member.name.startsWith('__') || ts.isPrivateIdentifier((declared as ts.MethodDeclaration).name)) continue;
        names++;
        if (isBare(member) && !PLAIN.has(`${exported.name}.${member.name}`)) bare.push(`${exported.name}.${member.name}`);
      }
    }
  }
  t.ok(names > 100, `${names} names`);
  t.same(bare, []);
}); // prettier-ignore
