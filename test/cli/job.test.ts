import type { Test } from 'tap';
import { chain, chord, currentJob, Fail, group, step } from '../../src/index.ts';
import type { Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const ISO = String.raw`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ`;

/** `minq job <args>` on the queue of the stage. */
const run =
  (stage: Stage) =>
  (...args: string[]): Promise<Ended> =>
    command(['job', ...args, '--queue', stage.name], { redis: stage.redis.url });

/** What it prints, which must be without fault. */
const shower = (t: Test, stage: Stage) => async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(stage)(...args);
  t.same([code, stderr], [0, '']);
  return stdout;
}; // prettier-ignore

const lines = (pattern: string[]) => new RegExp(`^${pattern.join('\n')}\n$`);
const treeOf = (text: string) => text.slice(text.indexOf('\nflow ') + 1).trimEnd().split('\n'); // prettier-ignore

scene('a completed job: all that is known of it, on a line each', async (t, stage) => {
  stage.worker({
    add: (a: number, b: number) => {
      currentJob().progress({ done: 'all' });
      return a + b;
    },
  });
  const queue = stage.queue();
  await (await queue.enqueue('add', [2, 3], { id: 'mine', priority: 'high', meta: { trace: 'x' } })).result(); // prettier-ignore
  const text = await shower(t, stage)('mine');
  t.match(text, lines([
    'id           mine',
    'function     add',
    `queue        ${stage.name}`,
    'state        completed',
    'attempt      1',
    'priority     high',
    String.raw`arguments    \[2,3\]`,
    'meta         {"trace":"x"}',
    `enqueued     ${ISO}`,
    `started      ${ISO}`,
    `ended        ${ISO}`,
    String.raw`ran for      [\d.]+ ms`,
    '(progress     {"done":"all"}\n)?result       5',
  ])); // prettier-ignore
  const info = await queue.job('mine').info();
  t.ok(text.includes(`enqueued     ${new Date(info.enqueuedAt!).toISOString()}\n`));
  t.same(JSON.parse(await shower(t, stage)('mine', '--json')), info, 'as info() gives it');
});

scene('a failed job: its error with the stack; controls move no cursor; long values are cut', async (t, stage) => {
  stage.worker({
    throwText: () => {
      throw 'no stack';
    },
    fail: (text: string) => {
      const error = new TypeError(`${text}\nflow forged`);
      // A stack made before the name was given tells the old one.
      throw Object.assign(error, { stack: error.stack, name: 'Paper\u009bError' });
    },
  });
  const queue = stage.queue();
  const evil = 'out of\u001b[31m paper\u009b2J\u202e';
  const job = await queue.enqueue('fail', [evil, 'x'.repeat(1_000)], { retries: 0 });
  await t.rejects(job.result());
  const [text, json] = await Promise.all([shower(t, stage)(job.id), shower(t, stage)(job.id, '--json')]);
  for (const printed of [text, json]) t.notMatch(printed.replaceAll('\n', ''), /\p{Cc}|\u202e/u);
  t.match(text, /^state +failed$/m);
  t.match(text, /^arguments +\["out of\\u001b\[31m paper\\u009b2J\\u202e","x{300,400}\.\.\.$/m);
  t.match(text, /^error\n {2}Paper\\u009bError: out of\\u001b\[31m paper\\u009b2J\\u202e\n {2}flow forged\n {6}at .*cli\/job\.test/m);
  t.equal(text.match(/out of.*paper/g)?.length, 2, 'said once in the arguments, once in the error');
  t.match(JSON.parse(json), { id: job.id, state: 'failed', args: [evil, 'x'.repeat(1_000)], error: { message: `${evil}\nflow forged` } });
  const bare = await queue.enqueue('throwText', [], { retries: 0 });
  await t.rejects(bare.result());
  t.match(await shower(t, stage)(bare.id), /^error\n {2}Error: thrown: no stack\n$/m);
}); // prettier-ignore

scene('a scheduled job has its due time; one that is to run again its last error', async (t, stage) => {
  const queue = stage.queue();
  const runAt = new Date('2100-01-01T02:03:04Z');
  await queue.enqueue('later', [], { id: 'later', runAt });
  const show = shower(t, stage);
  const later = await show('later');
  t.match(later, /^state +scheduled$/m);
  t.match(later, /^due +2100-01-01T02:03:04\.000Z$/m);
  t.notMatch(later, /^(started|ended|ran for|lease ends|result|.*error|flow)/m);

  stage.worker({
    flaky: () => {
      throw new RangeError('not yet');
    },
  });
  const flaky = await queue.enqueue('flaky', [], { retries: 2, backoff: { type: 'fixed', delay: '1h', jitter: 0 } });
  await until(async () => (await flaky.state()) === 'scheduled');
  const again = await show(flaky.id);
  t.match(again, new RegExp(`^due +${ISO}$`, 'm'));
  t.match(again, /^attempt +2$/m);
  t.match(again, /^last error\n {2}RangeError: not yet\n {6}at /m);

  await flaky.cancel();
  t.match(await show(flaky.id), /^state +cancelled\n(.*\n)*reason +cancelled$/m);
}); // prettier-ignore

scene('a running job: since when, on which worker, how long its lease lasts', async (t, stage) => {
  const held = gate();
  stage.worker({ pass: held.pass }, { lease: '1s' });
  const queue = stage.queue();
  const job = await queue.enqueue('pass');
  await until(async () => (await queue.workers())[0]?.running.length === 1);
  const text = await shower(t, stage)(job.id);
  t.match(text, /^state +active$/m);
  t.match(text, /^arguments +\[\]$/m);
  t.match(text, new RegExp(`^started +${ISO}\nlease ends +${ISO}\nworker +\\S+ \\(.*, pid ${process.pid}\\)$`, 'm'));
  const [, started, leaseEnds] = /started +(\S+)\nlease ends +(\S+)/.exec(text)!;
  t.ok(Date.parse(started!) <= Date.parse(leaseEnds!));
  t.ok(Math.abs(Date.parse(started!) - (await job.info()).enqueuedAt!) < 5_000, 'started when it was enqueued');
  t.match(JSON.parse(await shower(t, stage)(job.id, '--json')), { state: 'active', worker: { pid: process.pid } });
  held.open();
  await job.result();
}); // prettier-ignore

scene('the job of a cron entry has its tick', async (t, stage) => {
  const queue = stage.queue();
  await queue.schedule('nightly', { cron: '0 2 * * *', fn: 'clean' });
  const { id } = await queue.runSchedule('nightly');
  const { tick } = await queue.job(id).info();
  t.match(await shower(t, stage)(id), new RegExp(`^tick +${new Date(tick!).toISOString()}$`, 'm'));
});

scene('a step of a flow comes with the flow, in each stage of it', async (t, stage) => {
  const [fetching, resizing] = [gate(), gate()];
  const jobs = {
    fetch: fetching.pass,
    resize: (name: string, width: number) => (width === 2 ? resizing.pass(name) : name),
    notify: (names: string[], to: string) => `${to}: ${names.join(', ')}`,
  };
  const queue = stage.queue();
  const widths = group([step('resize', [1]), step('resize', [2])]);
  const last = await queue.enqueue(chain(step('fetch', ['cat']), widths, step('notify', ['me'])));
  const flow = last.id.slice(0, -2);
  const show = shower(t, stage);
  const tree = (marks: string, ...states: string[]) => {
    const row = (i: number, indent: number, fn: string) =>
      `${' '.repeat(indent - 2)}${marks[i]} ${flow}.${i}  ${fn}`.padEnd(flow.length + 16) + `  ${states[i]}`;
    return [`flow ${flow}`, '  chain', row(0, 4, 'fetch'), '    group', row(1, 6, 'resize'), row(2, 6, 'resize'), row(3, 4, 'notify')];
  };

  const begun = await show(last.id);
  t.same(treeOf(begun), tree('   >', 'queued', 'waiting', 'waiting', 'waiting'));
  t.match(begun, /^arguments +\["me"\] {2}\(the result before it comes first\)$/m);
  t.match(begun, new RegExp(`^waits for +${flow}\\.1, ${flow}\\.2$`, 'm'));

  stage.worker(jobs);
  await until(() => fetching.running === 1);
  t.same(treeOf(await show(`${flow}.0`)), tree('>   ', 'active', 'waiting', 'waiting', 'waiting'));
  fetching.open();
  await until(async () => resizing.running === 1 && (await queue.job(`${flow}.1`).state()) === 'completed');
  const running = await show(`${flow}.2`);
  t.same(treeOf(running), tree('  > ', 'completed', 'completed', 'active', 'waiting'));
  t.match(running, /^arguments +\["cat",2\]$/m, 'the result before it came first');
  t.match(await show(last.id), new RegExp(`^waits for +${flow}\\.2$`, 'm'));
  resizing.open();
  await last.result();
  const done = await show(last.id);
  t.same(treeOf(done), tree('   >', 'completed', 'completed', 'completed', 'completed'));
  t.match(done, /^result +"me: cat, cat"$/m);
  t.notMatch(done, /^(waits for|failed step)/m);

  t.match(JSON.parse(await show(last.id, '--json')), {
    id: last.id,
    result: 'me: cat, cat',
    flow: {
      id: flow,
      step: 3,
      tree: { chain: [{ id: `${flow}.0`, fn: 'fetch', queue: stage.name, state: 'completed' }, { group: [{ fn: 'resize' }, {}] }, {}] },
    },
  });
}); // prettier-ignore

scene('a step alone is a flow; a step on another queue shows which; a flow that failed shows which step did', async (t, stage) => {
  const queue = stage.queue();
  const other = `${stage.name}-other`;
  const alone = await queue.enqueue(step('fail'));
  const show = shower(t, stage);
  t.same(treeOf(await show(alone.id)), [`flow ${alone.id.slice(0, -2)}`, `> ${alone.id}  fail  queued`]);

  const last = await queue.enqueue(chain(step('far', [], { queue: other }), step('near'), step('fail')));
  const flow = last.id.slice(0, -2);
  stage.worker({ far: () => { throw new Fail('no paper'); } }, { queue: other });
  await t.rejects(last.result({ timeout: '10s' }));
  const text = await show(last.id);
  const pad = ' '.repeat(`far@${other}`.length - 4);
  t.same(treeOf(text), [
    `flow ${flow}`,
    '  chain',
    `    ${flow}.0  far@${other}  failed`,
    `    ${flow}.1  near${pad}  failed`,
    `  > ${flow}.2  fail${pad}  failed`,
  ]);
  t.match(text, new RegExp(`^failed step +${flow}\\.0\nerror\n {2}Fail: no paper\n`, 'm'));
  const there = await command(['job', `${flow}.0`, '--queue', other], { redis: stage.redis.url });
  t.match(there.stdout, `  > ${flow}.0  far `, 'as seen from there');
  t.match(there.stdout, `    ${flow}.1  near@${stage.name}  failed\n`);
}); // prettier-ignore

scene('a big group is summed up: failed ones and the one asked for are shown', async (t, stage) => {
  const held = gate();
  stage.worker(
    {
      part: (i: number) => {
        if (i % 4 === 3) throw new Fail(`${i} is bad`);
        return i === 52 ? held.pass(i) : i;
      },
      fine: (i: number) => (i === 52 ? held.pass(i) : i),
      twice: (i: number) => i * 2,
      sum: (all: number[]) => all.length,
    },
    { concurrency: 20 },
  );
  const queue = stage.queue();
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  const show = shower(t, stage);
  const sum = await queue.enqueue(chord(hundred.map((i) => step('fine', [i])), step('sum')));
  const flow = sum.id.split('.')[0]!;
  await until(async () => (await queue.counts()).completed === 99);
  const rows = (text: string) =>
    treeOf(text).map((line) => line.replaceAll(`${flow}.`, '.').replace(/ +/g, ' ').trim());
  const waiting = await show(sum.id);
  t.same(rows(waiting), [
    `flow ${flow}`, 'chain', 'group', '.0 fine completed', '.1 fine completed', '97 more: completed', '.52 fine active',
    '> .100 sum waiting',
  ]);
  t.match(waiting, new RegExp(`^waits for +${flow}\\.52$`, 'm'));
  t.same(rows(await show(`${flow}.70`)).slice(3), [
    '.0 fine completed', '.1 fine completed', '96 more: completed', '.52 fine active', '> .70 fine completed',
    '.100 sum waiting',
  ]);
  held.open();
  t.equal(await sum.result(), 100);
  t.match(await show(sum.id), /^arguments +\[\[0,1,2,.*,99\]\]$/m);

  // Members that are chains count as what is worst in them.
  const members = hundred.map((i) => chain(step('part', [i]), step('twice')));
  const bad = await queue.enqueue(chord(members, step('sum')));
  await t.rejects(bad.result());
  await until(async () => (await queue.counts()).completed === 101 + 75 * 2);
  const failed = treeOf(await show(bad.id));
  const count = (pattern: RegExp) => failed.filter((line) => pattern.test(line)).length;
  t.equal(count(/ part +failed$/), 20);
  t.equal(count(/ part +completed$/), 2);
  t.equal(count(/^ {6}5 more: failed$/), 1);
  t.equal(count(/^ {6}73 more: completed$/), 1);
  t.equal(count(/^ {2}> \S+ +sum +failed$/), 1);
  t.equal(failed.length, 3 + 22 * 3 + 2 + 1);
  const tree = JSON.parse(await show(bad.id, '--json')) as { flow: { tree: { chain: [{ group: unknown[] }] } } };
  t.equal(tree.flow.tree.chain[0].group.length, 100, 'whole with --json');
}); // prettier-ignore

scene('long chains and long lists of what is waited for are summed up too', async (t, stage) => {
  const queue = stage.queue();
  const steps = Array.from({ length: 50 }, () => step('f'));
  const last = await queue.enqueue(chain(...steps, group(steps), step('g')));
  const text = await shower(t, stage)(last.id);
  t.equal(treeOf(text).length, 2 + 1 + 2 + 1 + 1);
  t.match(text, /^ {4}48 more: waiting$/m, 'all but the first, two, and the last');
  t.match(text, /^waits for +\S+\.50, \S+\.51, \S+\.52, \S+\.53, \S+\.54 and 45 more$/m);
  await last.cancel();
});

scene('an unknown id is an error of one line, a missing one wrong usage', async (t, stage) => {
  const show = run(stage);
  const [unknown, none, two] = await Promise.all([show('nobody'), show(), show('a', 'b')]);
  t.same(unknown, {
    code: 1,
    signal: null,
    stdout: '',
    stderr: 'minq: job nobody is unknown: never enqueued, removed, or no longer kept\n',
  });
  t.match(none, { code: 2, stderr: /^minq: an argument is missing; Usage: minq job <id>[^\n]*\n$/ });
  t.match(two, { code: 2, stderr: /^minq: "b" is one too many/ });
}); // prettier-ignore

scene('what caused a failure is told: in info, in the error of result, here, in the list, on the dashboard, in the log', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    call: () => fetch('http://127.0.0.1:1/'),
    any: () => Promise.any([Promise.reject(new Error('first')), Promise.reject(new RangeError('second'))]),
  });
  const call = await queue.enqueue('call', [], { retries: 1, backoff: 1 });
  const any = await queue.enqueue('any', [], { retries: 0 });
  const [called, gathered] = await Promise.all([call, any].map((each) => each.result().catch((error: Error) => error.cause)));
  t.match(called, { message: 'fetch failed', cause: { message: /./ } });
  t.match(gathered, { errors: [{ message: 'first' }, { name: 'RangeError', message: 'second' }] });
  const info = await call.info();
  t.match(info, { error: { name: 'TypeError', cause: { message: /./ } }, attempts: [{ error: { cause: {} } }] });
  const run = async (...args: string[]) => (await command([...args, '--queue', stage.name], { redis: stage.redis.url })).stdout;
  const cause = info.error!.cause!.message;
  t.match(await run('job', call.id), new RegExp(`\\n  TypeError: fetch failed\\n[^]*\\n  caused by .*${cause}`));
  t.match(await run('job', any.id), /\n {2}one of its errors: Error: first\n/);
  t.match(await run('jobs', 'failed'), /All promises were rejected \[Error: first; RangeError: second\]/);
  t.match(await run('jobs', 'failed', '--error', 'second'), any.id);
  const { get } = await site(stage);
  t.match((await get(`api/job?queue=${stage.name}&id=${any.id}`)).json, { job: { error: { causes: { text: /one of its errors: RangeError: second/ } } } });
  t.ok(stage.log.some((line) => line.startsWith('error job failed') && line.includes('[Error: first; RangeError: second]')));
  t.ok(stage.log.some((line) => line.startsWith('warn job will be retried') && line.includes(`fetch failed, caused by`)));
}); // prettier-ignore
