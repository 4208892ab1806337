/** A message lost and the connection reset at the worst moment: each thing happens once all the same. */
import t from 'tap';
import { asleep } from '../helpers/asleep.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { gate } from '../helpers/gate.ts';
import type { Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const jobs = {
  echo: (text: string) => text,
  fails: () => {
    throw new Error('on purpose');
  },
};

const failedTurns = ({ log }: Stage): number =>
  log.filter((line) => line.includes('turn failed, trying again')).length;

faultyScene(
  'the reply to an enqueue is lost: one job, and the caller has its handle',
  async (t, stage) => {
    const queue = stage.queue();
    const cut = stage.proxy.cut({ replyTo: 'enqueue-mark' });
    const job = await queue.enqueue('echo', ['enqueue-mark']);
    await cut;
    t.notOk(job.duplicate);
    t.equal((await queue.counts()).queued, 1);
    t.equal((await queue.stats()).enqueued, 1);
  },
);

faultyScene('an enqueue is lost on its way: one job all the same', async (t, stage) => {
  const queue = stage.queue();
  const cut = stage.proxy.cut({ request: 'enqueue-mark' });
  const job = await queue.enqueue('echo', ['enqueue-mark'], { id: 'mine', delay: '1h' });
  await cut;
  t.notOk(job.duplicate);
  t.equal((await queue.counts()).scheduled, 1);
  t.equal((await queue.stats()).enqueued, 1);
});

faultyScene(
  'the reply to an enqueue with an id is lost: its own repetition is no duplicate',
  async (t, stage) => {
    const queue = stage.queue();
    const cut = stage.proxy.cut({ replyTo: 'enqueue-mark' });
    const job = await queue.enqueue('echo', ['enqueue-mark'], { id: 'mine' });
    await cut;
    t.notOk(job.duplicate, 'it is the same call');
    t.ok(
      (await queue.enqueue('echo', ['enqueue-mark'], { id: 'mine' })).duplicate,
      'this is another',
    );
    t.equal((await queue.counts()).queued, 1);
  },
);

faultyScene(
  'the reply to a claim is lost: the same turn gets the same tickets at once',
  async (t, stage) => {
    const lease = 10_000;
    stage.worker(jobs, { lease, concurrency: 5 });
    const queue = stage.queue();
    await until(async () => (await queue.workers()).length === 1);
    const cut = stage.proxy.cut({ reply: 'claim-mark' });
    const started = performance.now();
    const handles = await Promise.all(
      Array.from({ length: 3 }, (_, i) => queue.enqueue('echo', [`claim-mark ${i}`])),
    );
    await cut;
    for (const [i, job] of handles.entries()) {
      t.equal(await job.result({ timeout: lease }), `claim-mark ${i}`);
      t.equal((await job.info()).attempt, 1, 'no attempt was charged');
    }
    t.ok(performance.now() - started < lease / 2, 'long before the lease would have ended');
    const stats = await queue.stats();
    t.equal(stats.completed, 3);
    t.equal(stats.recovered, 0);
  },
);

faultyScene(
  'a turn that got no answer in time is sent again as what it was: what it claimed runs at once',
  async (t, stage) => {
    const first = gate();
    stage.worker({ ...jobs, hold: first.pass }, { concurrency: 1, lease: '1h', callTimeout: 500 });
    const queue = stage.queue({ redis: stage.redis.url });
    await queue.enqueue('hold');
    const next = await queue.enqueue('echo', ['next']);
    await until(() => first.running === 1);
    const before = failedTurns(stage); // on a busy machine there may be one
    stage.proxy.swallow = ['replies'];
    first.open(); // settled and the next one claimed in one turn, which nobody answers
    await until(() => failedTurns(stage) > before);
    t.equal(await next.state(), 'active');
    stage.proxy.swallow = [];
    t.equal(await next.result({ timeout: '15s' }), 'next', 'long before its lease ends');
    t.match(await queue.stats(), { completed: 2, refused: 0, recovered: 0 });
  },
);

faultyScene(
  'a worker is stopped while its claim got no answer: it asks again, and gives back what that took',
  async (t, stage) => {
    const queue = stage.queue({ redis: stage.redis.url });
    const job = await queue.enqueue('echo', ['due'], { delay: '5s' });
    const { wake, scheduled } = stage.store().keys;
    await stage.redis.client.del(wake); // asleep it is to be, until the job is due
    const worker = stage.worker(jobs, { lease: '1h', callTimeout: 500 });
    await until(() => asleep(stage));
    // What it asks when it starts is answered: else the silence would end its connection before the claim.
    let asked = '';
    const calls = async () =>
      /cmdstat_evalsha:calls=\d+/.exec(await stage.redis.client.info('commandstats'))?.[0] ?? '';
    await until(async () => asked === (asked = await calls()), { everyMs: 300 });
    await stage.redis.client.zadd(scheduled, 'XX', 1, `${job.id}:1:1`); // due when it wakes, to the millisecond
    const before = failedTurns(stage); // on a busy machine there may be one
    stage.proxy.swallow = ['replies'];
    await until(async () => (await job.state()) === 'active');
    await until(() => failedTurns(stage) > before); // claimed, and nobody has heard
    const stopped = worker.stop({ timeout: '10s' });
    stage.proxy.swallow = [];
    await stopped;
    t.match(await job.info(), { state: 'queued', attempt: 1 });
  },
);

faultyScene(
  'the wake-up token is lost on its way to the worker: it looks at once, not after its sleep',
  async (t, stage) => {
    stage.worker(jobs, { lease: '1h' }); // it would sleep for 12 s
    const queue = stage.queue({ redis: stage.redis.url });
    await until(() => asleep(stage));
    const cut = stage.proxy.cut({ reply: ':wake' });
    const job = await queue.enqueue('echo', ['awake']);
    await cut;
    t.equal(await job.result({ timeout: '8s' }), 'awake');
  },
);

for (const [how, cut] of [
  ['the reply to a settle is lost', { replyTo: '"state":"completed"' }],
  ['a settle is lost on its way', { request: '"state":"completed"' }],
] as const) {
  faultyScene(`${how}: settled once, and nothing is said of a lost lease`, async (t, stage) => {
    stage.worker(jobs, { lease: 10_000 });
    const queue = stage.queue();
    const over = stage.proxy.cut(cut);
    const job = await queue.enqueue('echo', ['settle']);
    await over;
    t.equal(await job.result({ timeout: '10s' }), 'settle');
    await queue.enqueue('echo', ['next']).then((next) => next.result({ timeout: '10s' }));
    const stats = await queue.stats();
    t.equal(stats.completed, 2);
    t.equal(stats.refused, 0);
    t.same(
      stage.log.filter((line) => /refused|vanished/.test(line)),
      [],
    );
  });
}

faultyScene('the reply to a retry is lost: one attempt is used up, not two', async (t, stage) => {
  stage.worker(jobs, { lease: 10_000 });
  const queue = stage.queue();
  const over = stage.proxy.cut({ replyTo: 'on purpose' });
  const job = await queue.enqueue('fails', [], { retries: 1, backoff: 50 });
  await over;
  await t.rejects(job.result({ timeout: '10s' }), { code: 'JOB_FAILED' });
  t.equal((await job.info()).attempt, 2);
  t.equal((await queue.stats()).retried, 1);
});

faultyScene(
  'resets all the time: 300 jobs run, each is settled once, no call fails',
  async (t, stage) => {
    const runs = new Map<string, number>();
    const counted = {
      count: (name: string) => void runs.set(name, (runs.get(name) ?? 0) + 1),
    };
    // Resets are not outages: the deadline must allow for a few in a row.
    stage.worker(counted, { lease: 5_000, callTimeout: '10s' });
    const queue = stage.queue({ callTimeout: '10s' });
    let enqueued = false;
    const storm = (async () => {
      for (let i = 0; !enqueued; i++) {
        stage.proxy.latencyMs = i % 7; // so that there are always messages under way to be lost
        stage.proxy.reset();
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    const handles = [];
    for (let i = 0; i < 300; i++) handles.push(await queue.enqueue('count', [`n${i}`]));
    enqueued = true;
    await storm;
    await Promise.all(handles.map((job) => job.result({ timeout: '20s' })));
    t.equal(runs.size, 300, 'none is lost');
    t.equal((await queue.stats()).completed, 300);
    t.equal((await queue.counts()).completed, 300);
  },
);
