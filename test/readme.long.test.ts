/** Every code block of README and the guides is run, or its commands are looked up: what it says is true now. */
import { execFile, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { command as runCommand } from './helpers/command.ts';
import { docs } from './helpers/docs.ts';
import { startRedis } from './helpers/redis.ts';
import { until } from './helpers/until.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');
const readme = docs();
const scripts = (
  JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  }
).scripts;

const blocks = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}));
const typescript = blocks.filter(({ language }) => language === 'ts');

const folder = mkdtempSync(path.join(tmpdir(), 'minq-readme-'));
mkdirSync(path.join(folder, 'node_modules'));
symlinkSync(root, path.join(folder, 'node_modules/minq'));
for (const name of ['@types', '@opentelemetry', 'pino']) {
  symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name));
}
writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const bin = (name: string) => path.join(root, 'node_modules/.bin', name);

void t.test('every TypeScript block names its file', async (t) => {
  for (const { text } of typescript) {
    const [, name] = /^\/\/ ([\w-]+\.ts)/.exec(text) ?? [];
    t.ok(name, `names a file: ${text.slice(0, 40)}`);
    writeFileSync(path.join(folder, name!), text);
  }
});

void t.test('the TypeScript blocks compile', async (t) => {
  const config = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      module: 'NodeNext',
      types: ['node'],
      allowImportingTsExtensions: true,
    },
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { stdout } = await run(bin('tsc'), ['-p', folder]).catch(
    (error: { stdout: string }) => error,
  );
  t.equal(stdout, '');
});

void t.test('the TypeScript blocks do what they say', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const env = { ...process.env, MINQ_REDIS_URL: redis.url };
  const jiti = (file: string) => run(bin('jiti'), [file], { cwd: folder, env, timeout: 60_000 });
  const withWorker = async (command: string[], body: () => Promise<void>) => {
    const worker = spawn(process.execPath, command, {
      cwd: folder,
      env,
      stdio: 'ignore',
    });
    const exited = new Promise((resolve) => worker.on('exit', resolve));
    await until(async () => (await redis.client.hlen('minq:{default}:workers')) === 1, {
      what: 'worker is there',
    });
    try {
      await body();
    } finally {
      worker.kill('SIGTERM');
      t.equal(await exited, 0, 'the worker ends well');
    }
  };
  const cli = path.join(root, 'dist/cli/main.js');

  await withWorker([cli, 'worker', './jobs.ts'], async () => {
    t.equal((await jiti('app.ts')).stdout, '5\n');
  });
  await withWorker([cli, 'worker', './mail.ts'], async () => {
    const { stdout } = await jiti('producer.ts');
    t.match(stdout, /^true ann@example\.com\n/);
    t.match(stdout, /sendMail\) failed: Fail: no address/);
    t.match(stdout, /completed \{\s+waiting: 0,\s+scheduled: 0/);
  });
  await withWorker([cli, 'worker', '--config', 'shop-config.ts'], async () => {
    t.equal((await jiti('shop.ts')).stdout, 'ann@example.com\n');
    t.equal((await jiti('app.ts')).stdout, '5\n');
  });
  await withWorker([cli, 'worker', './orders.ts'], async () => {
    const args = [cli, 'enqueue', 'placeOrder', '[7]', '--wait'];
    const { stdout } = await run(process.execPath, args, { cwd: folder, env, timeout: 60_000 });
    t.equal(stdout, '["label:7","receipt:7"]\n');
  });
  const tested = await run(bin('jiti'), ['signup-test.ts'], { cwd: folder, timeout: 60_000 });
  t.match(tested.stdout, /^# pass 2$/m);
  await withWorker([cli, 'worker', './cron.ts'], async () => {
    const { stdout } = await jiti('schedule.ts');
    t.match(stdout, /^good morning, Ann\nmorning 20\S+\nnightly 20\S+T0[01]:00:00.000Z\npoll 20/);
  });
  await withWorker([cli, 'worker', './flow-jobs.ts'], async () => {
    const { stdout } = await jiti('flows.ts');
    t.equal(
      stdout,
      'ann: cat.png@800-small\nbob: 98670 in all\n130\n' +
        'load completed, tax completed, shipping completed, total completed\n',
    );
  });
  await withWorker([cli, 'worker', './traced-jobs.ts'], async () => {
    t.match((await jiti('traced-app.ts')).stdout, /^5 true$/m);
  });
  await withWorker([bin('jiti'), 'logging-worker.ts'], async () => {
    t.equal((await jiti('app.ts')).stdout, '5\n');
  });
  const site = spawn(process.execPath, [bin('jiti'), 'admin.ts'], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  t.teardown(() => site.kill('SIGKILL')); // it has a port that the next run needs
  const closed = new Promise((resolve) => site.on('exit', resolve));
  const asked = () => fetch('http://127.0.0.1:5557/minq/metrics').catch(() => undefined);
  await until(async () => (await asked())?.ok);
  t.match(await (await asked())!.text(), /^minq_jobs\{/m);
  site.kill('SIGTERM');
  await closed;
  await withWorker([bin('jiti'), 'own-worker.ts'], async () => {
    t.equal((await jiti('app.ts')).stdout, '5\n');
  });
});

void t.test('the rights it lists are those the scripts need', async (t) => {
  const rights = blocks.find(({ text }) => text.startsWith('~minq:'))!.text.split(/\s+/);
  const sources = readdirSync(path.join(root, 'src/store/scripts')).map((file) =>
    readFileSync(path.join(root, 'src/store/scripts', file), 'utf8'),
  );
  const called = sources.flatMap((source) => [...source.matchAll(/redis\.call\('([A-Z]+)'/g)]);
  for (const name of new Set(called.map((match) => match[1]!.toLowerCase()))) {
    t.ok(rights.includes(`+${name}`), name);
  }
});

void t.test('the commands it names exist', async (t) => {
  const shell = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'));
  const inline = [...readme.matchAll(/`(n(?:pm|px) [^`]+)`/g)].map((match) => match[1]!);
  for (const command of [...shell, ...inline]
    .flatMap((line) => line.split('&&'))
    .map((line) => line.trim())) {
    const [, script] = /^npm (?:run )?(?:--silent )?(\w[\w:]*)/.exec(command) ?? [];
    if (script && script !== 'ci' && script !== 'install') t.ok(scripts[script], command);
    const [, name] = /^npx minq (\w+)/.exec(command) ?? [];
    if (name) t.equal((await runCommand([name, '--help'])).code, 0, command);
  }
});
