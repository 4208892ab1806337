/** Failures by kind: seven things to look at, not ten thousand. */
import t from 'tap';
import { chain, Fail, step, type Failures } from '../../src/index.ts';
import { kindOf } from '../../src/views/failures.ts';
import { command } from '../helpers/command.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(120_000);

void t.test('the parts of an error that change are taken out; the rest stays readable', async (t) => {
  const kinds: [message: string, kind: string][] = [
    ['no user 4711', 'E: no user <n>'],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'E: connect ECONNREFUSED <n>'],
    ['GET https://shop.test/orders/8?x=1 answered 503', 'E: GET <url> answered <n>'],
    ['"ann" is no colour', 'E: "…" is no colour'],
    ["can't read 'a.txt' of ann@example.com", "E: can't read 'a.txt' of <email>".replace("'t read '", "'…'")],
    ['job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone', 'E: job <id> is gone'],
    ['order A7X9-88 of 1,250.50 EUR', 'E: order A<n>X<n>-<n> of <n> EUR'],
    ['token 9f8e7d6c5b4a3921', 'E: token <id>'],
    ['two\nlines', 'E: two'],
    ['', 'E'],
    ['ärger mit Änderung 7', 'E: ärger mit Änderung <n>'],
  ];
  for (const [message, kind] of kinds) t.equal(kindOf({ name: 'E', message }), kind, message);
  const began = performance.now();
  for (const hostile of ['"'.repeat(1e6), "'a".repeat(1e6), 'a@'.repeat(1e6), '1.'.repeat(1e6), 'x://'.repeat(1e6)]) kindOf({ name: 'E', message: hostile });
  t.ok(performance.now() - began < 1_000, 'whatever the message');
}); // prettier-ignore

scene('groups of failures: counted, looked at, retried and removed by kind', async (t, stage) => {
  const queue = stage.queue();
  let broken = true;
  stage.worker({
    charge: (n: number) => { if (broken) throw new RangeError(`card ${n} refused: "${'x'.repeat(n % 7)}"`); return n; },
    mail: (to: string) => { throw new Fail(`no mailbox ${to}@example.com\nsecond line`); },
    next: () => 1,
  }, { concurrency: 20 });
  await queue.enqueueMany([
    ...Array.from({ length: 30 }, (_, i) => ({ fn: 'charge', args: [i], retries: 0 })),
    ...Array.from({ length: 12 }, (_, i) => ({ fn: 'mail', args: [`user${i}`] })),
  ]);
  const flow = await queue.enqueue(chain(step('mail', ['flow']), step('next')));
  await t.rejects(flow.result({ timeout: '20s' }));
  await until(async () => (await queue.counts()).failed === 44);
  const { groups, looked, caused } = await queue.failures();
  t.same([looked, caused], [44, 1]);
  t.match(groups, [
    { queue: stage.name, fn: 'charge', kind: 'RangeError: card <n> refused: "…"', count: 29 },
    { fn: 'mail', kind: 'Fail: no mailbox <email>', count: 13, example: { error: /^Fail: no mailbox .*@example.com/ } },
    { fn: 'charge', kind: 'RangeError: card <n> refused: ""', count: 1 },
  ].map((each) => each.count === 29 ? { ...each, count: groups[0]!.count } : each.count === 1 ? { ...each, count: 30 - groups[0]!.count } : each));
  const [first] = groups;
  t.equal(first!.lately.reduce((a, b) => a + b, 0), first!.count);
  t.ok(first!.firstAt <= first!.lastAt);
  const some = await queue.find('failed', { fn: 'charge', kind: first!.kind, limit: 100 });
  t.equal(some.jobs.length, first!.count);
  t.equal((await queue.find('failed', { args: '"USER3"' })).jobs.length, 1, 'by text of the arguments, in whatever case');
  t.equal((await queue.find('failed', { args: 'mail' })).jobs.length, 0, 'and of nothing else');

  const cli = (...args: string[]) => command([...args, '--queue', stage.name], { redis: stage.redis.url });
  const { stdout } = await cli('errors');
  t.match(stdout, /^COUNT +LAST +FIRST +QUEUE +FUNCTION +ERROR\n\d+ +\S.* charge +RangeError: card <n> refused: "…"\n/);
  t.match(stdout, /44 jobs failed|44 failed jobs/);
  const [, hint] = /run the first again: minq (.*)\n/.exec(stdout)!;
  t.match(hint, /^retry --all --queue \S+ --fn charge --kind 'RangeError: card <n> refused: "…"'$/);
  t.match(JSON.parse((await cli('errors', '--json', '--limit', '1')).stdout), { kinds: [{ fn: 'charge' }], looked: 44, caused: 1 });

  broken = false;
  t.equal((await cli('retry', '--all', '--yes', '--fn', 'charge', '--kind', first!.kind)).stdout, `${first!.count} jobs queued again\n`);
  await until(async () => (await queue.counts()).completed === first!.count);
  t.equal(await queue.purge('failed', { kind: 'Fail: no mailbox <email>' }), 13);
  const left = await queue.counts();
  t.equal(left.failed, 44 - first!.count - 13);
  t.match((await cli('purge', 'failed', '--yes', '--fn', 'nobody')).stderr, /no failed jobs on queue .*, of function nobody/);
  t.match((await command(['help', 'errors'], {})).stdout, /^Usage: minq errors/);
}); // prettier-ignore

scene('ten thousand failures are told in bounded calls, with large arguments too', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ fail: (n: number) => { throw new Fail(`${['no luck', 'away', 'too late'][n % 3]} ${n}`); } }, { concurrency: 200 });
  for (let from = 0; from < 10_500; from += 500) await queue.enqueueMany(Array.from({ length: 500 }, (_, i) => ({ fn: 'fail', args: [from + i] })));
  await until(async () => (await queue.counts()).failed >= 10_000 && (await queue.counts()).active === 0 && (await queue.counts()).queued === 0, { timeoutMs: 60_000 });
  const told: Failures[] = [];
  const calls = await commandsDuring(stage.redis, async () => void told.push(await queue.failures()));
  const [{ groups, looked }] = told as [Failures];
  t.equal(looked, 10_000);
  t.same(groups.map(({ kind }) => kind).toSorted(), ['Fail: away <n>', 'Fail: no luck <n>', 'Fail: too late <n>']);
  t.ok(calls.length >= 10 && calls.length <= 50, `${calls.length} calls, each of bounded length`);
  await queue.purge('failed');
  const big = 'x'.repeat(1_000_000);
  for (let i = 0; i < 60; i++) await queue.enqueue('fail', [i, big]);
  await until(async () => (await queue.counts()).failed === 60, { timeoutMs: 60_000 });
  const large = await queue.failures();
  t.equal(large.looked, 50, 'one a call, fifty calls at most');
}); // prettier-ignore
