/** minq.config.ts, the flags that win over it, and several jobs files. */
import { defineConfig, Queue, Worker } from '../../src/index.ts';
import { app, minq } from '../helpers/cli.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const MAIL = `import { job } from 'minq';
export const sendMail = (n: number) => n * 2;
export const shared = () => 'shared';
`;
const REPORTS = `export { shared } from './mail.ts';
export const makeReport = () => 'report';
`;
const PACKAGE = '{"name":"shop","type":"module"}';
/** No Redis is there: whoever asks it hasn't read the config. */
const NOWHERE = 'redis://127.0.0.1:1';

const configOf = (redis: string, more = '') => `import { defineConfig } from 'minq';
export default defineConfig({
  redis: '${redis}',
  prefix: 'shop',
  jobs: ['jobs/mail.ts', 'jobs/reports.ts'],
  queues: { mail: 3, default: 7 },
  lease: '4s',
  shutdownTimeout: '1s',
  keepFailed: { count: 500 },
  routes: { sendMail: 'mail' },
  middleware: async (job, next) => { console.error('through ' + job.fn); await next(); },
  ${more}
});
`;

scene('a worker and every command find all they need in minq.config.ts', async (t, stage) => {
  const redis = stage.redis.url;
  const cwd = app(t, {
    'jobs/mail.ts': MAIL,
    'jobs/reports.ts': REPORTS,
    'minq.config.ts': configOf(redis),
    'package.json': PACKAGE,
  });
  const run = (...args: string[]) => minq(t, args, { redis: NOWHERE, cwd }).ended;
  const worker = minq(t, ['worker', '--verbose'], { redis: NOWHERE, cwd });
  const queue = new Queue('mail', { redis, prefix: 'shop' });
  stage.onEnd(() => queue.close());
  await until(async () => (await queue.workers()).length === 1);
  t.match(await queue.workers(), [{ concurrency: 3 }]);
  t.match(worker.stderr, /jobs loaded files="jobs\/mail.ts jobs\/reports.ts"/);
  t.match(worker.stderr, /worker started queue=mail concurrency=3 .*redis=127.0.0.1:\d+.* functions="sendMail, shared, makeReport"/);
  await worker.says(/worker started queue=default concurrency=7 /);

  t.match(await run('enqueue', 'sendMail', '[4]', '--wait'), { code: 0, stdout: '8\n' });
  t.match(worker.stderr, /through sendMail/);
  t.match(await run('stats', '--json'), { code: 0, stdout: /"queue":"mail","counts":\{.*"completed":1/ });
  t.match(await run('workers'), { code: 0, stdout: /mail/ });
  t.match(await run('check', '--json'), { stdout: /"message":"queue mail: 1 alive"/ });
  t.match(await run('check', '--json', '--redis', NOWHERE), { code: 1, stdout: /"check":"redis","ok":false/ });
  t.match(await run('stats', '--prefix', 'other'), { code: 0, stdout: /^default\n/ });
  await worker.end();
}); // prettier-ignore

scene('flags win over the file', async (t, stage) => {
  const redis = stage.redis.url;
  const cwd = app(t, {
    'jobs/mail.ts': MAIL,
    'jobs/reports.ts': REPORTS,
    'conf/minq.config.ts': configOf(NOWHERE).replaceAll('jobs/', '../jobs/'),
    'package.json': PACKAGE,
  });
  const flags = ['--config', 'conf/minq.config.ts', '--redis', redis, '--prefix', 'minq', '--queue', stage.name];
  const worker = minq(t, ['worker', ...flags, '--concurrency', '2', '--lease', '9s', '--shutdown-timeout', '2s'], { redis: NOWHERE, cwd });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  t.match(await queue.workers(), [{ concurrency: 2 }]);
  t.equal(await queue.call('sendMail', [1], { timeout: '10s' }), 2);
  await worker.end();
  for (const [flag, value, message] of [
    ['--lease', '1ms', /^minq: --lease: "1ms" is out of range/],
    ['--shutdown-timeout', 'soon', /^minq: --shutdown-timeout: "soon" is no duration/],
    ['--prefix', 'a b', /^minq: --prefix: "a b" is not usable/],
    ['--config', 'nowhere.ts', /^minq: config file: "nowhere.ts" does not exist/],
  ] as const) {
    t.match(await minq(t, ['worker', ...flags, flag, value], { redis, cwd }).ended, { code: 2, stderr: message }, flag);
  }
}); // prettier-ignore

scene('what is wrong in the file is said with its name', async (t) => {
  const cwd = (config: string, name = 'minq.config.ts') => app(t, { 'jobs/mail.ts': MAIL, [name]: config, 'package.json': PACKAGE });
  const wrong: [config: string, message: RegExp][] = [
    ["export default { leese: '5s' }", /^minq: minq.config.ts: leese: unknown option; did you mean 'lease'\?\n$/],
    ["export default { lease: 'soon' }", /^minq: minq.config.ts: lease: "soon" is no duration/],
    ['export default { queues: { mail: 0 } }', /^minq: minq.config.ts: queues.mail: 0 is not usable; give a whole number/],
    ["export default { queues: ['a b'] }", /^minq: minq.config.ts: queues: "a b" is not usable/],
    ['export default { jobs: 5 }', /^minq: minq.config.ts: jobs: 5 is not usable; give the path of a file/],
    ["export const lease = '5s'", /^minq: minq.config.ts: its default export is undefined; write: export default defineConfig/],
    ['export default', /^minq: config file .*minq.config.ts can't be loaded: /],
    ["import { defineConfig } from 'minq'; export default defineConfig({ dashbord: {} })", /config file .* can't be loaded: InvalidArgumentError: dashbord: unknown option; did you mean 'dashboard'/],
  ];
  await Promise.all(
    wrong.map(async ([config, message]) => {
      const { code, stderr } = await minq(t, ['stats'], { redis: NOWHERE, cwd: cwd(config) }).ended;
      t.ok(code === 2 || code === 1, config);
      t.match(stderr, message);
    }),
  );
  const without = app(t, { 'package.json': PACKAGE });
  t.match(await minq(t, ['worker'], { redis: NOWHERE, cwd: without }).ended, { code: 2, stderr: /^minq: give a jobs file, e.g. minq worker .\/jobs.ts, or name it in minq.config.ts/ });
}); // prettier-ignore

scene('minq.config.js as an ES module, .mjs, and CommonJS', async (t, stage) => {
  const redis = stage.redis.url;
  const own = { 'jobs.js': 'exports.f = () => 5;', 'package.json': '{}' };
  const files: Record<string, string>[] = [
    { 'minq.config.mjs': `export default { redis: '${redis}', jobs: './jobs.js' }`, ...own },
    { 'minq.config.js': `module.exports = require('minq').defineConfig({ redis: '${redis}', jobs: ['jobs.js'] })`, ...own },
  ];
  for (const each of files) {
    const cwd = app(t, each);
    const worker = minq(t, ['worker', '--queue', stage.name], { redis: NOWHERE, cwd });
    t.equal(await stage.queue().call('f', [], { timeout: '10s' }), 5, Object.keys(each)[0]!);
    await worker.end();
  }
}); // prettier-ignore

scene('new Queue and new Worker take the config as their options', async (t, stage) => {
  const config = defineConfig({
    redis: stage.redis.url,
    jobs: 'jobs.ts',
    queues: ['a'],
    concurrency: 4,
    callTimeout: '3s',
    routes: { other: 'elsewhere' },
  });
  const queue = new Queue(stage.name, config);
  stage.onEnd(() => queue.close());
  const worker = new Worker({ f: (n: number) => n }, { ...config, queue: stage.name });
  t.equal(worker.concurrency, 4);
  const running = worker.run();
  t.equal(await queue.call('f', [1], { timeout: '10s' }), 1);
  await worker.stop();
  await running;
  t.throws(() => new Queue('x', { ...config, leese: 1 } as never), { message: /^leese: unknown option/ });
  t.throws(() => new Queue('x', { jobs: 'jobs.ts' } as never), { message: /^jobs: unknown option/ }, 'only of a config');
  t.throws(() => defineConfig({ leese: 1 } as never), { message: /^leese: unknown option; did you mean 'lease'/ });
  t.throws(() => defineConfig({ queue: 'x' } as never), { message: /^queue: unknown option; did you mean 'queues'/ });
}); // prettier-ignore

scene('two files that export the same name are refused, unless it is the same function', async (t, stage) => {
  const redis = stage.redis.url;
  const cwd = app(t, {
    'a.ts': 'export const f = () => 1;',
    'b.ts': 'export const f = () => 2;',
    'c.ts': "export { f } from './a.ts'; export default 1;",
    'package.json': PACKAGE,
  });
  const both = await minq(t, ['worker', 'a.ts', 'b.ts', '--burst'], { redis, cwd }).ended;
  t.equal(both.code, 2);
  t.match(both.stderr, /^minq: jobs files: both \S+a.ts and \S+b.ts export "f"; rename one of them\n$/m);
  t.match(await minq(t, ['worker', 'a.ts', 'c.ts', '--burst', '--queue', stage.name], { redis, cwd }).ended, { code: 0 });
  t.match(await minq(t, ['worker', 'a.ts', '.'], { redis, cwd }).ended, { code: 2, stderr: /^minq: jobs file: "." is a folder; give a file in it/ });
  const alone = app(t, { 'd.ts': 'export default () => 1;', 'package.json': PACKAGE });
  t.match(await minq(t, ['worker', 'd.ts'], { redis, cwd: alone }).ended, { code: 2, stderr: /the default export isn't looked at/ });
}); // prettier-ignore

scene('minq dashboard has its options from the file', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const cwd = app(t, {
    'minq.config.mjs': `export default { redis: '${redis.url}', prefix: 'shop', dashboard: { token: 'sixteen-characters', readOnly: true } }`,
    'package.json': PACKAGE,
  });
  const server = minq(t, ['dashboard', '--port', '0'], { redis: NOWHERE, cwd });
  let said = '';
  server.child.stdout!.on('data', (text: string) => (said += text));
  await until(() => /http:\S+/.test(said));
  const url = /http:\S+/.exec(said)![0];
  t.equal((await fetch(new URL('api/queues', url))).status, 401);
  const headers = { authorization: 'Bearer sixteen-characters' };
  const reply = (await (await fetch(new URL('api/queues', url), { headers })).json()) as object;
  t.match(reply, { readOnly: true, queues: [{ name: 'default' }] });
  await server.end();
}); // prettier-ignore
