/** Retry revives a flow: what failed only because of a step has its turn when the step succeeds, once, with all results. */
import assert from 'node:assert/strict';
import t from 'tap';
import { chain, chord, currentJob, group, Queue, step, type Flow } from '../../src/index.ts';
import { revive } from '../../src/flow/revive.ts';
import { seeded } from '../helpers/seeded.ts';
import { violations } from '../helpers/invariants.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);
t.jobs = 2;

/** A function that fails while its number is in `broken`; its result tells what it was given. */
function patient() {
  const broken = new Set<number>();
  const succeeded: string[] = [];
  const work = (...args: unknown[]) => {
    const n = args.pop() as number;
    if (broken.has(n)) throw new TypeError(`step ${n} is broken`);
    succeeded.push(currentJob().id);
    return [n, ...args];
  };
  return { broken, succeeded, work };
}

const at = (n: number, queue?: string) =>
  step('work', [n], { retries: 0, ...(queue && { queue }) });

/** What the flow gives when nothing fails. */
function resultOf(flow: Flow, ...input: unknown[]): unknown {
  if (flow.kind === 'step') return [flow.args[0], ...input];
  if (flow.kind === 'group') return flow.members.map((member) => resultOf(member, ...input));
  return flow.steps.reduce<unknown[]>((before, each) => [resultOf(each, ...before)], input)[0];
}

/** The one retried before may still be on its way to fail for this one. */
const unlessBusy = ({ code }: { code?: string }) => assert.equal(code, 'FLOW_BUSY');

const ended = async (stage: Stage, queue: Queue, ...more: Queue[]) =>
  until(async () => {
    const all = await Promise.all([queue, ...more].map((each) => each.counts()));
    const moving = all.some(
      (each) => each.active + each.queued + each.scheduled + each.waiting > 0,
    );
    const post = await stage.redis.client.llen(stage.store().keys.outbox);
    return !moving && post === 0;
  });

scene('a chain goes on from the step that failed; the answer and the flow say so', async (t, stage) => {
  const { broken, succeeded, work } = patient();
  const queue = stage.queue();
  stage.worker({ work });
  broken.add(1);
  const last = await queue.enqueue(chain(at(0), at(1), at(2), at(3)));
  const failed = last.id.replace(/\d+$/, '1');
  await t.rejects(last.result({ timeout: '10s' }), { code: 'JOB_FAILED' });
  t.match((await last.flow())!.steps, [{ state: 'completed' }, { state: 'failed' }, { state: 'failed', failedStep: failed }, { state: 'failed', failedStep: failed }]);
  t.equal(await queue.retry(last.id), false, 'it never had its turn');
  broken.clear();
  await queue.pause();
  t.same(await queue.retry(failed), { revived: 2, forgotten: false });
  t.same((await last.flow())!.steps.map(({ state }) => state), ['completed', 'queued', 'waiting', 'waiting']);
  t.equal(await queue.retry(failed), false, 'sent again it finds it queued');
  await queue.resume();
  t.same(await last.result({ timeout: '10s' }), [3, [2, [1, [0]]]]);
  t.equal(succeeded.length, 4, 'what was done was not done again');
}); // prettier-ignore

scene('a chord is called once, with all results, however many of its members were retried', async (t, stage) => {
  const { broken, succeeded, work } = patient();
  const queue = stage.queue();
  const far = new Queue(`${stage.name}-far`, { redis: stage.redis.url });
  stage.onEnd(() => far.close());
  stage.worker({ work });
  stage.worker({ work }, { queue: far.name });
  const flow = chain(at(0), group([at(1), at(2, far.name), chain(at(3), group([at(4), group([]), at(5, far.name)])), at(6)]), at(7, far.name), at(8));
  for (const failing of [[1], [2], [5], [4, 6], [1, 2, 3, 6], [0], [7], [8]]) {
    succeeded.length = 0;
    for (const n of failing) broken.add(n);
    const last = await queue.enqueue(flow);
    await t.rejects(last.result({ timeout: '10s' }));
    await ended(stage, queue, far);
    broken.clear();
    for (let rounds = 0; (await last.state()) === 'failed'; rounds++) {
      if (rounds > 5) throw new Error(`no end: ${JSON.stringify(await last.flow())}`);
      await queue.retryAll();
      await far.retryAll();
      await ended(stage, queue, far);
    }
    t.same(await last.result({ timeout: '10s' }), resultOf(flow), failing.join());
    t.equal(new Set(succeeded).size, 9, 'every step');
    t.equal(succeeded.length, 9, 'once');
    t.same(await violations(stage.redis.client, stage.name, 'minq', [far.name]), []);
  }
}, { beside: true }); // prettier-ignore

scene('flows of any shape, on two queues, with failures anywhere, come to the end they would have had', async (t, stage) => {
  const queue = stage.queue();
  const far = new Queue(`${stage.name}-far`, { redis: stage.redis.url });
  stage.onEnd(() => far.close());
  const { broken, succeeded, work } = patient();
  stage.worker({ work }, { concurrency: 10 });
  stage.worker({ work }, { queue: far.name, concurrency: 10 });
  for (let seed = 1; seed <= 40; seed++) {
    const below = seeded(seed);
    let steps = 0;
    const grow = (depth: number): Flow => {
      const kind = depth === 0 ? 0 : below(4);
      const parts = () => Array.from({ length: 1 + below(3) }, () => grow(depth - 1));
      if (kind === 2) return chain(...parts());
      if (kind === 3) return group(below(8) === 0 ? [] : parts());
      return at(steps++, below(3) === 0 ? far.name : undefined);
    };
    const flow = chain(grow(3), grow(3), at(steps++));
    broken.clear();
    succeeded.length = 0;
    for (let n = 0; n < steps; n++) if (below(4) === 0) broken.add(n);
    const last = await queue.enqueue(flow);
    await ended(stage, queue, far);
    for (let rounds = 0; (await last.state()) !== 'completed'; rounds++) {
      if (rounds > 3 * steps) throw new Error(`seed ${seed}: no end`);
      for (const n of broken) if (below(2) === 0) broken.delete(n);
      const some = below(2) === 0 ? queue : far;
      if (below(2) === 0) await some.retryAll();
      else for (const { id } of await some.jobs('failed')) await some.retry(id).catch(unlessBusy);
      await ended(stage, queue, far);
    }
    t.same(await last.result(), resultOf(flow), `seed ${seed}`);
    if (succeeded.length !== steps || new Set(succeeded).size !== steps) t.fail(`seed ${seed}: ${succeeded.join()}`);
    const wrong = await violations(stage.redis.client, stage.name, 'minq', [far.name]);
    if (wrong.length > 0) t.same(wrong, [], `seed ${seed}`);
  }
  const { joins, flowing, building } = stage.store().keys;
  t.equal(await stage.redis.client.exists(joins, flowing, building), 0);
}, { beside: true }); // prettier-ignore

scene('where a result is kept no more nothing is revived, and the answer says so', async (t, stage) => {
  const { broken, work } = patient();
  const queue = stage.queue();
  stage.worker({ work });
  broken.add(1);
  const flow = chord([step('work', [0], { resultTtl: 0 }), at(1)], at(2));
  const last = await queue.enqueue(flow);
  await t.rejects(last.result({ timeout: '10s' }));
  await ended(stage, queue);
  broken.clear();
  t.same(await queue.retry(last.id.replace(/\d+$/, '1')), { revived: 0, forgotten: true });
  await ended(stage, queue);
  t.same((await last.flow())!.steps.map(({ state }) => state), ['unknown', 'completed', 'failed']);
}); // prettier-ignore

scene('thousands of steps come back, in calls of a thousand', async (t, stage) => {
  const { broken, work } = patient();
  const queue = stage.queue();
  stage.worker({ work }, { concurrency: 100 });
  broken.add(0);
  const flow = chain(at(0), group(Array.from({ length: 2_500 }, (_, i) => at(i + 1))), at(9_000));
  const last = await queue.enqueue(flow);
  await t.rejects(last.result({ timeout: '30s' }));
  broken.clear();
  t.same(await queue.retry(last.id.replace(/\d+$/, '0')), { revived: 2_501, forgotten: false });
  t.same(await last.result({ timeout: '60s' }), resultOf(flow));
}, { beside: true }); // prettier-ignore

scene('who dies between the calls leaves a flow that fails as before', async (t, stage) => {
  const { broken, work } = patient();
  const { client } = stage.redis;
  const queue = stage.queue();
  const worker = stage.worker({ work });
  broken.add(0);
  const last = await queue.enqueue(chain(at(0), group([at(1), at(2)]), at(3)));
  await t.rejects(last.result({ timeout: '10s' }));
  await ended(stage, queue);
  const first = last.id.replace(/\d+$/, '0');
  const { revived, marks } = await revive(stage.store(), last.id.replace(/\.\d+$/, ''), [first]);
  t.equal(revived, 3);
  await t.rejects(queue.retry(first), { code: 'FLOW_BUSY' }, 'somebody else is at it');
  // A minute later; whoever starts a worker prunes.
  const { building } = stage.store().keys;
  for (const mark of await client.zrange(building, '0', '-1')) await client.zadd(building, 1, mark);
  await worker.stop();
  stage.worker({ work });
  await until(async () => (await last.state()) === 'failed');
  t.same(await stage.store().retry([...marks.values()]), ['given up'], 'too late');
  t.equal(await client.exists(building, stage.store().keys.joins), 0);
  broken.clear();
  t.same(await queue.retry(first), { revived: 3, forgotten: false });
  t.same(await last.result({ timeout: '10s' }), [3, [[1, [0]], [2, [0]]]]);
}); // prettier-ignore

scene('while the failure is on its way to a queue without a courier, a retry says so', async (t, stage) => {
  const { broken, work } = patient();
  const queue = stage.queue();
  const worker = stage.worker({ work });
  broken.add(0);
  const { client } = stage.redis;
  const far = stage.store().on(`${stage.name}-far`);
  const last = await queue.enqueue(chain(at(0), at(1, far.queue), at(2)));
  // Somebody broke a key over there: what is told it stays in the outbox.
  await client.rename(far.keys.waiting, `${far.keys.waiting}:away`);
  await client.set(far.keys.waiting, 'broken');
  await until(async () => (await client.llen(stage.store().keys.outbox)) === 1 && (await queue.counts()).failed === 1);
  await worker.stop();
  await client.rename(`${far.keys.waiting}:away`, far.keys.waiting);
  const first = last.id.replace(/\d+$/, '0');
  await t.rejects(queue.retry(first), { code: 'FLOW_BUSY', message: /on its way/ });
  t.equal(await queue.retryAll(), 0, 'all that fail for the moment are left');
  stage.worker({ work });
  stage.worker({ work }, { queue: far.queue });
  await t.rejects(last.result({ timeout: '10s' }));
  broken.clear();
  t.equal(await queue.retryAll(), 1);
  t.same(await last.result({ timeout: '10s' }), [2, [1, [0]]]);
}, { beside: true }); // prettier-ignore

scene('a step cancelled before its turn lacks its argument: it is not retried, and revives nothing', async (t, stage) => {
  const { work } = patient();
  const queue = stage.queue();
  const last = await queue.enqueue(chain(at(0), at(1), at(2)));
  const early = last.id.replace(/\d+$/, '1');
  await queue.job(early).cancel();
  const before = (await last.flow())!.steps;
  t.match(before, [{ state: 'queued' }, { state: 'cancelled', early: true }, { state: 'failed', failedStep: early }]);
  t.equal(await queue.retry(early), false);
  t.same((await last.flow())!.steps, before);
  t.equal(await stage.redis.client.exists(stage.store().keys.building), 0);
  stage.worker({ work });
  await ended(stage, queue);
}); // prettier-ignore
