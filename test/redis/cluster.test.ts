/** minq on a Redis Cluster of three masters with a replica each. */
import { Cluster } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import t from 'tap';
import { chord, RedisUnavailableError, step } from '../../src/index.ts';
import { dashboard } from '../../src/dashboard/index.ts';
import { JOBS, minq } from '../helpers/cli.ts';
import { startCluster } from '../helpers/cluster.ts';
import { distributed } from '../helpers/distributed.ts';
import { produce } from '../helpers/load.ts';
import { serve } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(90_000);

const cluster = await startCluster();
t.teardown(() => cluster.stop());
/** One for all tests of the file. */
const shared = async () => ({ ...cluster, stop: async () => {} });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const jobs = {
  add: (a: number, b: number) => a + b,
  sum: (all: number[]) => all.reduce((a, b) => a + b, 0),
  fails: () => {
    throw new Error('no');
  },
  hold: () => new Promise(() => {}),
};

distributed(
  'all of it works: jobs, results, retries, cancel, cron, operators',
  shared,
  async (t, stage) => {
    const name = await cluster.queueOn(0, 'all');
    const queue = stage.queue(name);
    stage.worker(name, jobs, { lease: '5s' });
    t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
    const many = await queue.enqueueMany(
      Array.from({ length: 50 }, (_, i) => ({ fn: 'add', args: [i, 1], delay: i })),
    );
    const handles = many.map((one) => (one.status === 'fulfilled' ? one.value : t.fail('refused')));
    const results = await Promise.all(handles.map((job: any) => job.result({ timeout: '10s' })));
    t.same(
      results,
      Array.from({ length: 50 }, (_, i) => i + 1),
    );

    const failing = await queue.enqueue('fails', [], { retries: 1, backoff: 10 });
    await t.rejects(failing.result({ timeout: '10s' }), { code: 'JOB_FAILED' });
    t.ok(await queue.retry(failing.id));
    await t.rejects(failing.result({ timeout: '10s' }), { code: 'JOB_FAILED' });

    const held = await queue.enqueue('hold');
    await until(async () => (await held.state()) === 'active');
    t.ok(await held.cancel(), 'heard by publish, whichever node the worker listens at');
    await t.rejects(held.result({ timeout: '10s' }), { code: 'JOB_CANCELLED' });

    await queue.schedule('soon', { every: '1s', fn: 'add', args: [1, 1] });
    await until(async () => (await queue.schedules())[0]?.lastState === 'completed');
    t.ok(await queue.unschedule('soon'));
    await queue.pause();
    await queue.enqueue('add', [1, 1]);
    t.equal((await queue.counts()).queued, 1);
    t.equal(await queue.purge('queued'), 1);
    await queue.resume();
    t.equal((await queue.workers()).length, 1);
    t.ok((await queue.queues()).includes(name), 'the list of queues has a slot of its own');
    t.same(stage.log.filter((line) => /^(warn|error)/.test(line) && !/fails/.test(line)), []); // prettier-ignore
  },
);

distributed('a flow over queues of all three masters', shared, async (t, stage) => {
  const names = await Promise.all([0, 1, 2].map((master) => cluster.queueOn(master, 'flow')));
  const homes = await Promise.all(names.map((name) => cluster.masterOf(name)));
  t.equal(new Set(homes).size, 3, 'each queue has a master of its own');
  for (const name of names) stage.worker(name, jobs);
  const queue = stage.queue(names[0]!);
  const members = names.flatMap((name) => [1, 2].map((n) => step('add', [n, 10], { queue: name })));
  const job = await queue.enqueue(chord(members, step('sum', [], { queue: names[2]! })));
  t.equal(await job.result({ timeout: '20s' }), 3 * (11 + 12));
});

for (const [version, OwnCluster] of Object.entries({ 5: Cluster5, 6: Cluster })) {
  distributed(
    `a Cluster of the user's ioredis ${version}, whatever it is set to`,
    shared,
    async (t, stage) => {
      const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
      const own = new OwnCluster(nodes, {
        enableAutoPipelining: true,
        scaleReads: 'slave',
        enableOfflineQueue: false,
      });
      own.on('error', () => {});
      await until(() => own.status === 'ready');
      stage.onEnd(async () => own.disconnect());
      const name = await cluster.queueOn(1, `own${version}`);
      const queue = stage.queue(name, { redis: own });
      stage.worker(name, jobs, { redis: own });
      for (let i = 0; i < 5; i++) {
        t.equal(await (await queue.enqueue('add', [i, 1])).result({ timeout: '5s' }), i + 1);
      }
      t.equal((await queue.workers()).length, 1, 'read from the master: it is there at once');
      t.equal(own.status, 'ready', 'never closed by minq');
    },
  );
}

distributed('the command line and the dashboard, by MINQ_REDIS_URL', shared, async (t, stage) => {
  const name = await cluster.queueOn(2, 'cli');
  const queue = stage.queue(name);
  const redis = cluster.url;
  const worker = minq(t, ['worker', JOBS, '--queue', name], { redis });
  await worker.says(/worker started/);
  const enqueued = await minq(t, ['enqueue', 'add', '[2,3]', '--queue', name, '--wait'], { redis }).ended; // prettier-ignore
  t.match(enqueued, { code: 0, stdout: /5/ });
  for (const args of [['jobs', 'completed', '--queue', name], ['stats'], ['workers'], ['cron', '--queue', name]]) {
    const { code, stderr } = await minq(t, args, { redis }).ended;
    t.same([code, stderr], [0, ''], args.join(' '));
  } // prettier-ignore
  const checked = await minq(t, ['check', '--queue', name, '--json'], { redis }).ended;
  const { findings } = JSON.parse(checked.stdout) as { findings: { check: string; ok: boolean }[] };
  t.same(
    findings.filter(({ ok }) => !ok).map(({ check }) => check),
    ['persistence'],
    'as it is: nothing is saved there',
  );

  const handler = dashboard({ redis });
  stage.onEnd(() => handler.close());
  const site = await serve(stage, (req, res) => void handler(req, res));
  const { json } = await site.get('api/queues');
  t.ok((json.queues as { name: string }[]).some((one) => one.name === name));
  t.equal((await worker.end()).code, 0);
  t.equal((await queue.counts()).completed, 1);
});

distributed(
  'a slot moves under load: none is lost, the other queue does not notice',
  shared,
  async (t, stage) => {
    const [moving, other] = await Promise.all([0, 1].map((m) => cluster.queueOn(m, 'move')));
    const work = { work: () => sleep(5) };
    const made = [moving!, other!].map((name) => {
      const queue = stage.queue(name);
      stage.worker(name, work, { lease: '10s' });
      return { queue, load: produce(queue, 'work', `${name}-`) };
    });
    const [here, there] = made as [(typeof made)[0], (typeof made)[0]];
    await until(() => here.load.accepted.length > 50 && there.load.accepted.length > 50);
    const home = await cluster.masterOf(moving!);
    const endMove = await cluster.beginMove(moving!);
    const during = there.load.accepted.length;
    await until(() => there.load.accepted.length > during + 100, {
      what: 'the other queue goes on',
    });
    await sleep(500); // longer than any call of ours: what waits, waits for the move
    const before = here.load.accepted.length;
    const movedAt = performance.now();
    await endMove();
    await until(() => here.load.accepted.length > before, { what: 'enqueue recovers' });
    const recovered = here.load.accepted[before]!.at - movedAt;
    await until(() => here.load.accepted.length > before + 100);
    await Promise.all(made.map(({ load }) => load.stop()));
    t.comment(`enqueue recovered ${Math.round(recovered)} ms after the move`);
    t.ok(recovered < 2_000, `within 2 s: ${Math.round(recovered)} ms`);
    t.not(await cluster.masterOf(moving!), home, 'it has moved');
    for (const { queue, load } of made) {
      t.same(load.refused, [], 'no call failed');
      await until(async () => (await queue.counts()).completed === load.accepted.length);
      t.equal((await queue.stats()).recovered, 0, 'no lease was lost');
    }
  },
);

distributed('a slot that stays on the move: the call ends at its deadline, and says why', shared, async (t, stage) => {
  const name = await cluster.queueOn(2, 'stuck');
  const queue = stage.queue(name, { callTimeout: 700 });
  await queue.enqueue('work', [], { id: 'first' });
  const endMove = await cluster.beginMove(name);
  t.teardown(endMove);
  const error = await queue.enqueue('work', [], { id: 'second' }).then(
    () => t.fail('it should have been refused'),
    (error: unknown) => error,
  );
  t.type(error, RedisUnavailableError);
  await endMove();
  await until(() => queue.counts().catch(() => undefined));
  const { id, maybeEnqueued } = error as RedisUnavailableError;
  t.equal(id, 'second');
  if (!maybeEnqueued) t.equal((await queue.counts()).queued, 1);
  await queue.enqueue('work', [], { id: 'second', unique: 'kept' });
  t.equal((await queue.counts()).queued, 2, 'the same id again makes one job');
}); // prettier-ignore

distributed('a master is killed: its replica takes over, the other queue does not notice', shared, async (t, stage) => {
  const [dying, other] = await Promise.all([0, 1].map((m) => cluster.queueOn(m, 'kill')));
  const work = { work: () => sleep(5) };
  const made = [dying!, other!].map((name) => {
    const queue = stage.queue(name, { callTimeout: '10s' });
    stage.worker(name, work, { lease: 2_000, callTimeout: 1_000 });
    return { queue, load: produce(queue, 'work', `${name}-`) };
  });
  const [here, there] = made as [(typeof made)[0], (typeof made)[0]];
  await until(() => here.load.accepted.length > 100);
  const master = await cluster.masterOf(dying!);
  t.not(master, await cluster.masterOf(other!), 'they live on different masters');
  const hasty = stage.queue(dying!, { callTimeout: 1_700 });
  await hasty.counts();
  master.signal('SIGSTOP');
  const cutOff = hasty.enqueue('work', [], { id: 'cut-off' }).then(String, (error: Error) => error);
  await master.kill();
  const killedAt = performance.now();
  const [mine, theirs] = [here.load.accepted.length, there.load.accepted.length];
  await until(() => there.load.accepted.length > theirs + 50, { what: 'the other queue goes on' });
  await until(() => here.load.accepted.length > mine + 100, { what: 'work resumes' });
  const gap = here.load.accepted.find(({ at }) => at > killedAt)!.at - killedAt;
  await Promise.all(made.map(({ load }) => load.stop()));
  t.match(await cutOff, { code: 'REDIS_UNAVAILABLE', maybeEnqueued: true }, 'it had been sent');
  t.comment(`accepted again after ${Math.round(gap)} ms, of which the election takes at least 1000`);
  t.not(await cluster.masterOf(dying!), master, 'the replica has taken over');
  t.same(there.load.refused, [], 'no call for the other queue failed');

  // Replication doesn't wait: what the dead master had accepted last is gone. It is counted, not hidden.
  const fresh = stage.queue(dying!);
  await until(async () => (await here.load.fate(fresh)).unfinished === 0);
  const { gone } = await here.load.fate(fresh);
  const times = here.load.accepted.filter(({ id }) => gone.includes(id)).map(({ at }) => at - killedAt);
  t.comment(`${gone.length} of ${here.load.accepted.length} accepted jobs went with the master`);
  t.ok(times.every((at) => at > -1_000 && at < 0), 'those accepted right before its end');
  t.notOk(stage.log.some((line) => /run rejected/.test(line)), 'no worker gave up');
  await until(async () => (await there.queue.counts()).completed === there.load.accepted.length);
  await master.restart();
  await cluster.healthy();
}); // prettier-ignore
