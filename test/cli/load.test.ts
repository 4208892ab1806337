import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { VERSION } from '../../src/job/version.ts';
import { app, minq, ROOT } from '../helpers/cli.ts';
import { scene, type Stage } from '../helpers/setup.ts';

/** Runs one job with a worker in burst mode and gives its result. */
async function runOne(
  t: Test,
  stage: Stage,
  folder: string,
  file: string,
  fn: string,
  queue: string,
) {
  const job = await stage.queue().enqueue(fn, ['a'], { queue, retries: 0 });
  const worker = await minq(t, ['worker', file, '--queue', queue, '--burst'], {
    redis: stage.redis.url,
    cwd: folder,
  }).ended;
  t.equal(worker.code, 0, 'the worker ended well', { stderr: worker.stderr });
  return job.result({ timeout: '1s' });
}

const PACKAGES = { none: '{}', module: '{ "type": "module" }', commonjs: '{ "type": "commonjs" }' };

for (const [type, json] of Object.entries(PACKAGES)) {
  scene(
    `TypeScript with all that Node can't strip runs in a package of type ${type}`,
    async (t, stage) => {
      const folder = app(t, { 'package.json': json }, 'typescript');
      t.same(await runOne(t, stage, folder, 'jobs.ts', 'everything', stage.name), {
        job: 'everything',
        util: 'A',
        aliased: 'by tsconfig paths',
        json: 42,
        enum: 'red',
        parameterProperty: 3,
        topLevelAwait: true,
      });
    },
  );
}

scene(
  'JavaScript runs as ESM and as CommonJS, with the minq of the command line',
  async (t, stage) => {
    const esm = `import { currentJob } from 'minq';
    export const hello = (text) => [text, currentJob().fn];
    export default () => {};`;
    const assigned = `const { currentJob } = require('minq');
    const build = () => ({ hello: (text) => [text, currentJob().fn] });
    module.exports = build();`;
    const named = `const { currentJob } = require('minq');
    exports.hello = (text) => [text, currentJob().fn];`;
    const cases: [type: keyof typeof PACKAGES, file: string, source: string][] = [
    ['module', 'jobs.js', esm],
    ['none', 'jobs.mjs', esm],
    ['none', 'jobs.js', assigned],
    ['commonjs', 'jobs.js', named],
    ['module', 'jobs.cjs', assigned],
    ['module', 'jobs.cts', `import { currentJob } from 'minq'; export const hello = (text: string) => [text, currentJob().fn];`],
  ]; // prettier-ignore
    const results = await Promise.all(
      cases.map(([type, file, source], i) => {
        const folder = app(t, { 'package.json': PACKAGES[type], [file]: source });
        return runOne(t, stage, folder, file, 'hello', `${stage.name}-${i}`);
      }),
    );
    for (const [i, [type, file]] of cases.entries()) {
      t.same(results[i], ['a', 'hello'], `${file} in a package of type ${type}`);
    }
  },
);

scene(
  'a file that is no jobs file ends the worker with one line that says why',
  async (t, stage) => {
    const files: [name: string, source: string, code: number, says: RegExp][] = [
    ['missing.ts', '', 2, /jobs file: "missing\.ts" does not exist/],
    ['syntax.ts', 'export const a = (;', 1, /syntax\.ts can't be loaded: .*syntax\.ts:1/],
    ['syntax.js', 'export const a = (;', 1, /syntax\.js can't be loaded: SyntaxError: .*node --check/],
    ['syntax.cjs', 'const a = 1;\nconst b = (;', 1, /can't be loaded: SyntaxError: .*syntax\.cjs:2\)/],
    ['named.js', 'import { nope } from "node:fs";', 1, /can't be loaded: SyntaxError: .*'nope'.*named\.js:1\)/],
    ['throws.ts', 'throw new Error("no database")', 1, /throws\.ts.*can't be loaded: Error: no database/],
    ['throws.cjs', 'throw "just text"', 1, /throws\.cjs.*can't be loaded: .*just text/],
    ['import.js', 'import "./nowhere.js"', 1, /import\.js.*can't be loaded: .*nowhere\.js/],
    ['empty.js', 'export const a = 1; export class B {}', 2, /no function found; export the functions that are to be jobs$/m],
    ['default.js', 'export default { a: () => 1 }', 2, /no function found.* by their names: the default export/],
    ['.', '', 2, /jobs file: "\." is a folder; give a file in it/],
    // What it holds open must not keep the process.
    ['open.js', 'setInterval(() => {}, 1000); throw new Error("late")', 1, /late/],
  ]; // prettier-ignore
    const folder = app(t, { 'package.json': PACKAGES.module });
    for (const [name, source] of files) if (source) writeFileSync(path.join(folder, name), source);
    await Promise.all(
      files.map(async ([name, , code, says]) => {
        const options = { redis: stage.redis.url, cwd: folder };
        const ended = await minq(t, ['worker', name], options).ended;
        t.equal(ended.code, code, `${name}: exit code`);
        t.match(ended.stderr, says, `${name}: reason`);
        t.equal(ended.stderr.trimEnd().split('\n').length, 1, `${name}: one line`);
        t.equal(ended.stdout, '');
      }),
    );
    const verbose = await minq(t, ['worker', 'throws.ts', '--verbose'], { cwd: folder }).ended;
    t.match(verbose.stderr, /\n +at .*throws\.ts:1/, '--verbose gives the stack');
  },
);

/** A package of a workspace that has a copy of minq of its own, of this version or another. @returns the copy's folder */
function packageWithOwnMinq(folder: string, source: string, version?: string): string {
  const modules = path.join(folder, 'packages/my mail/node_modules');
  const copy = path.join(modules, 'minq');
  mkdirSync(copy, { recursive: true });
  for (const part of ['dist', 'package.json']) {
    cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
  }
  for (const name of ['croner', 'ioredis', 'jiti', 'ms', 'p-limit']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  writeFileSync(path.join(folder, 'packages/my mail/index.js'), source);
  if (version !== undefined) {
    const file = path.join(copy, 'dist/job/version.js');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/'\d[^']*'/, `'${version}'`));
  }
  return copy;
}

scene('jobs that have a copy of minq of their own run as any other', async (t, stage) => {
  const folder = app(t, {
    'package.json': PACKAGES.module,
    'jobs.js': `export * from './packages/my mail/index.js';`,
  });
  const mail = `import { currentJob, Fail, InvalidArgumentError, job, Retry, Worker } from 'minq';
    let wrapped = 0;
    Worker.use((job, next) => (wrapped++, next()));
    class NoAddress extends Fail {}
    const runs = {};
    const count = () => (runs[currentJob().fn] = (runs[currentJob().fn] ?? 0) + 1);
    export const who = () => ({ id: currentJob().id, fn: currentJob().fn });
    export const fails = () => { count(); throw new NoAddress('no address'); };
    export const again = () => { if (count() < 3) throw new Retry({ delay: 10 }); };
    export const once = job({ retries: 0 }, () => { count(); throw new Error('boom'); });
    export const floats = job({ retries: 0 }, () => {
      count();
      void Promise.reject(new Error('left alone'));
      return new Promise(() => {});
    });
    export const refused = () => {
      try { currentJob().progress(1n); } catch (error) {
        return [error instanceof InvalidArgumentError, error instanceof NoAddress, error.name];
      }
    };
    export const seen = () => ({ runs, wrapped: wrapped > 0 });`;
  packageWithOwnMinq(folder, mail);
  const worker = minq(t, ['worker', 'jobs.js', '--queue', stage.name], {
    redis: stage.redis.url,
    cwd: folder,
  });
  stage.onEnd(() => worker.end());
  const queue = stage.queue();
  const who = await queue.enqueue('who');
  t.same(await who.result({ timeout: '20s' }), { id: who.id, fn: 'who' });
  const refused = await queue.enqueue('refused');
  t.same(await refused.result({ timeout: '20s' }), [true, false, 'InvalidArgumentError']);
  const failed = ['fails', 'once', 'floats'].map(async (fn) => {
    const job = await queue.enqueue(fn, [], { backoff: '1m' });
    await t.rejects(job.result({ timeout: '20s' }), { code: 'JOB_FAILED' }, fn);
  });
  await Promise.all(failed);
  await (await queue.enqueue('again', [], { backoff: '1m' })).result({ timeout: '20s' });
  t.same(await (await queue.enqueue('seen')).result({ timeout: '20s' }), {
    runs: { fails: 1, once: 1, floats: 1, again: 3 },
    wrapped: true,
  });
});

scene('a copy of minq of another major version refuses to start', async (t, stage) => {
  const folder = app(t, {
    'package.json': PACKAGES.module,
    'jobs.js': `export * from './packages/my mail/index.js';`,
  });
  const source = `import { currentJob } from 'minq'; export const who = () => currentJob().id;`;
  const copy = packageWithOwnMinq(folder, source, '7.1.0');
  const { code, stderr } = await minq(t, ['worker', 'jobs.js'], {
    redis: stage.redis.url,
    cwd: folder,
  }).ended;
  t.equal(code, 1);
  for (const said of [VERSION, path.join(ROOT, 'dist'), '7.1.0', copy]) t.match(stderr, said);
  t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
});
