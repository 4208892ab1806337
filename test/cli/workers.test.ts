import { JOBS, minq, type Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { freePort, startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

interface Listed {
  at: number;
  workers: { id: string; queue: string; silent: boolean; busy: number }[];
}

const ok = ({ code, stdout, stderr }: Ended): string => {
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`);
  return stdout;
};

scene('workers: slots, what each runs and how long, loop, memory, versions', async (t, stage) => {
  const options = { redis: stage.redis.url };
  const workers = async (...args: string[]) => ok(await command(['workers', ...args], options));
  t.equal(await workers(), 'no worker on queue default\n');
  t.equal(await workers('--queue', 'a', '--queue', 'b'), 'no worker on queue a, queue b\n');
  const running = minq(t, ['worker', JOBS, '--queue', `${stage.name}=3`, '--queue', `${stage.name}-b`], options);
  const queue = stage.queue();
  const jobs = [await queue.enqueue('wait', [60_000]), await queue.enqueue('waitStubbornly', [60_000])];
  await until(async () => (await queue.workers())[0]?.busy === 2, { timeoutMs: 30_000 });
  await until(async () => (await queue.queues()).length === 2);

  const text = await workers();
  const [{ id, version, node } = { id: '', version: '', node: '' }] = await queue.workers();
  t.match(text, /^WORKER +QUEUE +HOST +PID +SLOTS +LOOP +MEMORY +SEEN +MINQ +NODE\n/);
  t.match(text, new RegExp(`^${id} +${stage.name} +\\S+ +${running.pid} +2/3 +[\\d.]+m?s +\\d+ MB +[\\d.]+m?s ago +${version} +${node}$`, 'm'));
  t.match(text, new RegExp(`^\\S+ +${stage.name}-b +\\S+ +${running.pid} +0/10 `, 'm'));
  t.match(text, new RegExp(`\n\nRUNS +FUNCTION +JOB +WORKER\n[\\d.]+m?s +wait +${jobs[0]!.id} +${id}\n[\\d.]+m?s +waitStubbornly +${jobs[1]!.id} +${id}\n$`));
  t.notMatch(text, 'SILENT');
  const listed = JSON.parse(await workers('--json')) as Listed;
  t.match(listed.workers, [
    { queue: stage.name, id, pid: running.pid, concurrency: 3, busy: 2, silent: false, memory: { rss: Number }, loop: { p99: Number }, running: [{ fn: 'wait' }, { fn: 'waitStubbornly' }] },
    { queue: `${stage.name}-b`, busy: 0 },
  ]);
  t.ok(Math.abs(listed.at - (await queue.now())) < 60_000);
  t.equal((JSON.parse(await workers('--json', '--queue', stage.name)) as Listed).workers.length, 1);
  running.child.kill('SIGKILL');
  await running.ended;
  await stage.redis.client.del(`minq:{${stage.name}}:workers`);
  stage.allow(/./); // its leases have not ended yet
}, { redis: () => startRedis() }); // prettier-ignore

scene('one that gives no sign of life is marked; a blocked loop is told of; names are only text', async (t, stage) => {
  const queue = stage.queue();
  const now = await queue.now();
  const evil = 'host\u001b[2J\u202e';
  /** As a worker would have said it, so long ago. */
  const say = (id: string, agoMs: number, more: object) => {
    const presence = {
      host: evil, pid: 7, concurrency: 5, busy: 0, running: [], startedAt: now - 90_000,
      loop: { p50: 1, p99: 2, max: 3 }, memory: { rss: 3 * 2 ** 30, heap: 1 }, version: '0.0.1', node: '20.0.0', ...more,
    };
    return stage.redis.client.hset(`minq:{${stage.name}}:workers`, id, `${now - agoMs}${JSON.stringify(presence)}`);
  };
  const running = [{ id: 'j\u001b1', fn: 'slow', sinceMs: 1_000 }];
  await say('dead', 40_000, {});
  await say('stuck', 20_000, { busy: 2, running });
  await say('idle', 20_000, { blocked: { at: now - 60_000, ms: 1_500, jobs: [{ id: 'j\u001b1', fn: 'slow' }, { id: 'j2', fn: 'other' }] } });
  await say('gone', 70_000, {});
  const { stdout } = await command(['workers', '--queue', stage.name], { redis: stage.redis.url });
  t.notMatch(stdout.replaceAll('\n', ''), /\p{Cc}|\u202e/u);
  const line = (id: string) => stdout.split('\n').find((each) => each.startsWith(`${id} `));
  t.match(line('dead'), / 0\/5 +2ms +3\.0 GB +4\ds ago +0\.0\.1 +20\.0\.0 +SILENT$/);
  t.match(line('stuck'), / 2\/5 .* SILENT$/);
  t.match(line('idle'), /host\\u001b\[2J\\u202e .*20\.0\.0$/);
  t.equal(line('gone'), undefined);
  t.match(stdout, /^worker idle: its event loop was blocked for 1\.5s, 1m( \d+s)? ago, by slow \(job j\\u001b1\) or other \(job j2\)$/m);
  t.match(stdout, /\n2[1-9]s +slow +j\\u001b1 +stuck\nand 1 more\n$/);
  const json = JSON.parse((await command(['workers', '--json', '--queue', stage.name], { redis: stage.redis.url })).stdout) as Listed;
  t.same(json.workers.filter(({ silent }) => silent).map(({ id }) => id).toSorted(), ['dead', 'stuck']);
  await stage.redis.client.del(`minq:{${stage.name}}:workers`);
}); // prettier-ignore

scene('wrong usage ends with 2; without Redis with 1', async (t) => {
  const redis = `redis://127.0.0.1:${await freePort()}`;
  const [usage, name, away] = await Promise.all([
    command(['workers', 'all'], { redis }),
    command(['workers', '--queue', '{x}'], { redis }),
    command(['workers', '--json'], { redis }),
  ]);
  t.match(usage, { code: 2, stdout: '', stderr: /^minq: "all": give ping; stop <id>; or set[^\n]*\n$/ });
  t.match(name, { code: 2, stdout: '', stderr: /^minq: --queue: "\{x\}" is not usable[^\n]*\n$/ });
  t.match(away, { code: 1, stdout: '', stderr: /^\{"time".*"level":"error","message":".*ECONNREFUSED[^\n]*\n$/ });
}); // prettier-ignore
