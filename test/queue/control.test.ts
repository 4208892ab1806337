/** Workers told what to do, from elsewhere: those of this process, and others, one of which is frozen. */
import { Worker } from '../../src/index.ts';
import { JOBS, minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('ping, another concurrency for one and for all, and stop', async (t, stage) => {
  const queue = stage.queue();
  t.same(await queue.control('ping'), [], 'nobody is there');
  const held = gate();
  const jobs = { hold: () => held.pass() };
  const [a, b] = [stage.worker(jobs, { concurrency: 1 }), stage.worker(jobs, { concurrency: 1 })];
  await until(async () => (await queue.workers()).length === 2);
  const both = [a.id, b.id].toSorted();
  // A worker is listed a moment before it listens.
  let answers = await queue.control('ping');
  await until(async () => (answers = await queue.control('ping')).every((each) => each.answered));
  answers.sort((x, y) => (x.worker < y.worker ? -1 : 1));
  t.same(answers, both.map((worker) => ({ worker, answered: true }))); // prettier-ignore

  const many = await Promise.all(Array.from({ length: 5 }, () => queue.control('ping')));
  t.ok(
    many.flat().every((each) => each.answered),
    'orders of the same moment',
  );

  await queue.enqueueMany(Array.from({ length: 9 }, () => ({ fn: 'hold' })));
  await until(() => held.running === 2);
  t.same(await queue.control({ concurrency: 4 }, a.id), [{ worker: a.id, answered: true }]);
  t.equal(a.concurrency, 4);
  t.equal(b.concurrency, 1);
  await until(() => held.running === 5);
  t.match(
    (await queue.workers()).find(({ id }) => id === a.id),
    { concurrency: 4 },
  );
  await queue.control({ concurrency: 3 });
  t.same([a.concurrency, b.concurrency], [3, 3]);

  t.same(await queue.control('stop', b.id), [{ worker: b.id, answered: true }]);
  held.open();
  await until(async () => (await queue.workers()).length === 1);
  t.match(await queue.workers(), [{ id: a.id }]);
  await until(async () => (await queue.counts()).completed === 9);
});

scene('who is not there, and what can’t be told, is said', async (t, stage) => {
  const queue = stage.queue();
  await t.rejects(queue.control('ping', 'nobody'), { code: 'NO_WORKER', message: /^no worker "nobody" is alive on queue/ }); // prettier-ignore
  for (const [order, message] of [
    ['jump', /^order: "jump" is not usable; give 'ping', 'stop' or/],
    [{ concurrency: 0 }, /^concurrency: 0 is not usable/],
    [{}, /^concurrency: undefined is not usable/],
    [null, /^order: null/],
  ] as const) {
    await t.rejects(queue.control(order as never), { code: 'INVALID_ARGUMENT', message });
  }
});

scene('garbage on the channel changes nothing, nor does a job whose id looks like an order', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker({ f: () => 1, slow: () => new Promise<void>(() => {}) }, { concurrency: 2 });
  await until(async () => (await queue.workers()).length === 1);
  const channel = `minq:{${stage.name}}:control`;
  for (const message of ['{', '{}', '{"ask":5}', '{"ask":"x","concurrency":-1}', '{"ask":"x","concurrency":"all"}', '{"ask":"x","worker":"other","stop":true}', '[', '', 'null']) {
    await stage.redis.client.publish(channel, message);
  }
  t.equal(await queue.call('f', [], { timeout: '10s' }), 1);
  t.equal(worker.concurrency, 2);
  const odd = await queue.enqueue('slow', [], { id: '{"ask":"x","stop":true}' });
  await until(async () => (await odd.state()) === 'active');
  await odd.cancel();
  await until(async () => (await odd.state()) === 'cancelled');
  t.equal(await queue.call('f', [], { timeout: '10s' }), 1, 'it works on');
}); // prettier-ignore

scene('a frozen process is named within a second, and carries the order out when it goes on', async (t, stage) => {
  const redis = stage.redis.url;
  const queue = stage.queue();
  const frozen = minq(t, ['worker', JOBS, '--queue', stage.name, '--verbose'], { redis });
  const well = new Worker({ f: () => 1 }, { redis, queue: stage.name });
  const running = well.run();
  stage.onEnd(async () => (await well.stop(), running));
  await until(async () => (await queue.workers()).length === 2, { timeoutMs: 30_000 });
  const id = (await queue.workers()).find(({ pid }) => pid === frozen.pid)!.id;
  await until(async () => (await queue.control('ping', id))[0]!.answered); // it listens
  frozen.child.kill('SIGSTOP');
  const asked = performance.now();
  const answers = await queue.control({ concurrency: 77 });
  t.ok(performance.now() - asked < 5_000);
  t.same(answers.find(({ worker }) => worker === id), { worker: id, answered: false });
  t.same(answers.find(({ worker }) => worker === well.id), { worker: well.id, answered: true });
  const told = await command(['workers', 'ping', '--queue', stage.name], { redis });
  t.match(told, { code: 1, stdout: new RegExp(`worker ${id} of queue ${stage.name} did not answer within a second\n`) });
  frozen.child.kill('SIGCONT');
  await until(async () => (await queue.workers()).find((worker) => worker.id === id)?.concurrency === 77, { timeoutMs: 30_000 });

  const run = (...args: string[]) => command(['workers', ...args, '--queue', stage.name], { redis });
  t.match(await run('set', id, '--concurrency', '5', '--json'), { code: 0, stdout: `{"answers":[{"queue":"${stage.name}","worker":"${id}","answered":true}]}\n` });
  t.match(await run('set', '--all', '--concurrency', '6'), { code: 0, stdout: /has answered\n.*has answered\n/ });
  t.equal(well.concurrency, 6);
  t.match(await run('--functions'), { code: 0, stdout: new RegExp(`worker ${well.id} knows f\n`) });
  t.match(await run('stop', id), { code: 0, stdout: `worker ${id} of queue ${stage.name} has answered\n` });
  t.equal((await frozen.ended).code, 0);
  t.match(frozen.stderr, new RegExp(`told to run another number of jobs at once worker=${id} concurrency=77\n[^]*told to stop worker=${id}\n`));
  t.match(await run('stop', 'nobody'), { code: 1, stdout: 'no worker nobody is alive\n' });
  for (const args of [['jump'], ['stop'], ['stop', id, '--all'], ['set', id], ['ping', id], ['stop', id, '--concurrency', '3']]) {
    t.match(await run(...args), { code: 2, stderr: /^minq: "\w+": give ping; stop <id>; or set <id> --concurrency n/ }, args.join(' '));
  }
  t.match(await run('set', well.id, '--concurrency', '0'), { code: 2, stderr: /^minq: concurrency: 0 is not usable/ });
}); // prettier-ignore
