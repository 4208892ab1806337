import { minq, type Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { gate } from '../helpers/gate.ts';
import { freePort } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';
import type { Test } from 'tap';

const LINE = /^minq: [^\n]*\n$/;

interface Page {
  total: number;
  next: number | null;
  jobs: { id: string; state: string; args: unknown[] }[];
}

/** `minq jobs <args>` on the queue of the stage. */
const run =
  (stage: Stage, env: Record<string, string> = {}) =>
  (...args: string[]): Promise<Ended> =>
    command(['jobs', ...args, '--queue', stage.name], { redis: stage.redis.url, env });

/** What it prints, which must be without fault. */
const lister = (t: Test, stage: Stage, env: Record<string, string> = {}) => async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(stage, env)(...args);
  t.same([code, stderr], [0, '']);
  return stdout;
}; // prettier-ignore

const fail = (text: string) => {
  throw new TypeError(text);
};

scene('the jobs of every state, each with the time that counts there', async (t, stage) => {
  const held = gate();
  stage.worker({ ok: (n: number) => n, fail, hold: held.pass }, { concurrency: 1, lease: 600 });
  const queue = stage.queue();
  await (await queue.enqueue('ok', [1], { id: 'done' })).result();
  await t.rejects((await queue.enqueue('fail', ['no paper'], { id: 'bad', retries: 0 })).result());
  await queue.enqueue('ok', [2], { id: 'later', delay: '2h' });
  await (await queue.enqueue('ok', [3], { id: 'off', delay: '1h' })).cancel();
  await queue.enqueue('hold', [], { id: 'runs' });
  await until(async () => (await queue.workers())[0]?.running[0]?.id === 'runs');
  await queue.enqueue('ok', [{ deep: ['x'] }], { id: 'next' });
  const list = lister(t, stage);
  const ago = String.raw`[\d.]+m?s`;
  const expected: [state: string, heads: string, row: string][] = [
    ['completed', 'ENDED', `done +ok +\\[1\\] +1 +${ago} ago`],
    ['failed', 'ENDED +ERROR', `bad +fail +\\["no paper"\\] +1 +${ago} ago +TypeError: no paper`],
    ['scheduled', 'DUE', String.raw`later +ok +\[2\] +1 +in 1h 59m`],
    ['cancelled', 'ENDED +ERROR', `off +ok +\\[3\\] +1 +${ago} ago +cancelled`],
    ['active', 'RUNS', `runs +hold +\\[\\] +1 +${ago}`],
    ['queued', 'WAITS', String.raw`next +ok +\[{"deep":\["x"\]}\] +1 +${ago}`.replace('${ago}', ago)],
  ];
  for (const [state, heads, row] of expected) {
    const end = `\n1 ${state} job on queue ${stage.name}\n`;
    t.match(await list(state), new RegExp(`^ID +FUNCTION +ARGUMENTS +ATTEMPT +${heads}\n${row}\n${end}$`));
    const { total, next, jobs } = JSON.parse(await list(state, '--json')) as Page;
    t.same([total, next, jobs.map((each) => each.state)], [1, null, [state]]);
  }
  t.equal(await list('waiting'), `0 waiting jobs on queue ${stage.name}\n`);
  t.same(JSON.parse(await list('waiting', '--json')), { total: 0, next: null, jobs: [] });
  held.open();
}); // prettier-ignore

scene('pages: the command for the next one is said, and what it says is the rest', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueueMany(Array.from({ length: 25 }, (_, i) => ({ fn: 'f', args: [i] })));
  const list = lister(t, stage);
  const ids: unknown[] = [];
  let args = ['queued', '--limit', '10'];
  for (const shown of [10, 10, 5]) {
    const text = await list(...args);
    ids.push(...[...text.matchAll(/ \[(\d+)\] /g)].map((match) => Number(match[1])));
    t.match(text, `\n\n${shown} shown; 25 queued jobs in all on queue ${stage.name}\n`);
    const next = /\nnext page: minq jobs (.*)\n$/.exec(text)?.[1];
    if (shown === 5) t.equal(next, undefined);
    else args = next!.split(' ').filter((word, i, all) => word !== '--queue' && all[i - 1] !== '--queue');
  }
  t.same(ids, Array.from({ length: 25 }, (_, i) => i));
  t.equal((JSON.parse(await list('queued', '--json', '--limit', '10')) as Page).next, 10);
  t.notMatch(await list('queued', '--limit', '25'), 'next page', 'full, and yet the last one');
  t.equal((JSON.parse(await list('queued', '--json', '--limit', '25')) as Page).next, null);
  t.match(await list('queued', '--offset', '30'), /^0 shown; 25 queued jobs in all/);
}); // prettier-ignore

scene('filters by function and by a piece of the error; they are in the command for the next page', async (t, stage) => {
  stage.worker({ fail, other: fail });
  const queue = stage.queue();
  const jobs = Array.from({ length: 9 }, (_, i) => ({
    fn: i % 3 ? 'fail' : 'other', args: [`it's ${i % 2 ? 'ECONNREFUSED' : 'out of paper'}`], retries: 0,
  }));
  await queue.enqueueMany(jobs);
  await until(async () => (await queue.counts()).failed === 9);
  const list = lister(t, stage);
  const count = async (...args: string[]) => (JSON.parse(await list('failed', '--json', ...args)) as Page).jobs.length;
  t.equal(await count('--fn', 'fail'), 6);
  t.equal(await count('--error', "IT'S ECONN"), 4);
  t.equal(await count('--fn', 'other', '--error', 'paper'), 2);
  t.equal(await count('--fn', 'nobody'), 0);
  const text = await list('failed', '--fn', 'fail', '--error', "it's", '--limit', '2');
  t.match(text, /\n2 shown; 9 failed jobs in all on queue/);
  t.match(text, String.raw`next page: minq jobs failed --queue ${stage.name} --fn fail --error 'it'\''s' --limit 2 --offset `);
}); // prettier-ignore

scene('hostile names, arguments and errors move no cursor; the table fits the width there is', async (t, stage) => {
  stage.worker({ fail });
  const queue = stage.queue();
  const evil = 'out of\u001b[31m paper\u009b2J\u202e\nminq: forged';
  await t.rejects((await queue.enqueue('fail', [evil, 'x'.repeat(100_000)], { retries: 0, id: 'evil' })).result());
  // As no client of ours would write it.
  const record = `minq:{${stage.name}}:jobs`;
  const text = (await stage.redis.client.hget(record, 'evil'))!;
  await stage.redis.client.hset(record, 'evil', text.replace('"fn":"fail"', String.raw`"fn":"e\u001b[1A\u2066"`));
  await t.rejects((await queue.enqueue('fail', ['漢字'.repeat(60), '🦊'.repeat(60)], { retries: 0 })).result());
  const [wide, narrow, json] = await Promise.all([
    lister(t, stage)('failed'),
    lister(t, stage, { COLUMNS: '80' })('failed'),
    lister(t, stage)('failed', '--json'),
  ]);
  for (const text of [wide, narrow, json]) t.notMatch(text.replaceAll('\n', ''), /\p{Cc}|[\u202e\u2066]/u);
  t.match(wide, /TypeError: out of\\u001b\[31m paper\\u009b2J\\u202e\\nminq: forged\n/);
  t.ok(wide.split('\n').every((line) => line.length < 600), 'long arguments are cut');
  const lines = narrow.split('\n').slice(0, 3);
  t.equal(lines.length, 3);
  // Two columns for each of these.
  const columns = (line: string) => line.replaceAll(/[漢字]|🦊/gu, '..').length;
  for (const line of lines) t.ok(columns(line) <= 80, line);
  t.match(lines[1], /漢.*…/);
  t.match(lines[2], /^evil +e\\u001b\[1A.* /);
  const { jobs } = JSON.parse(json) as Page;
  t.same([jobs[1]!.id, jobs[1]!.args], ['evil', [evil, 'x'.repeat(100_000)]], 'whole with --json');
}); // prettier-ignore

scene('a reader may take its time: nothing is lost', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueueMany(Array.from({ length: 50 }, () => ({ fn: 'f', args: ['x'.repeat(20_000)] })));
  const listing = minq(t, ['jobs', 'queued', '--json', '--queue', stage.name], { redis: stage.redis.url });
  const { stdout } = listing.child;
  stdout!.pause();
  // It has printed all it can, and is through with Redis.
  await until(async () => String(await stage.redis.client.client('LIST')).split(' name=minq:queue ').length === 3);
  await until(async () => String(await stage.redis.client.client('LIST')).split(' name=minq:queue ').length === 2);
  await new Promise((resolve) => setTimeout(resolve, 500)); // it used to end 100 ms later
  stdout!.resume();
  const ended = await listing.ended;
  t.equal(ended.code, 0);
  t.equal((JSON.parse(ended.stdout) as Page).jobs.length, 50);
}); // prettier-ignore

scene('job shows the attempts that failed before', async (t, stage) => {
  const held = gate();
  let runs = 0;
  stage.worker({
    flaky: () => {
      if (++runs < 3) throw new RangeError(`attempt\u001b[2J ${runs}`);
      return held.pass();
    },
  });
  const queue = stage.queue();
  const job = await queue.enqueue('flaky', [], { retries: 5, backoff: 1 });
  await until(() => runs === 3);
  const show = async (...args: string[]) => {
    const { code, stdout } = await command(['job', job.id, '--queue', stage.name, ...args], { redis: stage.redis.url });
    t.equal(code, 0);
    return stdout;
  };
  t.match(await show(), /\n\nattempts that failed before\n {5}ENDED +ERROR\n {2}1 {2}20\S+Z {2}after [\d.]+ m?s +RangeError: attempt\\u001b\[2J 1\n/);
  held.open();
  await job.result();
  const text = await show();
  t.match(text, /^state +completed$/m);
  t.match(text, / {2}1 {2}20\S+Z .*RangeError: attempt\\u001b\[2J 1\n {2}2 {2}20\S+Z .*RangeError: attempt\\u001b\[2J 2\n$/);
  t.match(JSON.parse(await show('--json')), { attempts: [{ attempt: 1, error: { name: 'RangeError' } }, { attempt: 2 }] });
}); // prettier-ignore

scene('wrong usage ends with 2; without Redis with 1', async (t, stage) => {
  const away = `redis://127.0.0.1:${await freePort()}`;
  const wrong: [args: string[], says: RegExp][] = [
    [[], /an argument is missing; Usage: minq jobs <state>/],
    [['broken'], /state: "broken" is no state; give one of .*queued/],
    [['__proto__'], /state: "__proto__" is no state/],
    [['failed', 'x'], /"x" is one too many/],
    [['failed', '--limit', '0'], /limit/],
    [['failed', '--limit', '1001'], /limit/],
    [['failed', '--limit', 'ten'], /--limit: "ten" is no whole number/],
    [['failed', '--offset', '-1'], /offset/],
  ];
  await Promise.all([
    ...wrong.map(async ([args, says]) => {
      const { code, stdout, stderr } = await run(stage)(...args);
      t.same([code, stdout], [2, ''], args.join(' '));
      t.match(stderr, says);
      t.match(stderr, LINE);
    }),
    (async () => {
      const { code, stdout, stderr } = await command(['jobs', 'failed'], { redis: away });
      t.same([code, stdout], [1, '']);
      t.match(stderr, LINE);
      t.match(stderr, /ECONNREFUSED/);
    })(),
  ]);
}); // prettier-ignore
