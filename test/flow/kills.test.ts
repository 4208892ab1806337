/**
 * Flows while workers are killed: the callback of a chord can't be lost, can't come twice, early, or with a gap. (More
 * of it: `kills.long.test.ts`.)
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import t from 'tap';
import { chain, group, Queue, step } from '../../src/index.ts';
import { TYPESCRIPT, workerProcesses } from '../helpers/processes.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';
import { killedChords } from './chords.ts';

t.setTimeout(120_000);
t.jobs = 2;

killedChords(2);

scene('a chain whose worker is killed at every step goes on where it was', async (t, stage) => {
  const processes = workerProcesses(stage);
  const queue = stage.queue();
  const options = { redis: stage.redis.url, queue: stage.name, lease: 400, concurrency: 1 };
  let worker = await processes.start(options);
  const steps = Array.from({ length: 3 }, () => step('held', [300], { retries: 20 }));
  const last = await queue.enqueue(chain(step('held', [0, 300], { retries: 20 }), ...steps)); // prettier-ignore
  for (let n = 0; n < 3; n++) {
    const id = last.id.replace(/\d+$/, String(n));
    await until(() => processes.entries().some((e) => e.what === 'start' && e.id === id));
    worker.signal('SIGKILL');
    worker = await processes.start(options);
  }
  t.equal(await last.result({ timeout: '60s' }), 4, 'each step added one, however often it ran');
  t.same(
    (await last.flow())!.steps.map(({ state }) => state),
    Array(4).fill('completed'),
  );
  await worker.stop(1_000);
}, { beside: true }); // prettier-ignore

scene('a chord is retried while its workers, and whoever retries it, are killed: its callback comes once', async (t, stage) => {
  const processes = workerProcesses(stage);
  const queue = stage.queue();
  const options = { redis: stage.redis.url, queue: stage.name, lease: 400, concurrency: 20 };
  const broken = await processes.start(options, { BROKEN: '1' });
  const members = Array.from({ length: 2_000 }, (_, i) => step('fiftieth', [i, i % 7], { retries: i % 50 === 0 ? 0 : 20 }));
  const last = await queue.enqueue(chain(group(members), step('callback', [], { retries: 20 })));
  await t.rejects(last.result({ timeout: '30s' }));
  await until(async () => (await queue.counts()).queued + (await queue.counts()).active === 0);
  broken.signal('SIGKILL');
  const workers = await Promise.all([processes.start(options), processes.start(options)]);
  const ids = (await queue.find('failed', { error: 'is broken', limit: 1_000 })).jobs.filter(({ failedStep }) => !failedStep).map(({ id }) => id); // prettier-ignore
  t.equal(ids.length, 40);
  // A part one by one; then somebody who is killed half-way; then the rest at once.
  for (const id of ids.slice(0, 5)) t.ok(await queue.retry(id));
  workers[0].signal('SIGKILL');
  const retrying = fork(path.resolve(import.meta.dirname, '../fixtures/faults/retrying.ts'), [stage.redis.url, stage.name, ...ids.slice(5)], { execArgv: [TYPESCRIPT] }); // prettier-ignore
  await until(() => retrying.signalCode === 'SIGKILL');
  const { building } = stage.store().keys;
  for (const mark of await stage.redis.client.zrange(building, '0', '-1')) await stage.redis.client.zadd(building, 1, mark); // prettier-ignore
  await stage.store().prune(); // as a worker does, a minute later
  workers[1].signal('SIGKILL');
  await processes.start(options);
  await queue.retryAll();
  t.same(await last.result({ timeout: '60s' }), members.map((_, i) => i));
  const runs = processes.entries().filter((e) => e.what === 'start' && e.id === last.id);
  t.equal(runs.filter(({ attempt }) => attempt === 1).length, 1);
}, { beside: true }); // prettier-ignore

scene(
  'a message to another queue that can not be delivered is kept until it can',
  async (t, stage) => {
    const { client } = stage.redis;
    const queue = stage.queue();
    const other = `${stage.name}-other`;
    const far = (n: number) => step('add', [n], { queue: other });
    const last = await queue.enqueue(chain(step('one'), group([far(10), far(20)]), step('same')));
    // Somebody broke a key of the other queue: nothing gets in there.
    const { waiting } = stage.store().on(other).keys;
    await client.rename(waiting, `${waiting}:away`);
    await client.set(waiting, 'broken');
    stage.worker({ one: () => 1, same: (value: unknown) => value });
    await until(() => stage.log.some((line) => /^error flows: .*WRONGTYPE/.test(line)));
    const post = await client.lrange(stage.store().keys.outbox, 0, -1);
    t.equal(post.filter((message) => message.startsWith('go ')).length, 2);
    await client.rename(`${waiting}:away`, waiting);
    stage.worker({ add: (a: number, b: number) => a + b }, { queue: other });
    t.same(await last.result({ timeout: '20s' }), [11, 21]);
  },
);

scene('a flow whose producer is killed between its parts is given up on every queue', async (t, stage) => {
  const { client, url } = stage.redis;
  const other = `${stage.name}-other`;
  const fixture = path.resolve(import.meta.dirname, '../fixtures/faults/dying-producer.ts');
  const producer = fork(fixture, [url, stage.name, other], { execArgv: [TYPESCRIPT] });
  await until(() => producer.signalCode === 'SIGKILL');
  const [queue, far] = [stage.queue(), new Queue(other, { redis: url })];
  stage.onEnd(() => far.close());
  t.same([(await queue.counts()).waiting, (await far.counts()).waiting], [0, 1]);
  // A minute later; whoever starts a worker prunes. The queue where it begins has none.
  const { building } = stage.store().on(other).keys;
  for (const part of await client.zrange(building, '0', '-1')) await client.zadd(building, 1, part);
  stage.worker({ second: () => t.fail('nothing of it may run') }, { queue: other });
  await until(async () => (await client.zrange(building, '0', '-1')).every((part) => /^\S+ 2$/.test(part)));
  stage.worker({ second: () => t.fail('nothing of it may run') }, { queue: other });
  await until(async () => (await far.counts()).waiting === 0);
  const [found] = (await far.findings()).filter(({ check }) => check === 'dropped-waiting');
  t.match(found, { queue: other, message: /1 waiting job dropped .* their producers went away/ });
}); // prettier-ignore
