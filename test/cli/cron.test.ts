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
  t.match(await cron('stop', 'nightly'), { code: 2, stderr: /^minq: "stop": give one of run, pause, resume, next, / });
  t.match(await cron('constructor', 'nightly'), { code: 2, stderr: /^minq: "constructor": give one of/ });
  t.match(await cron('run'), { code: 2, stderr: /^minq: "run": give one of .*, and behind it a name/ });

  t.match(await cron('pause', 'poll'), { code: 0, stdout: `poll is paused; go on with: minq cron resume poll --queue ${stage.name}\n` });
  t.match((await cron()).stdout, /\npoll +every 1s +paused +20/);
  t.match(await cron('resume', 'poll', '--json'), { code: 0, stdout: '{"name":"poll","paused":false}\n' });
  t.match((await cron()).stdout, /\npoll +every 1s +20/);
  t.match(await cron('pause', 'nobody'), { code: 1, stderr: 'minq: there is no cron entry "nobody"\n' });
  await queue.schedule('once', { every: '1h', fn: 'plain', times: 1, until: new Date(Date.now() + 7_200_000) });
  t.match(await command(['unschedule', 'once', '--queue', stage.name, '--yes'], { redis }), { code: 0, stdout: 'cron entry once is removed\n' });
  t.match(await command(['unschedule', 'once', '--queue', stage.name, '--yes'], { redis }), { code: 1, stderr: /^minq: there is no cron entry "once" on queue/ });
  t.match(await command(['unschedule', 'once'], { redis }), { code: 2, stderr: /give --yes/ });
}); // prettier-ignore

scene('minq cron next says when an expression falls due, and what it means elsewhere, without a Redis', async (t) => {
  const next = (...args: string[]) => command(['cron', 'next', ...args], { redis: 'redis://127.0.0.1:1' });
  const fridays = await next('0 2 13 * FRI', '--timezone', 'Europe/Berlin', '--count', '2');
  t.equal(fridays.code, 0);
  const lines = fridays.stdout.split('\n');
  t.match(lines[0], /^20\d\d-\d\d-\d\d 0[01]:00:00Z  \w+, \d+ \w+ 20\d\d at 02:00:00 (CET|CEST|GMT\+[12])$/);
  t.match(lines[2], /^day of month or day of week: one that fits is enough, .*in Celery both/);
  t.match(lines[3], /^when the clocks change: .* minutes are kept/);
  t.equal(lines.length, 5);
  const seconds = JSON.parse((await next('*/10 * * * * 1', '--json')).stdout) as { next: number[]; notes: string[] };
  t.equal(seconds.next.length, 5);
  t.ok(seconds.next.every((tick) => tick % 10_000 === 0 && new Date(tick).getUTCDay() === 1));
  t.match(seconds.notes, [/^day of week: 0 and 7 are Sunday/, /^six fields: the first one is the second/]);
  t.same((JSON.parse((await next('@daily', '--json')).stdout) as typeof seconds).notes, []);
  t.match(await next('61 * * * *'), { code: 2, stderr: /^minq: cron: "61 \* \* \* \*" is not usable; its minute/ });
  t.match(await next('@daily', '--timezone', 'Mars'), { code: 2, stderr: /^minq: --timezone: "Mars"/ });
  t.match(await next('@daily', '--count', '0'), { code: 2, stderr: /^minq: --count: 0/ });
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
