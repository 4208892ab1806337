import { app, minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const JOBS = `import { job, currentJob } from 'minq';
export const nightly = job({ cron: '0 2 * * *', timezone: 'Europe/Berlin' }, () => String(currentJob().tick));
export const poll = job({ every: '1s' }, () => 'polled');
export const plain = () => 1;
`;
const files = { 'jobs.js': JOBS, 'package.json': '{"name":"shop","type":"module"}' };

scene('minq cron shows entries, what became of them, and who fires them; run fires one now', async (t, stage) => {
  const redis = stage.redis.url;
  const cron = (...args: string[]) => command(['cron', ...args, '--queue', stage.name], { redis });
  t.match(await cron(), { code: 0, stdout: `no cron entries on queue ${stage.name}\n` });
  const cwd = app(t, files);
  const worker = minq(t, ['worker', 'jobs.js', '--queue', stage.name], { redis, cwd });
  const queue = stage.queue();
  await until(async () => (await queue.schedules())[1]?.lastState === 'completed');

  const shown = await cron();
  t.equal(shown.code, 0);
  const lines = shown.stdout.split('\n');
  t.match(lines[0], /^NAME +WHEN +ZONE +NEXT +LAST/);
  t.match(lines[1], /^nightly  0 2 \* \* \*  Europe\/Berlin  20\d\d-\d\d-\d\d 0[01]:00:00Z  -$/);
  t.match(lines[2], /^poll     every 1s +20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ  20\S+ \S+Z  (completed|active|queued)$/);
  t.match(lines[4], new RegExp(`^fired by worker \\S+ \\(.*, pid ${worker.pid}\\)$`));
  const json = JSON.parse((await cron('--json')).stdout) as { entries: unknown; beat: unknown };
  t.match(json, {
    entries: [{ name: 'nightly', cron: '0 2 * * *', app: 'shop:jobs.js' }, { name: 'poll', every: 1_000, last: 'fired' }],
    beat: { pid: worker.pid },
  });

  const ran = await cron('run', 'nightly');
  t.match(ran, { code: 0, stdout: /^cron:nightly:\d{13}\n$/ });
  const id = ran.stdout.trim();
  t.equal(await queue.job(id).result({ timeout: '10s' }), String(new Date(Number(id.split(':')[2]))));
  t.match(JSON.parse((await cron('run', 'poll', '--json')).stdout), { id: /^cron:poll:\d{13}$/ });
  await worker.end();
  t.match((await cron()).stdout, /\nnobody fires them now: start a worker\n$/);

  t.match(await cron('run', 'nobody'), { code: 1, stderr: 'minq: there is no cron entry "nobody"\n' });
  t.match(await cron('stop', 'nightly'), { code: 2, stderr: /^minq: "stop": the only action is/ });
  t.match(await cron('run'), { code: 2, stderr: /^minq: "run": the only action is/ });
}); // prettier-ignore

scene('of several queues the first has the cron entries; --no-cron leaves them to others', async (t, stage) => {
  const redis = stage.redis.url;
  const cwd = app(t, files);
  const other = `${stage.name}-other`;
  const queues = ['--queue', stage.name, '--queue', other];
  const without = minq(t, ['worker', 'jobs.js', ...queues, '--no-cron'], { redis, cwd });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  await without.end();
  t.same(await queue.schedules(), []);
  const worker = minq(t, ['worker', 'jobs.js', ...queues], { redis, cwd });
  await until(async () => (await queue.schedules()).length === 2);
  t.equal(await (await queue.enqueue('plain', [], { queue: other })).result({ timeout: '10s' }), 1);
  t.same(await stage.redis.client.exists(`minq:{${other}}:cron`), 0, 'the second one works, without entries');
  await worker.end();
}); // prettier-ignore

scene('a jobs file with an impossible time does not start a worker', async (t, stage) => {
  const jobs = "import { job } from 'minq';\nexport const never = job({ cron: '0 0 31 2 *' }, () => 1);\n";
  const cwd = app(t, { ...files, 'jobs.js': jobs });
  const { code, stderr } = await minq(t, ['worker', 'jobs.js', '--queue', stage.name], { redis: stage.redis.url, cwd }).ended;
  t.equal(code, 1);
  t.match(stderr, /^minq: jobs file .* can't be loaded: InvalidArgumentError: cron: "0 0 31 2 \*" is not usable; it never falls due[^\n]*\n$/);
}); // prettier-ignore
