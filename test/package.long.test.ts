import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { VERSION } from '../src/job/version.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** A consumer's code: names, arguments and results are checked by the types that the package ships. */
const CONSUMER = `
import { currentJob, job, Queue, Worker, type Job, type JobInfo, type WorkerOptions } from 'minq';
import { createServer } from 'node:http';
import { dashboard, type DashboardOptions } from 'minq/dashboard';
const shown: DashboardOptions = { queues: ['default'], redact: (job: JobInfo) => ({ ...job, args: [] }) };
createServer(dashboard(shown));
const jobs = {
  add: async (a: number, b: number) => a + b,
  slow: job({ retries: 1, timeout: '5s' }, (id: string) => ({ when: new Date(), id: currentJob().id + id })),
};
const options: WorkerOptions = { concurrency: 5, lease: '10s' };
export async function main(): Promise<JobInfo> {
  await using queue = new Queue<typeof jobs>('default', { redis: { host: '127.0.0.1' } });
  void new Worker(jobs, options).run();
  const added: Job<number> = await queue.enqueue('add', [1, 2], { delay: '5s' });
  const { when } = await (await queue.enqueue('slow', ['x'])).result();
  const text: string = when; // a Date comes back as the text it was stored as
  // @ts-expect-error -- there is no such job
  await queue.enqueue('ad', [1, 2]);
  // @ts-expect-error -- the argument is a number
  await queue.enqueue('add', [1, text]);
  return added.info();
}
`;

void t.test('the packed package installs, imports, requires, runs and type-checks', async (t) => {
  t.setTimeout(240_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-package-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // As a user's shell has it: none of npm's or the test runner's variables.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|TAP|_TAPJS|NODE_OPTIONS)/.test(name)),
  );
  const at = { cwd: folder, env, timeout: 200_000 };
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);

  // --ignore-scripts: the tests run on a built tree, and other tests run on it meanwhile.
  const packed = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    {
      ...at,
      cwd: ROOT,
    },
  );
  const [{ filename, files, size, unpackedSize }] = JSON.parse(packed.stdout) as [
    { filename: string; size: number; unpackedSize: number; files: { path: string }[] },
  ];
  const stray = files.filter(
    (file) => !/^dist\/|^(package\.json|README\.md|LICENSE)$/.test(file.path),
  );
  t.same(stray, [], 'nothing in it that does not belong');
  t.ok(files.length <= 300, `${files.length} files`);
  t.ok(unpackedSize <= 1_000_000, `${unpackedSize} bytes unpacked`);
  t.ok(size <= 300_000, `${size} bytes packed`);
  write('package.json', '{ "name": "consumer", "private": true }');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['install', `./${filename}`, ...flags], at);

  const names = "typeof m.Queue + ' ' + typeof m.Worker + ' ' + typeof m.currentJob";
  const node = async (...args: string[]) => {
    const { stdout, stderr } = await run(process.execPath, args, at);
    return stdout + stderr;
  };
  write('import.mjs', `import * as m from 'minq'; console.log(${names});`);
  write('require.cjs', `const m = require('minq'); console.log(${names});`);
  t.equal(await node('import.mjs'), 'function function function\n');
  t.equal(await node('require.cjs'), 'function function function\n', 'without a warning');
  write(
    'dashboard.mjs',
    "import { dashboard } from 'minq/dashboard'; console.log(typeof dashboard({}).close);",
  );
  t.equal(await node('dashboard.mjs'), 'function\n');
  // What is shipped is what the compiler made of each file, with names and lines: a trace leads to it. Comments are in the declarations.
  write(
    'trace.mjs',
    "import { Queue } from 'minq'; try { new Queue('a b') } catch (error) { console.log(error.stack) }",
  );
  const [, file = '', line] =
    /\((?:file:\/\/)?(\/.*\/minq\/dist\/.*):(\d+):\d+\)/.exec(await node('trace.mjs')) ?? [];
  const source = readFileSync(file, 'utf8').split('\n');
  t.match(source[Number(line) - 1], /throw new InvalidArgumentError\(/);
  t.ok(source.length > 3, 'as it was written, line by line');
  t.equal((await run('npx', ['minq', '--version'], at)).stdout, `${VERSION}\n`);
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  t.equal(version, VERSION);

  write('consumer.ts', CONSUMER);
  const types = path.join(ROOT, 'node_modules/@types');
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        lib: ['ES2023', 'ESNext.Disposable'],
        module: 'NodeNext',
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
        typeRoots: [types],
      },
      files: ['consumer.ts'],
    }),
  );
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const checked = await run(process.execPath, [tsc], at).catch(
    (error: { stdout: string }) => error,
  );
  t.equal(checked.stdout, '', 'no complaint from the compiler');
});
