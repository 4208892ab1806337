/** The shape of the source: who may know whom, where keys are spelled, how long a file may get. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { VERSION } from '../src/job/version.ts';

/** From the ground up. A file imports, types included, only from layers below its own: so there are no cycles. */
const LAYERS: Record<string, string[]> = {
  'words that need no others': ['errors', 'backoff', 'id', 'jsonify', 'log', 'script', 'version', 'app', 'buckets'],
  'values and Lua pieces': ['duration', 'codec', 'scripts/fragments', 'worker/context', 'metrics'],
  'Lua that builds on it; addresses of Redis': ['scripts/flowing', 'scripts/sample', 'scripts/plain-turn', 'address'],
  'clients of Redis': ['client'],
  'names, records, times, transitions, the connection': [
    'keys', 'job', 'cron/times', 'loop', 'connection', 'batch', 'signals', 'load', 'worker/rejections',
    'scripts/enqueue', 'scripts/turn', 'scripts/upkeep', 'scripts/control', 'scripts/cron',
    'scripts/flow', 'scripts/views',
  ],
  'what users may ask for; how a run ended': ['options', 'settlement', 'caller', 'server', 'rights', 'worker/idle'],
  'definitions of jobs, cron entries and flows': ['define', 'cron/entry', 'flow/flow', 'record'],
  'flows laid out; types of the calls; jobs that follow': ['flow/plan', 'signature', 'worker/failure-job'],
  'parts of the state': ['cron/store', 'flow/store'],
  'the state': ['store'],
  'the state as people look at it': ['flow/view'],
  'views of the state, keepers of a part of it': [
    'inspector', 'statistics', 'recent', 'flow/outline', 'results', 'cron/schedules',
    'worker/progress', 'worker/pruner', 'worker/joblog', 'worker/timings', 'worker/courier', 'worker/ahead',
  ],
  'one job: its handle, its run': ['handle', 'worker/executor'], 'the runs of a worker': ['worker/run-list'],
  'what the pages of the dashboard are told': ['dashboard/api'],
  'the half of operators; what watches runs': ['operator', 'tracing', 'worker/loop-watch', 'worker/heartbeat'],
  'the producer; the roles of a worker': ['queue', 'worker/processor', 'worker/control', 'worker/beat'],
  'what a worker tells of itself': ['worker/facts'],
  'dashboard: metrics; answers; texts and jobs as they go out': ['dashboard/metrics', 'dashboard/answer', 'dashboard/excerpt', 'dashboard/redact'],
  'dashboard: options, files': ['dashboard/settings', 'dashboard/assets'],
  'dashboard: who is let in; which queues': ['dashboard/guard', 'dashboard/queues'],
  'dashboard: what is shown, what is done': ['dashboard/replies', 'dashboard/actions'],
  'dashboard: requests': ['dashboard/handler'],
  'dashboard: the package export': ['dashboard/index'],
  'the worker that wires them': ['worker', 'cli/usage', 'cli/watch', 'cli/sources', 'cli/local-redis', 'cli/terminal', 'cli/site'],
  'the library; what commands share': ['index', 'cli/command', 'cli/supervisor', 'cli/table', 'cli/figures', 'cli/target', 'cli/metrics'],
  'what commands share that builds on it': ['cli/redis', 'cli/acting', 'cli/screen', 'cli/overview'],
  'what is shown again and again': ['cli/live'],
  commands: [
    'cli/dashboard', 'cli/enqueue', 'cli/work', 'cli/cron', 'cli/job', 'cli/jobs', 'cli/stats', 'cli/workers', 'cli/check',
    'cli/retry', 'cli/cancel', 'cli/remove', 'cli/purge', 'cli/pause',
  ],
  'the command that runs workers': ['cli/worker'],
  'the command that runs it all': ['cli/dev'],
  'the command line': ['cli'],
  // In the browser, from here on: only the types in api.ts are shared.
  'pages: figures, times, addresses, places': [
    'dashboard/page/format', 'dashboard/page/clock', 'dashboard/page/route', 'dashboard/page/flow-layout',
  ],
  'pages: talking to the server; texts, messages, questions': [
    'dashboard/page/client', 'dashboard/page/text', 'dashboard/page/time', 'dashboard/page/dialog',
    'dashboard/page/notices', 'dashboard/page/rates', 'dashboard/page/findings', 'dashboard/page/plot',
  ],
  'pages: asking again and again; what is made of texts': [
    'dashboard/page/poll', 'dashboard/page/search', 'dashboard/page/progress', 'dashboard/page/timeline',
    'dashboard/page/flow-graph', 'dashboard/page/functions', 'dashboard/page/job-filter', 'dashboard/page/plots',
  ],
  'pages: what can be done; what stands around': ['dashboard/page/actions', 'dashboard/page/shell'],
  'pages: parts': ['dashboard/page/queue-cards', 'dashboard/page/banners', 'dashboard/page/job-list'],
  'pages: one each': [
    'dashboard/page/overview', 'dashboard/page/jobs', 'dashboard/page/job', 'dashboard/page/workers',
    'dashboard/page/cron',
  ],
  'pages: all of them': ['dashboard/page/main'],
}; // prettier-ignore

const SRC = path.resolve(import.meta.dirname, '../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
  .map((file) => ({
    name: file.replaceAll(path.sep, '/').replace(/\.tsx?$/, ''),
    text: readFileSync(path.join(SRC, file), 'utf8'),
  }));

const layerOf = new Map(
  Object.values(LAYERS).flatMap((names, i) => names.map((name) => [name, i] as const)),
);

/** Own files it imports: values, types, re-exports and `import()` alike. */
const importsOf = ({ name, text }: { name: string; text: string }) =>
  ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((file) => file.startsWith('.'))
    .map((file) => path.posix.join(path.posix.dirname(name), file))
    // Of the pages: what is only declared, because it comes from elsewhere.
    .filter(
      (file) => !(file.endsWith('.js') && existsSync(path.join(SRC, `${file.slice(0, -3)}.d.ts`))),
    )
    .map((file) => file.replace(/\.tsx?$/, ''));

void t.test('every file has its layer', async (t) => {
  t.ok(files.length > 20, `${files.length} files`);
  t.same(files.map(({ name }) => name).filter((name) => !layerOf.has(name)), [], 'no layer: add it'); // prettier-ignore
  const names = new Set(files.map(({ name }) => name));
  t.same([...layerOf.keys()].filter((name) => !names.has(name)), [], 'no file: take it out'); // prettier-ignore
});

void t.test('a file imports only from layers below its own', async (t) => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((other) => !((layerOf.get(other) ?? Infinity) < (layerOf.get(file.name) ?? -1)))
      .map((other) => `${file.name} imports ${other}`),
  );
  t.same(wrong, []);
  t.ok(files.flatMap(importsOf).length > 100, 'imports were read at all');
});

void t.test('what a module gives is named: no export *, no grab bags', async (t) => {
  t.same(files.filter(({ text }) => /^export \*/m.test(text)).map(({ name }) => name), []); // prettier-ignore
  t.same(
    files.filter(({ name }) => /(^|\/)(types|utils|constants|helpers|common)$/.test(name)),
    [],
  );
});

void t.test('no file is longer than 400 lines', async (t) => {
  const long = files.filter(({ text }) => text.split('\n').length > 401);
  t.same(long.map(({ name }) => name), []); // prettier-ignore
});

void t.test('only keys.ts spells keys', async (t) => {
  const keys = files.find(({ name }) => name === 'keys')!;
  const SPELLED =
    /\}?:\{\$?|['"`}]:(queued|jobs|active|scheduled|outcomes|wake|claim|results|control|stats)\b/;
  t.ok(
    literalsOf(keys.text).some((text) => SPELLED.test(text)),
    'the pattern knows one',
  );
  const spelled = files.flatMap(({ name, text }) =>
    name === 'keys' ? [] : literalsOf(text).filter((literal) => SPELLED.test(literal)),
  );
  t.same(spelled, []);
  const fixed = files.filter(({ text }) => /redis\.call\('\w+', ['"]/.test(text));
  t.same(fixed.map(({ name }) => name), [], 'scripts touch only keys they are given'); // prettier-ignore
});

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
