import { spawnSync } from 'node:child_process';
import { chmodSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { alive, app, CLI, FROM_SOURCE, JOBS, minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** Processes started by this one. */
const childrenOf = (pid: number): number[] =>
  [
    ...spawnSync('pgrep', ['-P', String(pid)])
      .stdout.toString()
      .matchAll(/\d+/g),
  ].map(Number);

const started = (stderr: string) => stderr.match(/worker started/g)?.length ?? 0;
const MODULE = { 'package.json': '{ "type": "module" }' };
const allGone = (t: Test, pids: number[]) =>
  until(() => !pids.some(alive), { what: 'no worker process is left' }).then(() => t.pass());

scene('a signal to every process of the group stops each of them once', async (t, stage) => {
  const args = ['worker', JOBS, '--queue', stage.name, '--processes', '2', '--concurrency', '1'];
  const supervisor = minq(t, args, { redis: stage.redis.url });
  await until(() => started(supervisor.stderr) === 2);
  const queue = stage.queue();
  const jobs = await Promise.all([1, 2].map(() => queue.enqueue('waitStubbornly', [1_500])));
  await until(() => supervisor.stderr.match(/job started/g)?.length === 2);
  // As systemd, Heroku and pm2 do it.
  for (const pid of [supervisor.pid, ...childrenOf(supervisor.pid)]) process.kill(pid, 'SIGTERM');
  t.equal((await supervisor.ended).code, 0);
  for (const job of jobs) t.equal(await job.result({ timeout: '1s' }), 'waited');
});

scene('--processes 1: a worker that its own job kills starts again', async (t, stage) => {
  const folder = app(t, {
    ...MODULE,
    'jobs.js': "export const kill = () => process.kill(process.pid, 'SIGKILL');",
  });
  const args = ['worker', 'jobs.js', '--queue', stage.name, '--processes', '1'];
  const worker = minq(t, args, { redis: stage.redis.url, cwd: folder });
  await until(() => started(worker.stderr) === 1);
  await stage.queue().enqueue('kill', [], { retries: 0 });
  await until(() => started(worker.stderr) === 2);
  t.equal((await worker.end()).code, 0);
});

/** `npm` or `npx`, as they came with this Node. */
const npm = (name: string) => realpathSync(path.join(path.dirname(process.execPath), name));

for (const [how, name, args] of [
  ['npx', 'npx', ['minq', 'worker', JOBS]],
  ['an npm script with --processes', 'npm', ['run', 'work', '--', '--processes', '1']],
] as const) {
  scene(`started by ${how}, which a signal ends, it stops as well`, async (t, stage) => {
    const folder = app(t, {
      'package.json': JSON.stringify({ scripts: { work: `true && minq worker "${JOBS}"` } }),
      'node_modules/.bin/readme': '',
    });
    chmodSync(CLI, 0o755); // as npm does when it installs
    symlinkSync(CLI, path.join(folder, 'node_modules/.bin/minq'));
    const starter = minq(t, [...args, '--queue', stage.name], {
      redis: stage.redis.url,
      cwd: folder,
      program: npm(name),
      env: { HOME: folder },
    });
    await starter.says(/worker started/);
    const queue = stage.queue();
    const [worker] = await queue.workers();
    t.teardown(() => alive(worker!.pid) && process.kill(worker!.pid, 'SIGKILL'));
    const job = await queue.enqueue('waitStubbornly', [1_500]);
    await starter.says(/job started/);
    starter.child.kill('SIGTERM');
    await starter.says(/whoever started it is gone: stopping/);
    t.equal(await job.result({ timeout: '5s' }), 'waited');
    await allGone(t, [worker!.pid]);
  });
}

scene('--processes: one that is killed is replaced, and SIGTERM stops all', async (t, stage) => {
  const args = ['worker', JOBS, '--queue', stage.name, '--processes', '2'];
  const supervisor = minq(t, args, { redis: stage.redis.url });
  await until(() => started(supervisor.stderr) === 2);
  const [killed, other] = childrenOf(supervisor.pid);
  process.kill(killed!, 'SIGKILL');
  await supervisor.says(/warn {2}a worker process was ended by SIGKILL; starting another/);
  await until(() => started(supervisor.stderr) === 3);
  const now = childrenOf(supervisor.pid);
  t.equal(now.length, 2);
  t.ok(now.includes(other!), 'the other one went on');
  t.notOk(now.includes(killed!));
  t.equal((await supervisor.end()).code, 0);
  await allGone(t, now);
});

scene('Ctrl-C in a terminal reaches each worker process once', async (t, stage) => {
  const args = ['worker', JOBS, '--queue', stage.name, '--processes', '2'];
  const supervisor = minq(t, args, { redis: stage.redis.url, detached: true });
  await until(() => started(supervisor.stderr) === 2);
  const queue = stage.queue();
  const job = await queue.enqueue('waitStubbornly', [1_000]);
  await supervisor.says(/job started/);
  process.kill(-supervisor.pid, 'SIGINT'); // to the foreground group, as a terminal does
  const { code, stderr } = await supervisor.ended;
  t.equal(code, 0);
  t.equal(stderr.match(/SIGINT: stopping/g)?.length, 2);
  t.equal(
    await job.result({ timeout: '1s' }),
    'waited',
    'a second signal would have given it back',
  );
});

scene('worker processes stop when their supervisor is killed', async (t, stage) => {
  const args = ['worker', JOBS, '--queue', stage.name, '--processes', '2'];
  const supervisor = minq(t, args, { redis: stage.redis.url });
  await until(() => started(supervisor.stderr) === 2);
  const pids = childrenOf(supervisor.pid);
  t.equal(pids.length, 2);
  t.teardown(() => pids.filter(alive).forEach((pid) => process.kill(pid, 'SIGKILL')));
  supervisor.child.kill('SIGKILL');
  await allGone(t, pids);
});

scene('--processes ends with its work in burst mode, and with wrong usage', async (t, stage) => {
  const folder = app(t, {
    ...MODULE,
    'jobs.js': 'export const exit = () => process.exit(0);',
    'empty.js': '',
  });
  const options = { redis: stage.redis.url, cwd: folder };
  const args = ['--queue', stage.name, '--processes', '2'];
  const [burst, empty, signalled] = await Promise.all([
    minq(t, ['worker', 'jobs.js', ...args, '--burst'], options).ended,
    minq(t, ['worker', 'empty.js', ...args], options).ended,
    (async () => {
      // A signal while everything is starting up.
      const supervisor = minq(t, ['worker', 'jobs.js', ...args], options);
      await until(() => childrenOf(supervisor.pid).length === 2);
      return supervisor.end();
    })(),
  ]);
  t.equal(burst.code, 0);
  t.equal(empty.code, 2);
  t.match(empty.stderr, /no function found/);
  t.notMatch(empty.stderr, /starting another/);
  t.equal(signalled.code, 0);

  // A job that ends its process does not end the workers.
  const worker = minq(t, ['worker', 'jobs.js', ...args], options);
  await until(() => started(worker.stderr) === 2);
  const exiting = await stage.queue().enqueue('exit', [], { retries: 0 });
  await worker.says(/a worker process exited with 0; starting another/);
  await until(() => started(worker.stderr) === 3);
  t.equal(await exiting.state(), 'active', 'until its lease ends');
  t.equal((await worker.end()).code, 0);
});

scene('--watch: a change starts it again, a broken file waits for a change', async (t, stage) => {
  const jobs = "import { text } from './text.js'; export const hello = () => text;";
  const ts = app(t, { 'jobs.ts': jobs, 'text.ts': "export const text: string = 'one';" });
  const js = app(t, { ...MODULE, 'jobs.js': jobs, 'text.js': "export const text = 'one';" });
  const cases: [folder: string, file: string, dependency: string][] = [
    [ts, 'jobs.ts', 'text.ts'],
    [js, 'jobs.js', 'text.js'],
  ];
  await Promise.all(
    cases.map(async ([folder, file, dependency]) => {
      const name = `${stage.name}-${dependency.replace('.', '-')}`;
      const args = ['worker', file, '--queue', name, '--watch'];
      const worker = minq(t, args, { redis: stage.redis.url, cwd: folder });
      const hello = async () =>
        (await stage.queue().enqueue('hello', [], { queue: name })).result();
      const write = (text: string) => writeFileSync(path.join(folder, dependency), text);
      t.equal(await hello(), 'one');
      write("export const text = 'two';");
      await until(() => started(worker.stderr) === 2);
      t.equal(await hello(), 'two');
      write('export const text = (;');
      await worker.says(/can't be loaded/);
      await worker.says(/exited with 1; waiting for a change/);
      write("export const text = 'three';");
      t.equal(await hello(), 'three');
      t.equal((await worker.end('SIGINT')).code, 0, file);
    }),
  );
});

scene(
  '--watch: a file that breaks before it ever loaded is tried again after a change',
  async (t, stage) => {
    const folder = app(t, {
      ...MODULE,
      'jobs.js': "import './part.js'; export const a = () => 1;",
      'part.js': '(;',
    });
    const args = ['worker', 'jobs.js', '--queue', stage.name, '--watch'];
    const worker = minq(t, args, { redis: stage.redis.url, cwd: folder });
    await worker.says(/waiting for a change/);
    writeFileSync(path.join(folder, 'part.js'), '');
    await worker.says(/worker started/);
    t.equal((await worker.end()).code, 0);
  },
);

scene('--processes ends with the highest exit code of all of them', async (t, stage) => {
  const folder = app(t, {
    ...MODULE,
    'jobs.js': `import { mkdirSync } from 'node:fs';
      export const job = () => 1;
      try {
        mkdirSync('first');
        process.on('exit', () => (process.exitCode = 3));
      } catch {} // the other was first`,
  });
  const args = ['--queue', stage.name, '--processes', '2'];
  const options = { redis: stage.redis.url, cwd: folder, ...FROM_SOURCE };
  const supervisor = minq(t, ['worker', 'jobs.js', ...args], options);
  await until(() => started(supervisor.stderr) === 2);
  t.match(await supervisor.end(), { code: 3 });
});
