/** Flows as their users see them: results, failures, cancelling, handles, options, other queues. */
import {
  chain,
  chord,
  currentJob,
  Fail,
  group,
  JobFailedError,
  Queue,
  step,
  type Flow,
} from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { gate } from '../helpers/gate.ts';
import { violations } from '../helpers/invariants.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const jobs = {
  add: (a: number, b = 1) => a + b,
  sum: (all: number[]) => all.reduce((a, b) => a + b, 0),
  show: (...all: unknown[]) => all,
  nothing: () => undefined,
  boom: (): number => {
    throw new TypeError('no luck');
  },
  never: () => new Promise<number>(() => {}),
};

scene('what each shape gives', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs, { concurrency: 20 });
  const shapes: [what: string, flow: Flow, result: unknown][] = [
    ['one step', step('add', [1, 2]), 3],
    ['a chain', chain(step('add', [1, 2]), step('add', [10]), step('add')), 14],
    ['a group', group([step('add', [1]), step('add', [2]), step('add', [3])]), [2, 3, 4]],
    ['a chord', chord([step('add', [1]), step('add', [2])], step('sum')), 5],
    ['a group of one', group([step('add', [1])]), [2]],
    ['a group of none', group([]), []],
    ['a group of none in a chain', chain(step('add', [1]), group([]), step('show', ['x'])), [[], 'x']],
    ['a group of none first', chain(group([]), step('sum')), 0],
    ['groups of groups', group([group([step('add', [1]), group([])]), group([step('add', [2])])]), [[2, []], [3]]],
    ['chains in a group', group([chain(step('add', [1]), step('add')), step('add', [5])]), [3, 6]],
    ['a group inside a chain', chain(step('add', [1]), group([step('add', [1]), step('add', [2])]), step('sum')), 7],
    ['two groups in a row', chain(group([step('add', [1]), step('add', [2])]), group([step('sum'), step('show')])), [5, [[2, 3]]]],
    ['chains of chains', chain(chain(step('add', [1]), step('add')), chain(chain(step('add')))), 4],
    ['a chord of chords', chord([chord([step('add', [1])], step('sum')), step('add', [1])], step('show', ['x'])), [[2, 2], 'x']],
    ['nothing handed on is null', chain(step('nothing'), step('show', [1])), [null, 1]],
    ['nothing in a group is null', group([step('nothing'), step('add', [1])]), [null, 2]],
    ['text that looks like ours', chain(step('show', ['","attempt":1,"startedAt":1,"ranMs":1}', '"args":[', '{"state":"failed"}']), step('show')), [['","attempt":1,"startedAt":1,"ranMs":1}', '"args":[', '{"state":"failed"}']].map((x) => [x]).flat()],
  ]; // prettier-ignore
  for (const [what, flow, result] of shapes) {
    const job = await queue.enqueue(flow);
    t.same(await job.result({ timeout: '10s' }), result, what);
    t.same(await (await queue.enqueue(flow)).result({ timeout: '10s' }), result, `${what}, again`);
  }
  t.equal((await queue.counts()).waiting, 0);
}); // prettier-ignore

scene('results keep what JSON says, to the last digit and character', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs);
  const values = [0.1 + 0.2, 1e21, -0.5, 123456789012345680, [], {}, [[]], '', '%1 %d "\\', 'ä\u2028😀\0', { a: [null, true] }, { x: 1, attempt: 1, startedAt: 1, ranMs: 1 }];
  const all = group(values.map((value) => chain(step('show', [value]), step('show', ['own']))));
  const expected = values.map((value) => [[value], 'own']);
  t.same(await (await queue.enqueue(all)).result({ timeout: '10s' }), expected);
}); // prettier-ignore

scene('a step that fails for good rejects the flow at once, with its own error', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ ...jobs, fails: () => { throw new Fail('at once'); } });
  const held = await queue.enqueue('never');
  const last = await queue.enqueue(chain(step('add', [1]), step('boom', [], { retries: 1, backoff: 5 }), step('add', [1]), step('add', [2])));
  const error = await last.result({ timeout: '10s' }).catch((e: unknown) => e) as JobFailedError;
  t.type(error, JobFailedError);
  const id = last.id.slice(0, -2);
  t.match(error, { id: last.id, step: `${id}.1`, cause: { name: 'TypeError', message: 'no luck' } });
  t.match(error.message, `job ${last.id} (add) failed before its turn, for step ${id}.1 did: TypeError: no luck`);
  t.match((error.cause as Error).stack, /flow\.test\.ts/, 'the stack of the job');
  t.match(await last.info(), { state: 'failed', failedStep: `${id}.1`, error: { message: 'no luck' }, flow: { id, step: 3 } });
  t.match(await queue.job(`${id}.1`).info(), { state: 'failed', attempt: 2, flow: { id, step: 1 } });
  t.equal(await queue.retry(last.id), false, 'it never had its argument');

  // Members that run go on; the callback doesn't wait for them.
  const chord1 = await queue.enqueue(chord([step('never'), step('fails'), step('add', [1])], step('sum')));
  await t.rejects(chord1.result({ timeout: '10s' }), { code: 'JOB_FAILED', cause: { message: 'at once' } });
  t.same((await chord1.flow())!.steps.map(({ state }) => state), ['active', 'failed', 'completed', 'failed']);
  await queue.job(chord1.id.replace(/\d+$/, '0')).cancel();
  await held.cancel();
  await until(async () => (await queue.counts()).active === 0);
}); // prettier-ignore

scene('cancel on the last step: what has not started is cancelled, what runs is aborted', async (t, stage) => {
  const queue = stage.queue();
  const aborted: string[] = [];
  const hold = () =>
    new Promise<number>((_, reject) => {
      const { signal, id } = currentJob();
      signal.addEventListener('abort', () => { aborted.push(id); reject(new Error('aborted')); });
    });
  stage.worker({ ...jobs, hold }, { concurrency: 2 });
  const flow = chain(group([step('hold'), step('hold'), step('hold'), step('add', [1], { delay: '1h' })]), step('sum'), group([step('show'), step('show')]));
  const last = await queue.enqueue(flow);
  const rejected = t.rejects(last.result({ timeout: '10s' }), { code: 'JOB_CANCELLED' });
  await until(async () => (await queue.counts()).active === 2);
  t.equal(await last.cancel(), true);
  await rejected;
  await until(async () => (await queue.counts()).active === 0);
  t.same((await last.flow())!.steps.map(({ state }) => state), Array(8).fill('cancelled'));
  t.equal(aborted.length, 2);
  t.equal(await last.cancel(), false, 'it is over');

  // Another step, cancelled while it waits, fails what comes after it.
  const other = await queue.enqueue(chain(step('add', [1], { delay: 50 }), step('add', [1]), step('add', [2])));
  t.equal(await queue.job(other.id.replace(/\d+$/, '1')).cancel(), true);
  await t.rejects(other.result({ timeout: '10s' }), { code: 'JOB_FAILED', cause: { name: 'JobCancelledError' } });
}); // prettier-ignore

scene('what is cancelled from outside ends 700 steps after it promptly, though all workers sleep', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs);
  const members = Array.from({ length: 700 }, () => step('add', [1]));
  const last = await queue.enqueue(chain(step('add', [1], { delay: '1h' }), group(members), step('sum')));
  await until(async () => (await queue.workers()).length === 1);
  await queue.job(last.id.replace(/\d+$/, '0')).cancel();
  await t.rejects(last.result({ timeout: '8s' }), { code: 'JOB_FAILED', cause: { name: 'JobCancelledError' } });
  await until(async () => (await queue.counts()).failed === 701);
}); // prettier-ignore

scene('info tells the place in the flow and what it waits for; flow() the whole tree', async (t, stage) => {
  const queue = stage.queue();
  const held = gate();
  stage.worker({ ...jobs, hold: held.pass });
  const last = await queue.enqueue(chain(group([step('hold'), step('add', [1])]), step('show'), step('show')));
  const id = last.id.slice(0, -2);
  await until(async () => (await queue.job(`${id}.1`).state()) === 'completed');
  t.match(await last.info(), { state: 'waiting', flow: { id, step: 3, waitsFor: [`${id}.2`] } });
  t.match(await queue.job(`${id}.2`).info(), { state: 'waiting', fn: 'show', flow: { id, step: 2, waitsFor: [`${id}.0`] } });
  t.same(await last.flow(), {
    id,
    home: stage.name,
    steps: [['hold', 'active'], ['add', 'completed'], ['show', 'waiting'], ['show', 'waiting']].map(([fn, state], n) => ({ id: `${id}.${n}`, fn, queue: stage.name, state })),
    root: {
      chain: [
        { group: [{ id: `${id}.0`, fn: 'hold', queue: stage.name, state: 'active' }, { id: `${id}.1`, fn: 'add', queue: stage.name, state: 'completed' }] },
        { id: `${id}.2`, fn: 'show', queue: stage.name, state: 'waiting' },
        { id: `${id}.3`, fn: 'show', queue: stage.name, state: 'waiting' },
      ],
    },
  });
  t.match(await queue.counts(), { waiting: 2, active: 1 });
  t.same((await queue.jobs('waiting')).map((info) => [info.id, info.flow]), [[`${id}.2`, { id, step: 2 }], [`${id}.3`, { id, step: 3 }]]);
  await t.rejects(queue.purge('waiting' as never), { code: 'INVALID_ARGUMENT', message: /can't be purged/ });
  held.open();
  t.same(await last.result({ timeout: '10s' }), [[[null, 2]]]);
  t.equal(await (await queue.enqueue('add', [1])).flow(), undefined, 'a job that is in none');
}); // prettier-ignore

scene('options of a step: retries, priority, delay from when it falls due, expires, ttl', async (t, stage) => {
  const queue = stage.queue({ defaults: { retries: 7 } });
  const at: number[] = [];
  let tries = 0;
  stage.worker({
    ...jobs,
    note: (value: number) => { at.push(Date.now()); return value; },
    flaky: () => { if (++tries < 3) throw new Error('not yet'); return currentJob().retries; },
  });
  const flow = chain(
    step('flaky', [], { backoff: 10, meta: { a: 'b' } }),
    step('note', []),
    step('note', [], { delay: 300, priority: 'high' }),
    step('add', [1], { resultTtl: '2h', retries: 0 }),
  );
  const last = await queue.enqueue(flow);
  const id = last.id.slice(0, -2);
  t.equal(await last.result({ timeout: '10s' }), 8, 'the defaults of the queue count');
  t.ok(at[1]! - at[0]! >= 290, `${at[1]! - at[0]!} ms`);
  t.match(await queue.job(`${id}.0`).info(), { meta: { a: 'b' }, attempt: 3 });
  const third = await queue.job(`${id}.2`).info();
  t.match(third, { priority: 'high', args: [7] });
  t.ok(third.enqueuedAt! >= (await queue.job(`${id}.0`).info()).endedAt!, 'enqueued when its turn came');
  const { completed } = stage.store().keys;
  const kept = Number(await stage.redis.client.zscore(completed, last.id)) - (await last.info()).endedAt!;
  t.equal(kept, 7_200_000);
  const late = await queue.enqueue(chain(step('add', [1], { delay: 30, expires: 5_000, resultTtl: 0 }), step('add', [1], { expires: 5_000 })));
  t.equal(await late.result({ timeout: '10s' }), 3, 'expires counts from then, too');
}); // prettier-ignore

scene('steps on other queues, there and back, and as first, last and member', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-b`;
  const third = `${stage.name}-c`;
  const where = (...args: unknown[]) => [currentJob().queue.slice(stage.name.length), ...args];
  stage.worker({ where });
  stage.worker({ where }, { queue: other });
  stage.worker({ where }, { queue: third });
  const on = (name: string, ...args: unknown[]) => step('where', args, { queue: name });
  const run = async (flow: Flow) => (await queue.enqueue(flow)).result({ timeout: '30s' });
  t.same(await run(chain(on(other, 1), step('where', [2]))), ['', ['-b', 1], 2], 'first');
  t.same(await run(chain(step('where', [1]), on(other, 2))), ['-b', ['', 1], 2], 'last');
  t.same(await run(chain(on(other), on(third), step('where'))), ['', ['-c', ['-b']]]);
  t.same(await run(chord([on(other, 1), on(third, 2), step('where', [3])], step('where'))), ['', [['-b', 1], ['-c', 2], ['', 3]]]);
  t.same(await run(chain(step('where'), group([on(other), on(third)]))), [['-b', ['']], ['-c', ['']]]);
  const last = await queue.enqueue(chain(step('where'), on(other, 'x')));
  t.equal(last.queue, other);
  await last.result({ timeout: '30s' });
  t.match((await last.flow())!.steps, [{ queue: stage.name, state: 'completed' }, { queue: other, state: 'completed' }]);
  for (const name of [stage.name, other, third]) {
    const view = new Queue(name, { redis: stage.redis.url });
    t.equal((await view.counts()).waiting, 0);
    await view.close();
  }
  for (const name of [stage.name, other, third]) {
    const { outbox, flows, jobs: records } = stage.store().on(name).keys;
    await until(async () => (await stage.redis.client.exists(outbox)) === 0);
    const view = new Queue(name, { redis: stage.redis.url });
    await view.purge('completed');
    await view.close();
    t.same(await violations(stage.redis.client, name), []);
    t.equal(await stage.redis.client.exists(flows, records), 0, 'nothing is left of the flows');
  }
}); // prettier-ignore

scene('a message to another queue that is delivered twice begins its step once', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-b`;
  let runs = 0;
  const last = await queue.enqueue(chain(step('add', [1, 2]), step('count', [], { queue: other })));
  const first = stage.worker({ add: (a: number, b: number) => a + b });
  await until(async () => (await queue.counts()).completed === 1);
  await first.stop();
  const store = stage.store();
  const there = store.on(other);
  for (let i = 0; i < 3; i++) await there.flows.deliver('go', last.id, String(100 + i));
  const counts = await there.counts();
  t.equal(counts[1], 1, 'in its queue once');
  stage.worker({ count: (n: number) => { runs++; return n; } }, { queue: other });
  t.equal(await last.result({ timeout: '10s' }), 3, 'the first that came');
  await there.flows.deliver('go', last.id, '5');
  await there.flows.deliver('fail', last.id, 'x.0 {"name":"Error","message":"late"}');
  t.equal(runs, 1);
  t.equal(await last.result(), 3);
}); // prettier-ignore

scene('a failure that passes through another queue arrives promptly, though all workers sleep', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-b`;
  stage.worker(jobs);
  stage.worker(jobs, { queue: other });
  await until(async () => (await queue.workers()).length === 1);
  const far = step('show', [], { queue: other });
  const last = await queue.enqueue(chain(step('boom', [], { retries: 0 }), far, step('show'), far, step('show')));
  await t.rejects(last.result({ timeout: '8s' }), { code: 'JOB_FAILED', cause: { message: 'no luck' } });
}); // prettier-ignore

scene('a message whose worker died is carried by the next', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-b`;
  const last = await queue.enqueue(chain(step('show', [1]), step('show', [2], { queue: other }), step('show', [3])));
  // A worker that settles the first step, and is gone before it carries what follows.
  const dead = stage.store('dead');
  await dead.turn(1, 15_000, 1, []);
  const id = last.id.replace(/\d+$/, '0');
  await dead.turn(2, 15_000, 0, [{ job: { ticket: `${id}:1:1`, attempt: 1, claimedAt: 1 }, outcome: { kind: 'completed', result: '"first"' }, ranMs: 1, keptMs: 60_000 }]);
  t.same((await stage.redis.client.lrange(dead.keys.outbox, 0, -1)).slice(1), [`go ${other}|${id.replace(/\d+$/, '1')} "first"`]);
  stage.worker({ show: (...all: unknown[]) => all });
  stage.worker({ show: (...all: unknown[]) => all }, { queue: other });
  t.same(await last.result({ timeout: '30s' }), [['first', 2], 3]);
}); // prettier-ignore

scene('what is wrong with a flow is said before anything is sent', async (t, stage) => {
  const queue = stage.queue();
  await queue.counts();
  const sent = await commandsDuring(stage.redis, async () => {
    await t.rejects(queue.enqueue(chain(step('add', [1]), step('add', [1n]))), { code: 'INVALID_ARGUMENT', message: /BigInt/ });
    await t.rejects(queue.enqueue({ kind: 'chain', steps: [] }), { code: 'INVALID_ARGUMENT' });
    await queue.close();
    await t.rejects(queue.enqueue(step('add', [1])), { code: 'QUEUE_CLOSED' });
  });
  t.same(sent, []);
}); // prettier-ignore

scene('a chain of 100 costs a round trip a step; a chord of 1,000 at most 1.3 times those of 1,000', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs, { concurrency: 1 });
  await until(async () => (await queue.workers()).length === 1);
  const round = async (body: () => Promise<unknown>) =>
    (await commandsDuring(stage.redis, body)).filter(([name]) => /^evalsha?$/.test(name!)).length;
  await (await queue.enqueue('add', [1])).result();
  const chained = await round(async () => {
    const steps = Array.from({ length: 100 }, () => step('add', []));
    await (await queue.enqueue(chain(step('add', [0]), ...steps.slice(1)))).result({ timeout: '20s' });
  });
  // With one slot jobs end in their order: the last result is the end of all.
  const jobsOf = (count: number) =>
    round(async () => {
      const items = Array.from({ length: count }, (_, i) => ({ fn: 'add' as const, args: [i] as [number] })); // prettier-ignore
      const last = (await queue.enqueueMany(items)).at(-1)!;
      if (last.status === 'fulfilled') await last.value.result({ timeout: '60s' });
    });
  // One to enqueue it, a turn for each; a heartbeat or two may have fallen into it.
  t.ok(chained <= 105, `chain ${chained}`);
  const many = Array.from({ length: 1_000 }, (_, i) => i);
  const alone = await jobsOf(1_000);
  const chorded = await round(async () => {
    const last = await queue.enqueue(chord(many.map((i) => step('add', [i])), step('sum')));
    t.equal(await last.result({ timeout: '60s' }), 500_500);
  });
  t.comment(`chain of 100: ${chained}; chord of 1,000: ${chorded}, 1,000 jobs: ${alone}`);
  t.ok(chorded <= alone * 1.3, `chord ${chorded}, jobs ${alone}`);
}); // prettier-ignore
