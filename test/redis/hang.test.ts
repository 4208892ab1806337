/** Redis or the network hangs: nothing is closed, and nothing answers. */
import t from 'tap';
import { RedisUnavailableError } from '../../src/index.ts';
import { asleep } from '../helpers/asleep.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const jobs = { echo: (text: string) => text, slow: () => sleep(300) };

scene(
  'Redis hangs for 6 s: calls end at their deadline, say what was sent, and their ids can be used again',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: 1_000 });
    await queue.enqueue('echo', ['before']);
    stage.redis.signal('SIGSTOP');
    const stopped = performance.now();

    const outcome = async (what: () => Promise<unknown>) => {
      const started = performance.now();
      const error = await what().then(
        () => undefined,
        (reason: RedisUnavailableError) => reason,
      );
      return { error, ms: performance.now() - started };
    };
    const sent = await outcome(() => queue.enqueue('echo', ['sent']));
    const unsent = await outcome(() => queue.enqueue('echo', ['unsent']));
    const others = await Promise.all([
      outcome(() => queue.enqueue('echo', ['unsent, too'])),
      outcome(() => queue.counts()),
      outcome(() => queue.stats()),
      outcome(() => queue.job('x').info()),
      outcome(() => queue.job('x').result()),
    ]);
    for (const { error, ms } of [sent, unsent, ...others]) {
      t.type(error, RedisUnavailableError);
      t.ok(ms < 4_000, `at its deadline of 1 s: ${Math.round(ms)} ms`);
    }
    t.equal(sent.error?.maybeEnqueued, true, 'this one was written to the connection');
    t.equal(unsent.error?.maybeEnqueued, false, 'this one had no connection to be written to');
    t.ok(sent.error?.id);
    t.ok(unsent.error?.id);

    await sleep(6_000 - (performance.now() - stopped));
    stage.redis.signal('SIGCONT');
    for (const [text, id] of [
      ['sent', sent.error!.id!],
      ['unsent', unsent.error!.id!],
    ] as const) {
      const again = () => stage.queue().enqueue('echo', [text], { id, unique: 'kept' });
      await again();
      t.ok((await again()).duplicate);
    }
    t.equal((await queue.counts()).queued, 3, 'exactly one job each');
    stage.worker(jobs);
    for (const id of [sent.error!.id!, unsent.error!.id!]) await queue.job(id).result();
    t.equal((await queue.stats()).completed, 3);
  },
  { redis: () => startRedis() },
);

scene(
  'Redis hangs while jobs run: nothing is lost, and work resumes within 3 s',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: '10s' });
    stage.worker(jobs, { lease: 1_000, callTimeout: 1_000, concurrency: 2 });
    const handles = await Promise.all(
      Array.from({ length: 10 }, () => queue.enqueue('slow', [], { retries: 10 })),
    );
    await until(async () => (await queue.counts()).active > 0);
    stage.redis.signal('SIGSTOP');
    await sleep(3_000); // three leases, and longer than a handshake may take
    stage.redis.signal('SIGCONT');
    const back = performance.now();
    const { completed } = await queue.counts();
    await until(async () => (await queue.counts()).completed > completed);
    t.ok(performance.now() - back < 3_000);
    await Promise.all(handles.map((job) => job.result({ timeout: '20s' })));
    t.equal((await queue.stats()).completed, 10);
  },
  { redis: () => startRedis() },
);

faultyScene(
  'connections go dead without a word: an idle worker picks up what came meanwhile, unasked',
  async (t, stage) => {
    stage.worker(jobs);
    const direct = stage.queue({ redis: stage.redis.url });
    const first = await direct.enqueue('echo', ['first']);
    t.equal(await first.result({ timeout: '5s' }), 'first');
    await until(() => asleep(stage));
    const links = stage.proxy.links;
    stage.proxy.swallow = ['requests', 'replies'];
    const job = await direct.enqueue('echo', ['meanwhile']); // its wake-up token is swallowed
    await sleep(1_500); // the outage
    t.equal(await job.state(), 'queued');
    t.ok(stage.proxy.links >= links - 1, 'nothing was closed by the network');
    stage.proxy.swallow = [];
    t.equal(await job.result({ timeout: '10s' }), 'meanwhile');
    t.equal((await job.info()).attempt, 1);
  },
);

faultyScene(
  'replies go missing: a call ends at its deadline, the next one works',
  async (t, stage) => {
    const queue = stage.queue();
    await queue.enqueue('echo', ['first'], { id: 'first' }); // the script for jobs with an id is known by then
    stage.proxy.swallow = ['replies'];
    const error = await queue.enqueue('echo', ['lost'], { id: 'lost' }).then(
      () => undefined,
      (reason: RedisUnavailableError) => reason,
    );
    t.equal(error?.maybeEnqueued, true);
    stage.proxy.swallow = [];
    await until(() => queue.counts().catch(() => undefined));
    t.ok((await queue.enqueue('echo', ['lost'], { id: 'lost', unique: 'kept' })).duplicate);
    t.equal((await queue.counts()).queued, 2);
  },
);

faultyScene(
  'a connection goes dead before Redis has answered its handshake: another is made',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: '10s' });
    stage.proxy.swallow = ['replies'];
    const job = queue.enqueue('echo', ['patient']);
    const name = `name=minq:queue `;
    await until(async () => String(await stage.redis.client.client('LIST')).includes(name));
    await until(() => stage.proxy.cutOff > 0);
    stage.proxy.swallow = [];
    t.notOk((await job).duplicate, 'long before the deadline');
    t.equal((await queue.counts()).queued, 1);
  },
);

faultyScene(
  'the connection that results come by goes dead: those who wait are told all the same, and at once again later',
  async (t, stage) => {
    const queue = stage.queue({ callTimeout: '2s' });
    const waiting = (await queue.enqueue('echo', ['first'])).result();
    await until(() => stage.redis.client.exists(`minq:{${stage.name}}:waiters`));
    await queue.counts(); // so the reply to that look has come, too: it is not to be among the lost ones
    await until(() => stage.proxy.links === 2);
    // Only the subscriber says nothing while a message is pushed: its link is the one that goes dead.
    stage.proxy.swallow = ['replies'];
    const worker = stage.worker(jobs, { redis: stage.redis.url });
    const id = await stage.redis.client.publish(`${await channel()}`, 'nobody x');
    t.equal(id, 1, 'the subscriber was sent something');
    await until(() => stage.proxy.cutOff > 0);
    stage.proxy.swallow = [];
    t.equal(await waiting, 'first', 'looked up when the push did not come');

    // Twice in a row: the look that makes up for a lost push comes only every few seconds.
    const inTime = async () => {
      const job = await queue.enqueue('slow'); // or it would have ended before the first look
      return job.result({ timeout: '1s' }).then(
        () => true,
        () => false,
      );
    };
    await until(async () => (await inTime()) && (await inTime()), {
      what: 'results are pushed again',
    });
    await worker.stop();

    async function channel() {
      const channels = await stage.redis.client.pubsub(
        'CHANNELS',
        `minq:{${stage.name}}:results:*`,
      );
      return (channels as string[])[0];
    }
  },
);

faultyScene(
  'a claim that arrives when half of its lease is over is given back, not run',
  async (t, stage) => {
    let runs = 0;
    const lease = 4_000;
    stage.worker({ count: () => ++runs }, { lease, callTimeout: 4_000 });
    const queue = stage.queue({ redis: stage.redis.url });
    await until(() => asleep(stage));
    stage.proxy.latencyMs = 1_200; // each way: there and back is more than half, there and back and there less than all
    const job = await queue.enqueue('count');
    const { tickets } = stage.store().keys;
    await until(() => stage.redis.client.hexists(tickets, job.id));
    t.equal(
      await stage.redis.client.hget(tickets, job.id),
      `${job.id}:2:1`,
      'given back, uncharged',
    );
    t.equal(runs, 0);
    stage.proxy.latencyMs = 0;
    t.equal(await job.result({ timeout: '10s' }), 1);
    t.match(await queue.stats(), { completed: 1, refused: 0 });
  },
);

faultyScene('latency of 150 ms each way: slower, but no lease is lost', async (t, stage) => {
  stage.proxy.latencyMs = 150;
  // A job takes three leases; a heartbeat comes every third of one, and takes 300 ms there and back.
  const long = () => sleep(4_500);
  stage.worker({ ...jobs, long }, { callTimeout: '5s', concurrency: 3, lease: 1_500 });
  const queue = stage.queue({ callTimeout: '5s' });
  const names = ['slow', 'slow', 'long', 'slow', 'slow', 'long', 'slow', 'slow', 'long'];
  const handles = await Promise.all(names.map((name) => queue.enqueue(name)));
  for (const job of handles) await job.result({ timeout: '15s' });
  const stats = await queue.stats();
  t.equal(stats.completed, 9);
  t.equal(stats.recovered, 0);
  t.equal(stats.refused, 0);
});
