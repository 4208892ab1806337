import { createServer, type Server } from 'node:net';
import { app, JOBS, minq, type Minq } from '../helpers/cli.ts';
import { freePort } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { siteAt, type Site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const TOKEN = 'correct-horse-battery';

/** Waits until it has printed where it is. */
async function printed(dashboard: Minq): Promise<string> {
  let stdout = '';
  dashboard.child.stdout!.on('data', (text: string) => (stdout += text));
  await until(() => stdout.includes('\n') || dashboard.child.exitCode !== null);
  return stdout.trim();
}

const at = (url: string): Site => siteAt(Number(new URL(url).port), '127.0.0.1');

async function taken(stage: Stage, port: number): Promise<void> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  stage.onEnd(() => new Promise((resolve) => server.close(resolve)));
}

scene('minq dashboard serves the pages, says where, and ends by a signal', async (t, stage) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const dashboard = minq(t, ['dashboard', '--port', '0', '--queue', stage.name], { redis: stage.redis.url });
    const url = await printed(dashboard);
    t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { get, act, port } = at(url);
    t.match(await get(''), { status: 200, text: /<!doctype html>/ });
    t.match(await get('main.js'), { status: 200 });
    t.match(await get('api/queues'), { status: 200, json: { readOnly: false, queues: [{ name: stage.name }] } });
    t.match(await act({ action: 'pause', queue: stage.name }), { status: 200 });
    t.match(await get('', { Host: 'evil.example' }), { status: 403, json: { error: /--allow-host/ } });
    const open = new AbortController(); // a browser that keeps its connection
    await fetch(`http://localhost:${port}/api/queues`, { signal: open.signal, headers: { Connection: 'keep-alive' } });
    t.match(await dashboard.end(signal), { code: 0, stdout: `${url}\n`, stderr: new RegExp(`stopped: ${signal}\n$`) });
  }
}); // prettier-ignore

scene('--json, --read-only, --allow-host and several --queue', async (t, stage) => {
  const other = `${stage.name}-other`;
  const flags = ['--port', '0', '--json', '--read-only', '--allow-host', 'admin.example', '--allow-host', 'b.example:1'];
  const dashboard = minq(t, ['dashboard', ...flags, '--queue', stage.name, '--queue', other], { redis: stage.redis.url });
  const { url } = JSON.parse(await printed(dashboard)) as { url: string };
  const { get, act } = at(url);
  t.match((await get('api/queues', { Host: 'admin.example:80' })).json, { readOnly: true, queues: [{ name: stage.name }, { name: other }] });
  t.equal((await get('api/queues', { Host: 'b.example:1' })).status, 200);
  t.equal((await get('api/queues', { Host: 'b.example:2' })).status, 403);
  t.equal((await act({ action: 'pause', queue: stage.name })).status, 403);
  const { code, stderr } = await dashboard.end();
  t.equal(code, 0);
  t.match(JSON.parse(stderr), { level: 'info', message: 'dashboard stopped: SIGTERM' });
}); // prettier-ignore

scene('a token, by option or variable; with one it may listen on any address', async (t, stage) => {
  const ways: [string[], Record<string, string>][] = [
    [['--token', TOKEN], {}],
    [[], { MINQ_DASHBOARD_TOKEN: TOKEN }],
    [['--token', TOKEN], { MINQ_DASHBOARD_TOKEN: 'another-one-of-these' }],
  ];
  for (const [flags, env] of ways) {
    const args = ['dashboard', '--port', '0', '--host', '0.0.0.0', '--queue', stage.name, ...flags];
    const dashboard = minq(t, args, { redis: stage.redis.url, env });
    const url = await printed(dashboard);
    t.match(url, /^http:\/\/0\.0\.0\.0:\d+\/$/);
    const { get } = at(url);
    t.equal((await get('api/queues')).status, 401);
    t.equal((await get('api/queues', { Authorization: `Bearer ${TOKEN}` })).status, 200);
    const { code, stdout, stderr } = await dashboard.end();
    t.equal(code, 0);
    t.notMatch(stdout + stderr, TOKEN);
  }
});

scene('wrong usage: one line, exit code 2', async (t, stage) => {
  const redis = stage.redis.url;
  const port = ['--port', '0'];
  const wrong: [string[], RegExp, Record<string, string>?][] = [
    [['--host', '0.0.0.0'], /^--host 0\.0\.0\.0: others can reach it there; give a token \(MINQ_DASHBOARD_TOKEN, or --token\)$/],
    [['--host', '::'], /^--host ::: others can reach it/],
    [['--host', '192.168.1.5'], /others can reach it/],
    [['--host', 'example.com'], /others can reach it/],
    [['--host', '127.0.0.1.example.com'], /others can reach it/],
    [['--host', '0.0.0.0', '--token', 'short'], /^token: "\*\*\* \(5 characters\)" is not usable; give at least 16 characters$/],
    [['--token', ''], /^token: .*0 characters/],
    [[], /^token: .*0 characters/, { MINQ_DASHBOARD_TOKEN: '' }],
    [['--port', 'x'], /^--port: "x" is no whole number$/],
    [['--port', '65536'], /^--port: give a number from 0 to 65535$/],
    [['--queue', 'a b'], /^queues\[0\]: "a b" is not usable/],
    [['--allow-host', 'https://x'], /^allowedHosts\[0\]: "https:\/\/x" is not usable/],
    [['extra'], /^"extra" is one too many; Usage: minq dashboard/],
    [['--nope'], /^Unknown option '--nope'/],
  ];
  for (const [flags, message, env = {}] of wrong) {
    const { code, stdout, stderr } = await minq(t, ['dashboard', ...port, ...flags], { redis, env }).ended;
    t.equal(code, 2, flags.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /^minq: [^\n]+\n$/, 'one line');
    t.match(stderr.slice('minq: '.length, -1), message);
  }
  const badUrl = await minq(t, ['dashboard', ...port], { redis: 'http://:hunter2@x' }).ended;
  t.match(badUrl, { code: 2, stderr: /^minq: redis: .* is no Redis URL/ });
  t.notMatch(badUrl.stderr, 'hunter2');
  const help = await minq(t, ['dashboard', '--help']).ended;
  t.match(help, { code: 0, stdout: /^Usage: minq dashboard \[options\]\n/ });
  t.match((await minq(t, ['--help']).ended).stdout, /\n {2}dashboard {3}\S/);
}); // prettier-ignore

scene('a port that is taken: one line, exit code 1', async (t, stage) => {
  const port = await freePort();
  await taken(stage, port);
  const { code, stderr } = await minq(t, ['dashboard', '--port', String(port)], { redis: stage.redis.url }).ended;
  t.equal(code, 1);
  t.equal(stderr, `minq: port ${port} of 127.0.0.1 is taken; give another with --port\n`);
  const nowhere = await minq(t, ['dashboard', '--port', '0', '--host', '203.0.113.1', '--token', TOKEN]).ended;
  t.match(nowhere, { code: 1, stderr: /^minq: can't listen on port 0 of 203\.0\.113\.1: [^\n]+\n$/ });
}); // prettier-ignore

scene('Redis down: it starts all the same, and says so on its pages', async (t) => {
  const port = await freePort();
  const dashboard = minq(t, ['dashboard', '--port', '0'], { redis: `redis://127.0.0.1:${port}` });
  const { get } = at(await printed(dashboard));
  t.equal((await get('')).status, 200);
  t.match(await get('api/queues'), { status: 503, json: { error: /^no connection to Redis within \d+ ms/ } });
  t.match(await dashboard.end(), { code: 0 });
}); // prettier-ignore

scene('dev opens it on the first free port, once, and takes it along', async (t, stage) => {
  const cwd = app(t, { 'jobs.js': 'export const one = () => 1;\n', 'package.json': '{"type":"module"}' });
  const first = minq(t, ['dev', 'jobs.js', '--queue', stage.name], { redis: stage.redis.url, cwd });
  await first.says(/dashboard on http:\/\/127\.0\.0\.1:\d+\/\n/);
  const second = minq(t, ['dev', JOBS, '--queue', stage.name], { redis: stage.redis.url });
  await second.says(/dashboard on /);
  const urls = [first, second].map(({ stderr }) => /dashboard on (\S+)/.exec(stderr)![1]!);
  const ports = urls.map((url) => Number(new URL(url).port));
  t.ok(ports.every((port) => port >= 5555 && port < 5575), String(ports));
  t.not(ports[0], ports[1]);
  const { get } = at(urls[0]!);
  await until(async () => (await get('api/workers')).json.workers.length === 2, { what: 'it shows the workers of both' });
  const names = (await get('api/queues')).json.queues.map(({ name }: { name: string }) => name);
  t.match(names, ['default', stage.name]);
  for (const dev of [first, second]) {
    const { code, stderr } = await dev.end('SIGINT');
    t.equal(code, 0);
    t.equal(stderr.split('dashboard on').length, 2, 'not once more by the worker process');
  }
  await t.rejects(get(''), 'nobody there');

  const without = minq(t, ['dev', JOBS, '--queue', stage.name, '--no-dashboard'], { redis: stage.redis.url });
  await without.says(/worker started/);
  t.match(await without.end(), { code: 0, stderr: /^(?![^]*dashboard)/ });
}); // prettier-ignore
