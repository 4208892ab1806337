/** An idle worker: what it costs, how fast it wakes, and that one token wakes one worker. */
import { asleep } from '../helpers/asleep.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { stateOf } from '../helpers/state.ts';
import { until } from '../helpers/until.ts';

const add = (a: number, b: number) => a + b;

scene(
  'an idle worker sends at most 9 commands in 30 s, and wakes within milliseconds',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({ add });
    t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
    await until(() => asleep(stage));
    // The window the promise speaks of. The queue object of this test waits for nothing, and sends nothing.
    const sent = await commandsDuring(
      stage.redis,
      () => new Promise((resolve) => setTimeout(resolve, 30_000)),
    );
    t.comment(
      `an idle worker in 30 s: ${sent.length} commands: ${sent.map(([name]) => name).join(', ')}`,
    );
    t.ok(sent.length <= 9, `${sent.length} commands`);
    t.ok(sent.length >= 3, 'it is alive');

    const delays: number[] = [];
    for (let i = 0; i < 50; i++) {
      await until(() => asleep(stage));
      const at = performance.now();
      await (await queue.enqueue('add', [i, i])).result({ timeout: '10s' });
      delays.push(performance.now() - at);
    }
    delays.sort((a, b) => a - b);
    const median = delays[25]!;
    t.comment(
      `enqueue to result while idle: median ${median.toFixed(2)} ms, most ${delays[49]!.toFixed(2)} ms`,
    );
    t.ok(median < 100, `median ${median.toFixed(2)} ms`);
  },
);

scene('one token wakes one worker of three', async (t, stage) => {
  const queue = stage.queue();
  const workers = [1, 2, 3].map(() => stage.worker({ add }));
  await until(() => asleep(stage, 3));
  for (let i = 0; i < 10; i++) {
    await until(() => asleep(stage, 3));
    const sent = await commandsDuring(stage.redis, async () => {
      await queue.enqueue('add', [i, 1]);
      await until(async () => (await queue.counts()).completed === i + 1);
      await until(() => asleep(stage, 3));
    });
    // Each worker that wakes blocks again; heartbeats and the like don't.
    const woken = sent.filter(([name]) => name === 'blpop').length;
    t.equal(woken, 1, `job ${i} woke ${woken}`);
  }
  for (const worker of workers) await worker.stop();
});

scene(
  'many jobs wake many workers, by handing the token on; there is never a second',
  async (t, stage) => {
    const queue = stage.queue();
    const busy = new Set<string>();
    const tokens: number[] = [];
    const wake = stage.store().keys.wake;
    for (const name of ['a', 'b', 'c']) {
      stage.worker(
        {
          nap: async () => {
            busy.add(name);
            tokens.push(await stage.redis.client.llen(wake));
            await new Promise((resolve) => setTimeout(resolve, 5));
          },
        },
        { concurrency: 1 },
      );
    }
    await until(() => asleep(stage, 3));
    await queue.enqueueMany(Array.from({ length: 60 }, () => ({ fn: 'nap' })));
    await until(async () => (await queue.counts()).completed === 60);
    t.same([...busy].sort(), ['a', 'b', 'c']);
    t.ok(Math.max(...tokens) <= 1);
  },
);

scene(
  'a delayed job runs when it is due, and an earlier one wakes the sleeper',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({ add });
    await until(() => asleep(stage));
    const later = await queue.enqueue('add', [1, 1], { delay: '1h' });
    await until(() => asleep(stage));
    const at = performance.now();
    const sooner = await queue.enqueue('add', [2, 2], { delay: 300 });
    t.equal(await sooner.result({ timeout: '10s' }), 4);
    const took = performance.now() - at;
    t.comment(`a job due in 300 ms ended after ${took.toFixed(0)} ms`);
    t.ok(took >= 295 && took < 3_000, `${took.toFixed(0)} ms`);
    t.equal(await later.state(), 'scheduled');
    t.equal(await later.cancel(), true);
  },
);

scene('jobs due one after the other run one after the other', async (t, stage) => {
  const ran: number[] = [];
  const queue = stage.queue();
  stage.worker({ note: (i: number) => void ran.push(i) });
  await Promise.all([400, 100, 300, 200].map((delay) => queue.enqueue('note', [delay], { delay })));
  await until(() => ran.length === 4);
  t.same(ran, [100, 200, 300, 400]);
});

scene(
  'a token that was lost delays a job, no more: the worker looks once in a lease',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({ add }, { lease: 500 });
    await until(() => asleep(stage));
    const { keys } = stage.store();
    await stage.redis.client
      .multi()
      .hset(keys.jobs, 'quiet', `${Date.now()}{"fn":"add","args":[1,2]}`)
      .rpush(keys.queued, 'quiet:1:1')
      .exec();
    t.notOk((await stateOf(stage.redis.client, stage.name))['wake']);
    t.equal(await queue.job('quiet').result({ timeout: '10s' }), 3);
  },
);

scene('a worker whose connections are cut is back by itself', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ add });
  for (let i = 0; i < 5; i++) {
    await until(() => asleep(stage));
    await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await stage.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    t.equal(await (await queue.enqueue('add', [i, 1])).result({ timeout: '20s' }), i + 1);
  }
});
