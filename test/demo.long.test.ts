/** `npm run demo` as a process, small. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startRedis } from './helpers/redis.ts';
import { until } from './helpers/until.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** In a process group of its own, as a terminal would start it. */
function startDemo(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--import=jiti/register', 'bench/demo/run.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, MINQ_REDIS_URL: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (out.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (out.stderr += data.toString()));
  return {
    out,
    interrupt: () => void process.kill(-child.pid!, 'SIGINT'),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...out })),
  };
}

const NUMBERS = {
  jobs: 70, // 60 text files, 5 binary ones, 5 that are missing
  completed: 60,
  failed: 10,
  retries: 11, // of one flaky job, and two for each that is missing
  delayed: 2,
  failures: [
    { reason: 'Fail: this is no text file', jobs: 5 },
    { reason: 'Error: ENOENT: no such file or directory', jobs: 5 },
  ],
  slowest: { length: 3 },
};

for (const server of ['redis-server', 'js-redis-server']) {
  void t.test(`on ${server}: the numbers add up, and nothing is left`, async (t) => {
    const folder = t.testdir();
    const demo = startDemo(['--files', '60', '--json'], {
      TMPDIR: folder,
      ...(server === 'js-redis-server' && { PATH: folder }),
    });
    const { code, stdout, stderr } = await demo.ended;
    t.match({ code, stderr }, { code: 0, stderr: 'All numbers add up.' });
    const numbers = JSON.parse(stdout) as Record<string, unknown>;
    t.match(numbers, NUMBERS);
    t.match(numbers['redis'], new RegExp(`^${server}`));
    for (const name of ['seconds', 'jobsPerSecond', 'words', 'bytes', 'gzipped']) {
      t.ok((numbers[name] as number) > 0, name);
    }
    const left = readdirSync(folder).filter((name) => name.startsWith('minq-'));
    t.same(left, [], 'the folder of its Redis is gone');
  });
}

void t.test('Ctrl-C ends the demo and its worker, and clears its queue', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const demo = startDemo(['--files', '3000'], { MINQ_REDIS_URL: redis.url });
  await until(async () => {
    const [jobs] = await redis.client.keys('minq:{demo-*}:outcomes');
    return jobs !== undefined;
  });
  demo.interrupt();
  const { code, stdout, stderr } = await demo.ended;
  t.match({ code, stdout, stderr }, { code: 130, stdout: /^$/, stderr: 'interrupted' });
  t.notMatch(String(await redis.client.client('LIST')), ' name=minq:');
  t.same(await redis.client.keys('*'), []);
});

void t.test('Ctrl-C right at the start ends it as well', async (t) => {
  const folder = t.testdir();
  const demo = startDemo([], { TMPDIR: folder });
  await until(() => demo.out.stderr.includes('Redis'));
  demo.interrupt();
  t.match(await demo.ended, { code: 130, stdout: /^$/, stderr: 'interrupted' });
  const left = readdirSync(folder).filter((name) => name.startsWith('minq-'));
  t.same(left, [], 'the folder of its Redis is gone');
});

void t.test('an option it does not know is wrong usage', async (t) => {
  const { code, stderr } = await startDemo(['--file', '3']).ended;
  t.equal(code, 2);
  t.match(stderr, 'Usage: npm run demo');
});
