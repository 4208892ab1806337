import type { Test } from 'tap';
import { chain, Queue, step } from '../../src/index.ts';
import type { Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { gate } from '../helpers/gate.ts';
import { onTerminal } from '../helpers/pty.ts';
import { freePort } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const LINE = /^minq: [^\n]*\n$/;

/** `minq <args>` on the queue of the stage. */
const runner =
  (stage: Stage) =>
  (...args: string[]): Promise<Ended> =>
    command([...args, '--queue', stage.name], { redis: stage.redis.url });

const did = (t: Test, { code, stdout, stderr }: Ended, says: string | object) => {
  t.same([code, stderr], [0, '']);
  if (typeof says === 'string') t.equal(stdout, `${says}\n`);
  else t.same(JSON.parse(stdout), says);
};

/** Exit 1, and one line that says why; with --json on standard output. */
const didNot = (t: Test, { code, stdout, stderr }: Ended, says: RegExp | object) => {
  t.equal(code, 1);
  if (says instanceof RegExp) {
    t.match(stderr, LINE);
    t.match(stderr, says);
    t.equal(stdout, '');
  } else {
    t.match(JSON.parse(stdout), { done: false, ...says });
    t.equal(stderr, '');
  }
};

const fail = (text = 'broken') => {
  throw new Error(text);
};

async function failed(stage: Stage, ...jobs: [fn: string, text: string][]): Promise<string[]> {
  const queue = stage.queue();
  const items = jobs.map(([fn, text], i) => ({ fn, args: [text], id: `bad-${i}`, retries: 0 }));
  await queue.enqueueMany(items);
  await until(async () => (await queue.counts()).failed === jobs.length);
  return items.map(({ id }) => id);
}

scene('retry runs one failed job again, and says why it does not', async (t, stage) => {
  let broken = true;
  const held = gate();
  stage.worker({ fail: () => (broken ? fail() : 'mended'), hold: held.pass, next: () => 1 });
  const queue = stage.queue();
  const run = runner(stage);
  await failed(stage, ['fail', ''], ['fail', '']);
  const step2 = await queue.enqueue(chain(step('fail', [], { retries: 0 }), step('next')));
  await t.rejects(step2.result());
  broken = false;
  did(t, await run('retry', 'bad-0'), 'job bad-0 is queued again');
  t.equal(await queue.job('bad-0').result(), 'mended');
  did(t, await run('retry', 'bad-1', '--json'), { done: true, id: 'bad-1', state: 'queued', revived: 0, forgotten: false });
  t.equal(await queue.job('bad-1').result(), 'mended');
  didNot(t, await run('retry', 'bad-0'), /job bad-0 is completed; only failed and cancelled jobs/);
  await queue.enqueue('hold', [], { id: 'runs' });
  await until(async () => (await queue.job('runs').state()) === 'active');
  didNot(t, await run('retry', 'runs', '--json'), { id: 'runs', state: 'active' });
  didNot(t, await run('retry', 'nobody'), /job nobody is unknown on queue/);
  didNot(t, await run('retry', 'nobody', '--json'), { id: 'nobody', why: /unknown/ });
  didNot(t, await run('retry', step2.id), /never had its turn, for step \S+\.0 of its flow failed; retry that one/);
const revived = await run('retry', step2.id.replace(/1$/, '0'));
  t.match(revived.stdout, /is queued again; 1 step of its flow waits for it again\n/);
  t.equal(await step2.result({ timeout: '10s' }), 1);
  const waits = await queue.enqueue(chain(step('hold'), step('next')));
  await waits.cancel();
  didNot(t, await run('retry', waits.id), /was cancelled before its turn in its flow came/);
  held.open();
}); // prettier-ignore

scene('run runs a scheduled job now, and says why it does not', async (t, stage) => {
  const run = runner(stage);
  const queue = stage.queue();
  await queue.enqueue('f', [], { id: 'later', delay: '1h' });
  did(t, await run('run', 'later'), 'job later is queued');
  didNot(t, await run('run', 'later'), /job later is queued; only scheduled jobs can be run now/);
  await queue.enqueue('f', [], { id: 'größe#1', delay: '1h' });
  did(t, await run('run', 'größe#1', '--json'), { done: true, id: 'größe#1', state: 'queued' });
  didNot(t, await run('run', 'nobody', '--json'), { id: 'nobody', why: /unknown/ });
});

scene('retry --all runs those again that are wanted', async (t, stage) => {
  let broken = true;
  const perhaps = (text: string) => (broken ? fail(text) : text);
  stage.worker({ a: perhaps, b: perhaps });
  const queue = stage.queue();
  const run = runner(stage);
  await failed(stage, ['a', 'ECONNREFUSED'], ['a', 'paper'], ['b', 'paper'], ['b', 'x'], ['b', 'y']);
  broken = false;
  didNot(t, await run('retry', '--all', '--fn', 'nobody', '--yes'), /no failed job on queue \S+, of function nobody can be run again/);
  t.equal((await queue.counts()).failed, 5);
  did(t, await run('retry', '--all', '--error', 'econn', '--yes'), '1 job queued again');
  did(t, await run('retry', '--all', '--fn', 'b', '--error', 'paper', '--yes', '--json'), { done: true, count: 1 });
  await until(async () => (await queue.counts()).completed === 2);
  t.same((await queue.jobs('failed')).map(({ id }) => id).toSorted(), ['bad-1', 'bad-3', 'bad-4']);
  did(t, await run('retry', '--all', '-y'), '3 jobs queued again');
  await until(async () => (await queue.counts()).completed === 5);
  didNot(t, await run('retry', '--all', '--yes', '--json'), { count: 0 });
}); // prettier-ignore

scene('cancel, remove and purge', async (t, stage) => {
  const held = gate();
  stage.worker({ hold: held.pass, fail, ok: () => 1 }, { concurrency: 1, lease: 600 });
  const queue = stage.queue();
  const run = runner(stage);
  await failed(stage, ['fail', ''], ['fail', ''], ['fail', '']);
  await queue.enqueue('hold', [], { id: 'runs' });
  await until(async () => (await queue.job('runs').state()) === 'active');
  await queue.enqueueMany(['q1', 'q2', 'q3'].map((id) => ({ fn: 'ok', id })));
  await queue.enqueueMany(['s1', 's2'].map((id) => ({ fn: 'ok', id, delay: '1h' })));

  did(t, await run('cancel', 'q1', '--yes'), 'job q1 is cancelled');
  t.equal(await queue.job('q1').state(), 'cancelled');
  didNot(t, await run('cancel', 'q1', '--yes'), /job q1 is cancelled; there is nothing to cancel/);
  didNot(t, await run('cancel', 'bad-0', '--yes', '--json'), { id: 'bad-0', state: 'failed' });
  didNot(t, await run('cancel', 'nobody', '--yes'), /job nobody is unknown/);
  didNot(t, await run('remove', 'runs', '--yes'), /job runs is active; cancel it first/);
  did(t, await run('remove', 'q2', '--yes', '--json'), { done: true, id: 'q2' });
  did(t, await run('remove', 'bad-0', '--yes'), 'job bad-0 is removed');
  didNot(t, await run('remove', 'bad-0', '--yes'), /job bad-0 is unknown/);
  did(t, await run('purge', 'failed', '--yes'), `2 failed jobs removed from queue ${stage.name}`);
  didNot(t, await run('purge', 'failed', '--yes'), /there are no failed jobs on queue/);
  did(t, await run('purge', 'scheduled', '--yes', '--json'), { done: true, count: 2 });
  t.match(await queue.counts(), { queued: 1, active: 1, failed: 0, scheduled: 0, cancelled: 1 });
  const stopping = await run('cancel', 'runs', '--yes', '--json');
  t.match(JSON.parse(stopping.stdout), { done: true, id: 'runs' });
  await until(async () => (await queue.job('runs').state()) === 'cancelled');
  held.open();
}); // prettier-ignore

scene('pause and resume', async (t, stage) => {
  stage.worker({ ok: () => 1 });
  const queue = stage.queue();
  const run = runner(stage);
  did(t, await run('pause'), `queue ${stage.name} is paused; go on with: minq resume --queue ${stage.name}`);
  const job = await queue.enqueue('ok');
  t.match(await queue.counts(), { paused: true, queued: 1 });
  did(t, await run('pause', '--json'), { done: true, queue: stage.name, paused: true });
  did(t, await run('resume'), `queue ${stage.name} goes on`);
  t.equal(await job.result(), 1);
  did(t, await run('resume', '--json'), { done: true, queue: stage.name, paused: false });
}); // prettier-ignore

scene('what destroys is asked for on a terminal; only y does it', async (t, stage) => {
  stage.worker({ fail });
  const queue = stage.queue();
  await failed(stage, ['fail', 'paper'], ['fail', 'ink']);
  await queue.enqueue('ok', [], { id: 'later', delay: '1h' });
  // As no client of ours would write it.
  const record = `${await queue.now()}{"fn":"e\\u001b[2Jvil","args":[]}`;
  await stage.redis.client.hset(`minq:{${stage.name}}:jobs`, 'later', record);
  const ask = async (args: string[], question: RegExp, answer: string) => {
    const terminal = onTerminal(t, [...args, '--queue', stage.name], stage.redis.url);
    await terminal.says(question);
    t.match(terminal.output, /\? \[y\/N\] $/);
    terminal.type(answer);
    return terminal.ended;
  };
  const name = stage.name;
  for (const answer of ['\n', 'n\n', 'yep\n', '\u0004']) {
    const { code, output } = await ask(['purge', 'failed'], new RegExp(`Remove 2 failed jobs of queue ${name} for good\\?`), answer);
    t.equal(code, 1, JSON.stringify(answer));
    t.match(output, /minq: nothing was done\r\n$/);
  }
  const interrupted = await ask(['purge', 'failed'], /for good/, '\u0003');
  t.not(interrupted.code, 0, 'Ctrl-C');
  t.equal((await queue.counts()).failed, 2);
  const refused = await ask(['cancel', 'later'], new RegExp(`Cancel job later \\(e\\\\u001b\\[2Jvil, scheduled\\) of queue ${name}\\?`), 'n\n');
  t.notMatch(refused.output, '\u001b');
  const some = await ask(['retry', '--all', '--error', 'PAPER'], new RegExp(`Run 1 failed job of queue ${name}, with "PAPER" in the error again\\?`), 'N\n');
  t.equal(some.code, 1);
  t.equal((await ask(['remove', 'bad-0'], /Remove job bad-0 \(fail, failed\) of queue \S+ for good\?/, 'y\n')).code, 0);
  t.match(await ask(['cancel', 'later'], /Cancel job/, 'yes\n'), { code: 0, output: /is cancelled\r\n$/ });
  t.match(await ask(['purge', 'failed', '--json'], /Remove 1 failed job /, 'Y\n'), { code: 0, output: /\{"done":true,"count":1\}\r\n$/ });
  t.match(await queue.counts(), { failed: 0, cancelled: 1, scheduled: 0 });
  const yes = onTerminal(t, ['remove', 'later', '--yes', '--queue', name], stage.redis.url);
  t.match(await yes.ended, { code: 0, output: /is removed\r\n$/ });
  t.notMatch(yes.output, /\[y\/N\]/);
}); // prettier-ignore

scene('elsewhere it needs --yes: nothing is done without', async (t, stage) => {
  stage.worker({ fail });
  const queue = stage.queue();
  await failed(stage, ['fail', '']);
  await queue.enqueue('ok', [], { id: 'later', delay: '1h' });
  const run = runner(stage);
  for (const args of [['purge', 'failed'], ['remove', 'bad-0'], ['cancel', 'later'], ['retry', '--all']]) {
    const { code, stdout, stderr } = await run(...args);
    t.same([code, stdout], [2, ''], args.join(' '));
    t.match(stderr, LINE);
    t.match(stderr, /can't be undone, and nobody can be asked here; give --yes/);
  }
  t.match(await queue.counts(), { failed: 1, scheduled: 1 });
}); // prettier-ignore

scene('wrong usage ends with 2; without Redis with 1', async (t, stage) => {
  const away = `redis://127.0.0.1:${await freePort()}`;
  const wrong: [args: string[], says: RegExp][] = [
    [['retry'], /give either the id of a job, or --all/],
    [['retry', 'x', '--all'], /give either the id of a job, or --all/],
    [['retry', 'x', '--fn', 'f'], /--fn, --error and --kind go with --all/],
    [['retry', 'nobody\u001b[2J'], /id: "nobody\\u001b\[2J" is not usable/],
    [['cancel'], /an argument is missing; Usage: minq cancel <id>/],
    [['remove', 'a', 'b'], /"b" is one too many/],
    [['remove', 'x'.repeat(300), '--yes'], /id: /],
    [['purge', 'active', '--yes'], /state: "active" can't be purged; give one of queued, /],
    [['purge', 'nonsense', '--yes'], /state: "nonsense" can't be purged/],
    [['purge', '--yes'], /an argument is missing/],
    [['pause', 'x'], /"x" is one too many/],
    [['pause', '--yes'], /Unknown option '--yes'/],
  ];
  await Promise.all([
    ...wrong.map(async ([args, says]) => {
      const { code, stdout, stderr } = await runner(stage)(...args);
      t.same([code, stdout], [2, ''], args.join(' '));
      t.match(stderr, says);
      t.match(stderr, LINE);
    }),
    ...['retry x', 'retry --all -y', 'cancel x -y', 'remove x -y', 'purge failed -y', 'pause', 'resume'].map(async (args) => {
      const { code, stdout, stderr } = await command(args.split(' '), { redis: away });
      t.same([code, stdout], [1, ''], args);
      t.match(stderr, LINE);
      t.match(stderr, /ECONNREFUSED/);
    }),
  ]);
}); // prettier-ignore

scene('every command has its help, and is in the list of them', async (t) => {
  const { stdout: list } = await command(['--help']);
  const names = [...list.matchAll(/^ {2}([a-z]+) {2,}[a-z]/gm)].map((match) => match[1]!);
  t.same(names.slice(2), 'dashboard enqueue job jobs errors stats workers cron check retry run cancel remove purge pause resume limit unschedule repair forget'.split(' '));
  await Promise.all(
    names.map(async (name) => {
      const { code, stdout } = await command([name, '--help']);
      t.equal(code, 0);
      t.match(stdout, `Usage: minq ${name}`);
      t.ok(stdout.split('\n').every((line) => line.length <= 120), name);
      if (!['worker', 'dev', 'dashboard'].includes(name)) t.match(stdout, /^ {2}--queue name +.*\n(.*\n)* {2}--json +print/m);
    }),
  );
}); // prettier-ignore

scene('a queue that no worker ever served is known by its first job, and can be forgotten', async (t, stage) => {
  const { redis, name } = stage;
  const run = runner(stage);
  const check = () => command(['check', '--json'], { redis: redis.url });
  const queue = stage.queue();
  const before = await queue.queues();
  const mistyped = `${name}-mial`;
  const sent = await commandsDuring(redis, async () => {
    await queue.enqueueMany(Array.from({ length: 25 }, () => ({ fn: 'f', queue: mistyped })));
    for (let i = 0; i < 5; i++) await queue.enqueue('f', [], { queue: mistyped });
  });
  t.equal(sent.filter(([word]) => word === 'zadd').length, 1, 'once, not with each enqueue');
  await stage.queue().enqueue(chain(step('f', []), step('f', [], { queue: `${name}-next` })));
  await stage.queue().schedule('daily', { cron: '0 2 * * *', fn: 'f' });
  const known = (await queue.queues()).filter((each) => !before.includes(each));
  t.same(known.toSorted(), [name, mistyped, `${name}-next`].toSorted());
  t.match((await check()).stdout, `"message":"queue ${mistyped}: no worker is alive, with 30 queued"`);
  const { get } = await site(stage, { queues: undefined });
  t.match((await get('api/findings')).text, `queue ${mistyped}: no worker is alive, with 30 queued`);

  const forget = (...args: string[]) => command(['forget', '--queue', mistyped, ...args], { redis: redis.url });
  t.match(await forget(), { code: 2, stderr: /can't be undone.*--yes/ });
  t.match(await forget('--yes'), { code: 1, stderr: /^minq: queue \S+-mial can't be forgotten: 30 jobs have not ended; purge or cancel them first\n$/ });
  await command(['purge', 'queued', '--queue', mistyped, '--yes'], { redis: redis.url });
  did(t, await forget('--yes'), `queue ${mistyped} is forgotten`);
  t.same(await redis.client.keys(`minq:{${mistyped}}:*`), []);
  t.notOk((await queue.queues()).includes(mistyped));
  stage.worker({ f: () => 1 });
  await until(async () => (await queue.workers()).length === 1);
  didNot(t, await run('forget', '--yes'), /1 of its workers may be alive; stop them first/);

  const short = new Queue(`${name}-short`, { redis: redis.url });
  await short.enqueue('f');
  await short.close();
  t.ok((await queue.queues()).includes(`${name}-short`), 'a producer that ends at once has said so');
}); // prettier-ignore

scene('jobs whose list was lost: check counts them, and repair puts each back exactly once, beside workers and enqueues', async (t, stage) => {
  const { redis, name } = stage;
  const run = runner(stage);
  const queue = stage.queue();
  const key = (part: string) => `minq:{${name}}:${part}`;
  const runs = new Map<number, number>();
  const count = (n: number) => void runs.set(n, (runs.get(n) ?? 0) + 1);
  const enqueue = (from: number, to: number, options = {}) =>
    queue.enqueueMany(Array.from({ length: to - from }, (_, i) => ({ fn: 'count', args: [from + i], ...options })));
  await enqueue(0, 1_000);
  await enqueue(1_000, 1_100, { priority: 'high' });
  await enqueue(1_100, 1_200, { delay: '1h' });
  const [void1] = await enqueue(1_200, 1_201);
  if (void1!.status === 'fulfilled') await void1!.value.cancel();
  didNot(t, await run('repair'), /^minq: no job of queue \S+ is in limbo\n$/);

  await redis.client.del(key('queued'), key('queued:high'), key('scheduled'));
  const checked = await run('check', '--json');
  t.match(checked.stdout, `"message":"queue ${name}: 1,200 jobs in limbo: a key was evicted or deleted, and they lie in no place"`);
  t.match(checked.stdout, `"mend":"put them back: npx minq repair --queue ${name}"`);

  await queue.pause(); // so that the worker's own search has something to do beside ours
  await enqueue(1_300, 1_400);
  const others = Array.from({ length: 2 }, () => stage.worker({ count }, { concurrency: 20 }));
  const repairs = Array.from({ length: 3 }, () => queue.repair());
  await queue.resume();
  await enqueue(1_400, 2_000);
  await Promise.all(repairs);
  await until(async () => (await queue.counts()).completed === 1_900);
  t.same([...runs.values()].filter((times) => times !== 1), [], 'each ran once');
  t.equal(runs.size, 1_900);
  await Promise.all(others.map((worker) => worker.stop()));

  // Of jobs that have ended, too: they would never be removed.
  await redis.client.del(key('completed'));
  did(t, await run('repair', '--json'), { done: true, repaired: 1_900, left: 0 });
  t.equal((await queue.counts()).completed, 1_900);

  const handle = await queue.enqueue('count', [5_000]);
  await redis.client.del(key('queued'));
  stage.worker({ count });
  await handle.result();
  await until(() => stage.log.some((line) => line.startsWith('warn jobs that lay in no place are queued again')), { what: 'said' });
}); // prettier-ignore

scene('steps of a flow that lost their place: only those go back whose turn has certainly come', async (t, stage) => {
  const { redis, name } = stage;
  const run = runner(stage);
  const queue = stage.queue();
  const key = (part: string) => `minq:{${name}}:${part}`;
  const add = (...terms: number[]) => terms.reduce((sum, term) => sum + term);
  const last = await queue.enqueue(chain(step('add', [1]), step('add', [2])));
  await redis.client.del(key('queued'));
  did(t, await run('repair', '--json'), { done: true, repaired: 1, left: 0 });
  const worker = stage.worker({ add });
  t.equal(await last.result(), 3);
  await worker.stop();
  const lost = await queue.enqueue(chain(step('add', [1]), step('add', [2])));
  await redis.client.del(key('waiting'));
  didNot(t, await run('repair'), /^minq: 0 jobs put back into queue \S+; 1 steps of flows can't be: cancel them/);
  t.ok(await lost.cancel());
  await redis.client.del(key('dropped'));
}); // prettier-ignore
