import { minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { gate } from '../helpers/gate.ts';
import { COLOUR, onTerminal } from '../helpers/pty.ts';
import { freePort, startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';
import { answersWith, happy } from './backlog.ts';

const LINE = /^minq: [^\n]*\n$/;
const ownRedis = { redis: () => startRedis() };

interface Read {
  at: number;
  error?: string;
  queues: Record<string, unknown>[];
}

scene('stats shows states, the oldest, workers, what happened and how long functions took', async (t, stage) => {
  const stats = async (...args: string[]) =>
    happy(await command(['stats', '--queue', stage.name, ...args], { redis: stage.redis.url }));
  t.match(await stats(), /last minute +nothing is known: no worker has been here yet\n/);
  const held = gate();
  const jobs = { ok: () => 1, hold: held.pass, fail: () => { throw new Error('broken'); } };
  stage.worker(jobs, { concurrency: 3, lease: 600 });
  const queue = stage.queue();
  for (let i = 0; i < 5; i++) await (await queue.enqueue('ok')).result();
  await t.rejects((await queue.enqueue('fail', [], { retries: 1, backoff: 1 })).result());
  await queue.enqueue('later', [], { delay: '1h' });
  for (let i = 0; i < 4; i++) await queue.enqueue('hold');
  await until(async () => (await queue.functions()).find(({ fn }) => fn === 'ok')?.completed === 5);
  await until(async () => (await queue.workers())[0]?.busy === 3);

  const text = await stats();
  t.match(text, new RegExp(`^${stage.name}\n  jobs +1 queued, 3 active, 1 scheduled, 0 waiting\n  ended +5 completed, 1 failed, 0 cancelled\n  oldest +[\\d.]+m?s\n  workers +1, 3 of 3 slots busy\n`));
  t.match(text, /^ {2}last minute +\d+ enqueued, 5 completed, 1 failed, 1 retried\n {2}last hour +\d+ enqueued, 5 completed, 1 failed, 1 retried$/m);
  t.match(text, /^ {4}failed +·{57,59}[▁-█]{1,2}$/m);
  t.match(text, /^ {2}FUNCTION +DONE +FAILED +RETRIED +WAIT P50 +WAIT P95 +RUN P50 +RUN P95\n {2}fail +0 +1 +1 +[\d.]+m?s.*\n {2}ok +5 +0 +0 /m);
  const { at, queues } = JSON.parse(await stats('--json')) as Read;
  t.ok(Math.abs(at - (await queue.now())) < 60_000);
  t.match(queues, [{
    queue: stage.name,
    counts: { queued: 1, active: 3, scheduled: 1, completed: 5, failed: 1 },
    paused: false, workers: 1, slots: 3, busy: 3,
    lastHour: { completed: 5, failed: 1, retried: 1 },
    functions: [{ fn: 'fail', failed: 1, retried: 1, run: { p50: Number } }, { fn: 'ok', completed: 5, wait: { p95: Number } }],
  }]);
  t.ok((queues[0]!['oldestWaitingMs'] as number) >= 0);
  t.equal((queues[0]!['minutes'] as { failed: number[] }).failed.length, 60);

  await queue.pause();
  t.match(await stats(), new RegExp(`^${stage.name}  PAUSED\n`));
  await queue.resume();
  held.open();
}); // prettier-ignore

scene('all queues are shown that workers have worked on, else default; or those that are named', async (t, stage) => {
  const stats = async (...args: string[]) => {
    const { stdout } = await command(['stats', '--json', ...args], { redis: stage.redis.url });
    return (JSON.parse(stdout) as Read).queues.map(({ queue }) => queue);
  };
  t.same(await stats(), ['default']);
  const other = `${stage.name}-b`;
  for (const queue of [other, stage.name]) stage.worker({ f: () => 1 }, { queue });
  const queue = stage.queue();
  await until(async () => (await queue.queues()).length === 2);
  t.same(await stats(), [stage.name, other]);
  t.same(await stats('--queue', 'x', '--queue', stage.name, '--queue', 'x'), ['x', stage.name]);
}, ownRedis); // prettier-ignore

scene('a function whose name was made to do harm moves no cursor', async (t, stage) => {
  const evil = '\u001b[2J\u009b31m\u202eevil';
  await stage.redis.client.hset(`minq:{${stage.name}}:timings`, `${evil} ended completed`, '7');
  for (const more of [[], ['--json']]) {
    const text = happy(await command(['stats', '--queue', stage.name, ...more], { redis: stage.redis.url }));
    t.notMatch(text.replaceAll('\n', ''), /\p{Cc}|\u202e/u);
    t.match(text, '\\u001b[2J\\u009b31m\\u202eevil');
  }
}); // prettier-ignore

scene('--watch elsewhere than on a terminal: a block or a line of JSON each second, until a signal', async (t, stage) => {
  const options = { redis: stage.redis.url };
  const watch = (...args: string[]) => minq(t, ['stats', '--watch', '--queue', stage.name, ...args], options);
  const running = [watch(), watch('--json')] as const;
  const seen = ['', ''];
  for (const [i, { child }] of running.entries()) child.stdout!.on('data', (text: string) => (seen[i] += text));
  await until(() => seen[0]!.split(`${stage.name}\n`).length > 3 && seen[1]!.split('\n').length > 3);
  const queue = stage.queue();
  await queue.enqueue('f');
  await until(() => /1 queued/.test(seen[0]!) && /"queued":1/.test(seen[1]!));
  const [text, json] = [await running[0].end('SIGINT'), await running[1].end('SIGTERM')];
  for (const { code, stderr, stdout } of [text, json]) {
    t.same([code, stderr], [0, '']);
    t.notMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u, 'no controls for a file');
  }
  const lines = json.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Read);
  t.match(lines.at(-1), { queues: [{ queue: stage.name, counts: { queued: 1 } }] });
  const times = lines.map(({ at }) => at);
  t.ok(times.every((at, i) => i === 0 || at - times[i - 1]! >= 900), 'a second apart');

  // Whoever reads it goes away, as head does.
  const left = watch();
  left.child.stdout!.once('data', () => left.child.stdout!.destroy());
  t.equal((await left.ended).code, 0);
}); // prettier-ignore

scene('--watch says that Redis is away, and goes on when it is back', async (t, stage) => {
  const watch = minq(t, ['stats', '--watch', '--json'], { redis: stage.redis.url });
  const terminal = onTerminal(t, ['stats', '--watch'], stage.redis.url);
  let seen = '';
  watch.child.stdout!.on('data', (text: string) => (seen += text));
  await until(() => /"queue":"default"/.test(seen));
  await terminal.says(/oldest/);
  await stage.redis.kill();
  await until(() => /^\{"error":"Redis is away: [^\n]*\}$/m.test(seen));
  await until(() => /^Redis is away: .*ECONNREFUSED/.test(terminal.screen[0]!));
  t.match(terminal.screen.slice(2), ['default'], 'what was known last is still shown');
  await stage.redis.restart();
  const [there, here] = [seen.length, terminal.output.length];
  await until(() => /"queue":"default"/.test(seen.slice(there)));
  await until(() => terminal.output.length > here && terminal.screen[0] === 'default');
  t.equal((await watch.end('SIGINT')).code, 0);
  terminal.type('\u0003');
  t.equal((await terminal.ended).code, 0);
}, ownRedis); // prettier-ignore

scene('--watch on a terminal draws in place, fits it, and gives it back', async (t, stage) => {
  const queue = stage.queue();
  const terminal = onTerminal(t, ['stats', '--watch', '--queue', stage.name], stage.redis.url, { columns: 60, rows: 6 });
  await terminal.says(/oldest/);
  t.equal(terminal.screen.length, 6);
  t.equal(terminal.screen[0], stage.name);
  t.match(terminal.screen[5], /^… \d more lines \(↓\)$/);
  t.ok(terminal.screen.every((line) => line.length <= 60));
  t.match(terminal.output, '\u001b[?1049h\u001b[?25l\u001b[?7l');
  t.notMatch(terminal.output, '\u001b[?25h');
  await queue.enqueueMany([{ fn: 'f' }, { fn: 'f' }]);
  await until(() => / 2 queued/.test(terminal.screen[1]!));
  const before = terminal.output.length;
  terminal.resize(30, 12);
  await until(() => terminal.output.length > before && terminal.screen.length === 7 && terminal.screen[1]!.endsWith('…'));
  t.ok(terminal.screen.every((line) => line.length <= 30), terminal.screen.join('\n'));
  terminal.type('\u0003');
  const { code, output } = await terminal.ended;
  t.equal(code, 0);
  const last = output.split('\u001b[?7h\u001b[?25h\u001b[?1049l');
  t.equal(last.length, 2, 'given back once');
  t.match(last[1], new RegExp(`^${stage.name}\r\n  jobs +2 queued`), 'the last frame stays');
  t.notMatch(last[1]!.replaceAll('\r\n', '').replace(COLOUR, ''), /\p{Cc}/u);
  t.match(last[1], '\u001b[31mNONE ALIVE\u001b[0m');
}); // prettier-ignore

scene('the terminal is given back also when the command fails while it watches', async (t, stage) => {
  const terminal = onTerminal(t, ['stats', '--watch', '--queue', stage.name], stage.redis.url);
  await terminal.says(/oldest/);
  stage.allow(/./);
  await stage.redis.client.set(`minq:{${stage.name}}:stats`, 'of the wrong type');
  const { code, output } = await terminal.ended;
  t.equal(code, 1);
  t.match(output.split('\u001b[?7h\u001b[?25h\u001b[?1049l')[1], /\r\nminq: [^\n]*WRONGTYPE[^\n]*\n$/);
  await stage.redis.client.del(`minq:{${stage.name}}:stats`);
}); // prettier-ignore

scene('wrong usage ends with 2; without Redis with 1, in time', async (t) => {
  const redis = `redis://127.0.0.1:${await freePort()}`;
  const wrong: [args: string[], says: RegExp][] = [
    [['now'], /"now" is one too many; Usage: minq stats/],
    [['--queue', 'a b'], /--queue: "a b" is not usable/],
    [['--every', '1s'], /Unknown option '--every'/],
  ];
  await Promise.all([
    ...wrong.map(async ([args, says]) => {
      const { code, stdout, stderr } = await command(['stats', ...args], { redis });
      t.same([code, stdout], [2, '']);
      t.match(stderr, says);
      t.match(stderr, LINE);
    }),
    ...[[], ['--watch'], ['--watch', '--json']].map(async (args) => {
      const { code, stdout, stderr } = await command(['stats', ...args], { redis });
      t.same([code, stdout], [1, '']);
      t.match(stderr, /ECONNREFUSED/);
      t.equal(stderr.trimEnd().split('\n').length, 1);
    }),
  ]);
}); // prettier-ignore

answersWith(10_000);

scene('--watch scrolls by keys, and ends by q', async (t, stage) => {
  const terminal = onTerminal(t, ['stats', '--watch', '--queue', stage.name], stage.redis.url, { columns: 80, rows: 4 });
  await terminal.says(/more lines/);
  const shows = (first: RegExp) => until(() => first.test(terminal.screen[0]!), { what: String(first) });
  t.equal(terminal.screen[0], stage.name);
  terminal.type('\u001b[B');
  await shows(/^ {2}jobs /);
  terminal.type('j');
  await shows(/^ {2}ended /);
  terminal.type('k');
  await shows(/^ {2}jobs /);
  terminal.type('\u001b[6~\u001b[6~\u001b[6~\u001b[6~\u001b[6~');
  await until(() => /^ {2}last hour/.test(terminal.screen.findLast((line) => line !== '')!), { what: 'the end' });
  terminal.type('\u001b[5~\u001b[5~\u001b[5~\u001b[5~\u001b[5~');
  await shows(new RegExp(`^${stage.name}$`));
  terminal.type('q');
  t.equal((await terminal.ended).code, 0);
}); // prettier-ignore

scene('colours where a terminal shows them and nobody minds; widths of 60 and 200 without a broken line', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ charge: (what: { text: string }) => { throw new Error(`the card of ${what.text} was declined`); } });
  for (let n = 0; n < 3; n++) await queue.enqueue('charge', [{ text: 'a customer with a rather long name 😀 '.repeat(3) }], { retries: 0 });
  await until(async () => (await queue.counts()).failed === 3);
  const { id } = (await queue.jobs('failed'))[0]!;
  const of = ['--queue', stage.name];
  for (const args of [['errors', ...of], ['jobs', 'failed', ...of], ['job', id, ...of], ['stats', ...of], ['workers', ...of]]) {
    for (const columns of [60, 200]) {
      const terminal = onTerminal(t, args, stage.redis.url, { columns, rows: 50 });
      const { code, output } = await terminal.ended;
      t.equal(code, 0, args[0]!);
      if (!['workers', 'job'].includes(args[0]!)) t.match(output, '\u001b[31m', `${args[0]}: what is wrong is red`);
      const lines = output.replace(COLOUR, '').split('\r\n').slice(1);
      // What is there to be copied whole, and a job's own facts, may be longer.
      const cut = lines.filter((line) => !/^(minq |next page|run the first)/.test(line) && args[0] !== 'job');
      t.ok(cut.every((line) => line.length <= columns), `${args[0]} at ${columns}: ${cut.find((line) => line.length > columns)}`);
    }
  }
  const piped = (env: Record<string, string>) => command(['errors', ...of], { redis: stage.redis.url, env });
  t.notMatch((await piped({})).stdout, '\u001b', 'a pipe gets none');
  t.match((await piped({ FORCE_COLOR: '1' })).stdout, '\u001b[31m');
  t.notMatch((await piped({ FORCE_COLOR: '1', NO_COLOR: '1' })).stdout, '\u001b');
}); // prettier-ignore
