/** minq on a master with two replicas that three sentinels watch: the master dies, hangs, or is replaced. */
import t, { type Test } from 'tap';
import { distributed, type Ground } from './helpers/distributed.ts';
import { produce } from './helpers/load.ts';
import { startSentinels } from './helpers/sentinel.ts';
import { until } from './helpers/until.ts';

t.setTimeout(90_000);

const servers = await startSentinels();
t.teardown(() => servers.stop());
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Enqueues and works while another becomes the master; afterwards all is as before, but for who is the master. */
async function failover(t: Test, ground: Ground, name: string, fault: () => Promise<unknown>) {
  const ended: number[] = [];
  const work = { work: () => sleep(5).then(() => void ended.push(performance.now())) };
  const options = { lease: 2_000, callTimeout: 1_500 };
  ground.worker(name, work, options);
  ground.worker(name, work, options);
  const queue = ground.queue(name, { callTimeout: 1_500 });
  const load = produce(queue, 'work', name);
  await until(() => ended.length > 200);
  const old = await servers.master();
  const done = fault();
  await until(async () => (await servers.master()) !== old, { what: 'another is promoted' });
  const promoted = performance.now();
  const last = () => [load.accepted.at(-1)!.at, ended.at(-1)!];
  await until(() => last().every((at) => at > promoted), { what: 'work resumes' });
  const resumed = Math.max(...last()) - promoted;
  t.ok(resumed < 5_000, `within 5 s of the promotion: ${Math.round(resumed)} ms`);
  await done;
  const before = ended.length;
  await until(() => ended.length > before + 200, { what: 'work goes on' });
  await load.stop();
  await servers.healthy();
  await until(async () => (await load.fate()).unfinished === 0, { what: 'all ended' });
  const { gone } = await load.fate();
  t.comment(`resumed ${Math.round(resumed)} ms after the promotion`);
  t.comment(
    `${gone.length} of ${load.accepted.length} accepted jobs were lost with the old master`,
  );
  t.ok(gone.length < load.accepted.length / 10, `${gone.length} of ${load.accepted.length}`);
  t.notOk(ground.log.some((line) => /run rejected/.test(line)), 'no worker gave up'); // prettier-ignore
  t.equal((await queue.workers()).length, 2);
}

distributed('the master is killed', servers, async (t, ground) => {
  const master = await servers.master();
  await failover(t, ground, 'killed', async () => {
    await master.kill();
    await until(async () => (await servers.master()) !== master);
    await master.restart();
  });
});

distributed('the master hangs for 6 s', servers, async (t, ground) => {
  const master = await servers.master();
  await failover(t, ground, 'hung', async () => {
    master.signal('SIGSTOP');
    await sleep(6_000);
    master.signal('SIGCONT');
  });
});

distributed('another is made the master by hand', servers, async (t, ground) => {
  await failover(t, ground, 'manual', () => servers.failover());
});

distributed('a sentinel that hangs, and one that is gone: the third is asked', servers, async (t, ground) => {
  const [hung] = servers.sentinels;
  const [, second, third] = servers.sentinels.map(({ port }) => port);
  t.ok(second);
  hung!.signal('SIGSTOP');
  ground.onEnd(async () => hung!.signal('SIGCONT'));
  const redis = `redis+sentinel://127.0.0.1:${hung!.port},127.0.0.1:1,127.0.0.1:${third}/mymaster`;
  const queue = ground.queue('third', { redis });
  t.ok((await queue.enqueue('work')).id);
  await queue.purge('queued');
}); // prettier-ignore

distributed('no master by that name, or no sentinel: that is what is said', servers, async (t, ground) => {
  const of = (redis: string) =>
    ground.queue('none', { redis, callTimeout: 500 }).counts().then(String, (e: Error) => e.message); // prettier-ignore
  t.match(await of(servers.url.replace('mymaster', 'other')), /no sentinel knows a master of this name/); // prettier-ignore
  t.match(await of('redis+sentinel://127.0.0.1:1/mymaster'), /no sentinel can be asked.*ECONNREFUSED/); // prettier-ignore
}); // prettier-ignore
