/** The settings of README for jest, webpack and TypeScript in CommonJS, on the packed package, in folders of their own. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { ROOT } from './helpers/cli.ts';
import { scene } from './helpers/setup.ts';

t.setTimeout(600_000);

const top = mkdtempSync(path.join(tmpdir(), 'minq-consumers-'));
t.teardown(() => rmSync(top, { recursive: true, force: true }));
// As a user's shell has it: none of npm's or the test runner's variables.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|TAP|_TAPJS|NODE_OPTIONS)/.test(name)),
);

const run = (command: string, args: string[], cwd: string, more: Record<string, string> = {}) =>
  promisify(execFile)(command, args, { cwd, env: { ...env, ...more }, timeout: 500_000 }).then(
    ({ stdout, stderr }) => ({ failed: false, said: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({
      failed: true,
      said: error.stdout + error.stderr,
    }),
  );

/** @returns a folder with these files, where the packed minq, jest and webpack are installed */
function folderOf(name: string, files: Record<string, string>): string {
  const folder = path.join(top, name);
  mkdirSync(folder);
  symlinkSync(path.join(top, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
  return folder;
}

const PACKAGES = ['jest@30', '@babel/preset-env@7', 'webpack@5'];

void t.test('the package and its consumers are installed', async (t) => {
  const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', top];
  const { said } = await run('npm', packing, ROOT);
  writeFileSync(path.join(top, 'package.json'), '{}');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const installed = await run('npm', ['install', `./${said.trim()}`, ...PACKAGES, ...flags], top);
  t.notOk(installed.failed, installed.said);
});

const USE = `async () => {
  const queue = new Queue(process.env.QUEUE);
  const worker = new Worker({ who: () => currentJob().fn }, { queue: queue.name });
  const running = worker.run();
  const job = await queue.enqueue('who');
  const said = await job.result({ timeout: '10s' });
  await worker.stop();
  await running;
  await queue.close();
  await dashboard({}).close();
  return said;
}`;
const NAMES = '{ currentJob, Queue, Worker }';
const JEST = `test('minq', async () => expect(await (${USE})()).toBe('who'), 20_000);`;
const REQUIRED = `const ${NAMES} = require('minq'); const { dashboard } = require('minq/dashboard');`;
const IMPORTED = `import ${NAMES} from 'minq'; import { dashboard } from 'minq/dashboard';`;

scene('jest in CommonJS', async (t, stage) => {
  const transformIgnorePatterns = ['/node_modules/(?!(minq|p-limit|yocto-queue)/)'];
  const folder = folderOf('jest-commonjs', {
    'package.json': JSON.stringify({ jest: { transformIgnorePatterns } }),
    'babel.config.json': '{ "presets": [["@babel/preset-env", { "targets": { "node": "current" } }]] }',
    'a.test.js': REQUIRED + JEST,
  });
  const jest = await run('npx', ['jest'], folder, { QUEUE: stage.name, REDIS_URL: stage.redis.url });
  t.notOk(jest.failed, jest.said);
}); // prettier-ignore

scene('jest in ESM', async (t, stage) => {
  const folder = folderOf('jest-esm', {
    'package.json': '{ "type": "module", "jest": { "transform": {} } }',
    'a.test.js': IMPORTED + JEST,
  });
  const jest = await run('npx', ['jest'], folder, {
    QUEUE: stage.name,
    REDIS_URL: stage.redis.url,
    NODE_OPTIONS: '--experimental-vm-modules',
  });
  t.notOk(jest.failed, jest.said);
});

scene('webpack to CommonJS and to ESM', async (t, stage) => {
  const folder = folderOf('webpack', {
    'package.json': '{}',
    'app.mjs': `${IMPORTED} const use = ${USE}; use().then(console.log);`,
    'build.mjs': `import webpack from 'webpack';
      const build = (more) => new Promise((resolve) => webpack(
        { mode: 'production', target: 'node', entry: './app.mjs', ...more },
        (error, stats) => resolve(console.log(error ?? stats.toString('errors-warnings'))),
      ));
      const path = import.meta.dirname;
      await build({ output: { path, filename: 'bundle.cjs' } });
      await build({ output: { path, filename: 'bundle.mjs', module: true }, experiments: { outputModule: true } });`,
  });
  t.same(await run(process.execPath, ['build.mjs'], folder), {
    failed: false,
    said: 'webpack compiled successfully\n'.repeat(2),
  });
  for (const file of ['bundle.cjs', 'bundle.mjs']) {
    const bundle = await run(process.execPath, [file], folder, {
      QUEUE: stage.name,
      REDIS_URL: stage.redis.url,
    });
    t.same(bundle, { failed: false, said: 'who\n' }, file);
  }
});

scene('TypeScript in a package of CommonJS', async (t, stage) => {
  const tsc = async (name: string, compilerOptions: object) => {
    const folder = folderOf(name, {
      'package.json': '{}',
      'app.ts': `${IMPORTED} const use = ${USE}; void use().then(console.log);`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          lib: ['es2023', 'esnext.disposable'],
          skipLibCheck: true,
          types: ['node'],
          typeRoots: [path.join(ROOT, 'node_modules/@types')],
          ...compilerOptions,
        },
        files: ['app.ts'],
      }),
    });
    const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    return { folder, ...(await run(process.execPath, [compiler], folder)) };
  };
  for (const [name, options] of Object.entries({
    nodenext: { module: 'nodenext' },
    bundler: { module: 'commonjs', moduleResolution: 'bundler' },
  })) {
    const { folder, said } = await tsc(name, options);
    t.equal(said, '', name);
    const given = { QUEUE: stage.name, REDIS_URL: stage.redis.url };
    t.same(await run(process.execPath, ['app.js'], folder, given), {
      failed: false,
      said: 'who\n',
    });
  }
  t.match((await tsc('node16', { module: 'node16' })).said, 'TS1479', 'as README says');
});
