/** App, worker, dashboard and jobs file in bundles: they work, or end with one clear sentence. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build, type BuildOptions } from 'esbuild';
import type { Test } from 'tap';
import { app, minq } from './helpers/cli.ts';
import { scene } from './helpers/setup.ts';

/** As README has it; for what a bundle has of CommonJS, such as ioredis. */
const BANNER =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
const FORMATS: Record<string, BuildOptions> = {
  'bundle.mjs': { format: 'esm', banner: { js: BANNER } },
  'bundle.cjs': { format: 'cjs', minify: true },
};

/** All in one, told line by line. */
const ALL = `
import { createServer } from 'node:http';
import { currentJob, Fail, JobFailedError, Queue, Worker } from 'minq';
import { dashboard } from 'minq/dashboard';
async function main() {
  let runs = 0;
  const jobs = { who: () => currentJob().fn, fails: () => { runs++; throw new Fail('no'); } };
  const queue = new Queue(process.argv[2]);
  const worker = new Worker(jobs, { queue: queue.name, logger: { debug() {}, info() {}, warn() {}, error() {} } });
  const running = worker.run();
  console.log(await (await queue.enqueue('who')).result({ timeout: '10s' }));
  const error = await (await queue.enqueue('fails')).result({ timeout: '10s' }).catch((error) => error);
  console.log(error instanceof JobFailedError, error.name, error.cause.name, runs);
  await worker.stop();
  await running;
  await queue.close();
  const handler = dashboard({ queues: [queue.name] });
  const server = createServer(handler).listen(0, '127.0.0.1', async () => {
    const page = await fetch('http://127.0.0.1:' + server.address().port + '/');
    console.log(page.status, (await page.text()).slice(0, 15));
    await handler.close();
    process.exit();
  });
}
main().catch((error) => (console.log(error.code, error.message), process.exit(1)));
`;

async function bundle(folder: string, entry: string, out: string, options: BuildOptions) {
  const outfile = path.join(folder, out);
  const { warnings } = await build({
    entryPoints: [path.join(folder, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    logLevel: 'silent',
    ...options,
  });
  return { outfile, warnings };
}

/** A folder in which no package is installed. */
function elsewhere(t: Test, file: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-bundle-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const copy = path.join(folder, path.basename(file));
  cpSync(file, copy);
  return copy;
}

for (const [name, options] of Object.entries(FORMATS)) {
  scene(`app, worker and dashboard in a ${name}`, async (t, stage) => {
    const folder = app(t, { 'package.json': '{}', 'all.mjs': ALL });
    const { outfile, warnings } = await bundle(folder, 'all.mjs', name, options);
    t.same(warnings, []);
    const run = async (file: string) => {
      const env = { ...process.env, MINQ_REDIS_URL: stage.redis.url };
      const { stdout } = await promisify(execFile)(process.execPath, [file, stage.name], {
        env,
      }).catch((error: { stdout: string }) => error);
      return stdout.split('\n');
    };
    const works = ['who', 'true JobFailedError Fail 1'];
    t.same(await run(outfile), [...works, '200 <!doctype html>', '']);
    const alone = await run(elsewhere(t, outfile));
    t.same(alone.slice(0, 2), works);
    t.match(alone[2], /^PAGES_MISSING dashboard: its pages are missing, .* install minq where it runs$/);
  }); // prettier-ignore
}

scene('a jobs file that was bundled, minq and all, runs under `minq worker`', async (t, stage) => {
  const folder = app(t, {
    'package.json': '{ "type": "module" }',
    'jobs.ts': `import { currentJob, Fail } from 'minq';
      let runs = 0;
      export const who = () => [currentJob().id, runs];
      export const fails = () => { runs++; throw new Fail('no'); };`,
  });
  const { outfile } = await bundle(folder, 'jobs.ts', 'jobs.mjs', { format: 'esm', minify: true });
  const worker = minq(t, ['worker', elsewhere(t, outfile), '--queue', stage.name], {
    redis: stage.redis.url,
  });
  stage.onEnd(() => worker.end());
  const queue = stage.queue();
  const failing = await queue.enqueue('fails', [], { backoff: '1m' });
  await t.rejects(failing.result({ timeout: '20s' }), { code: 'JOB_FAILED' });
  const job = await queue.enqueue('who');
  t.same(await job.result({ timeout: '20s' }), [job.id, 1]);
});
