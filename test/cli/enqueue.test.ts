import { readFileSync } from 'node:fs';
import type { Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { freePort, startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';

/** One line, without a stack. */
const LINE = /^minq: [^\n]*\n$/;

scene('enqueue prints the id, and with --wait the result as JSON', async (t, stage) => {
  stage.worker({
    add: (a: number, b: number) => a + b,
    nothing: () => undefined,
  });
  const run = (...args: string[]) =>
    command(['enqueue', ...args, '--queue', stage.name], { redis: stage.redis.url });
  const [plain, json, waited, waitedJson, nothing, named] = (await Promise.all([
    run('add', '[1, 2]'),
    run('add', '[1, 2]', '--json'),
    run('add', '[1, 2]', '--wait'),
    run('add', '[1, 2]', '--wait', '--json', '--timeout', '30s'),
    run('nothing', '--wait'),
    run('add', '["a", "b"]', '--id', 'mine', '--priority', 'high', '--wait'),
  ])) as [Ended, Ended, Ended, Ended, Ended, Ended];
  t.match(plain.stdout, /^\S+\n$/);
  t.equal(await stage.queue().job(plain.stdout.trim()).result(), 3);
  t.match(JSON.parse(json.stdout), { id: /^\S+$/ });
  t.equal(waited.stdout, '3\n');
  t.match(JSON.parse(waitedJson.stdout), { id: /^\S+$/, result: 3 });
  t.equal(nothing.stdout, 'null\n');
  t.equal(named.stdout, '"ab"\n');
  for (const { code, stderr } of [plain, json, waited, waitedJson, nothing, named]) {
    t.same([code, stderr], [0, '']);
  }
});

scene('enqueue sets the options it is given', async (t, stage) => {
  const args = ['enqueue', 'add', '[1]', '--queue', stage.name, '--id', 'mine', '--delay', '1h'];
  const options = { redis: stage.redis.url };
  const first = await command([...args, '--retries', '7'], options);
  t.same([first.code, first.stdout, first.stderr], [0, 'mine\n', '']);
  const info = await stage.queue().job('mine').info();
  t.match(info, { state: 'scheduled', args: [1], fn: 'add' });
  const record = await stage.redis.client.hget(`minq:{${stage.name}}:jobs`, 'mine');
  t.match(JSON.parse(record!.slice(13)), { retries: 7, delay: 3_600_000 });

  const again = await command(args, options);
  t.same([again.code, again.stdout], [0, 'mine\n'], 'a second one is no error');
  t.match(again.stderr, /job mine existed already/);
});

scene('enqueue --wait ends with 1 when the job fails or takes too long', async (t, stage) => {
  stage.worker({
    fail: () => {
      throw new TypeError('out of\u001b[31m paper');
    },
  });
  const run = (...args: string[]) =>
    command(['enqueue', ...args, '--queue', stage.name, '--wait'], { redis: stage.redis.url });
  const [failed, verbose, late] = (await Promise.all([
    run('fail', '--retries', '0'),
    run('fail', '--retries', '0', '--verbose'),
    run('fail', '--delay', '1h', '--timeout', '50ms'),
  ])) as [Ended, Ended, Ended];
  t.equal(failed.code, 1);
  t.match(failed.stderr, LINE);
  t.match(failed.stderr, /\(fail\) failed: TypeError: out of\\u001b\[31m paper/);
  t.equal(verbose.code, 1);
  t.match(
    verbose.stderr,
    /caused by TypeError: out of\\u001b\[31m paper\n +at .*cli\/enqueue\.test/,
  );
  t.equal(late.code, 1);
  t.match(late.stderr, LINE);
  t.match(late.stderr, /gave no result within 50 ms/);
  t.equal(failed.stdout + verbose.stdout + late.stdout, '');
});

scene('a wrong command line ends with 2 and one line, and enqueues nothing', async (t, stage) => {
  const wrong: [args: string[], says: RegExp][] = [
    [['nonsense'], /unknown command "nonsense"; known are worker, dev, dashboard, enqueue/],
    [['constructor'], /unknown command "constructor"/],
    [['--nonsense'], /unknown command "--nonsense"/],
    [['enqueue'], /an argument is missing; Usage: minq enqueue <fn>/],
    [['enqueue', 'f', '[]', 'x'], /"x" is one too many/],
    [['enqueue', 'f', '{"a":1}'], /json-args: give the array/],
    [['enqueue', 'f', '[1,'], /json-args: \[1, is no JSON/],
    [['enqueue', '__proto__'], /fn: "__proto__" can't be the name of a job/],
    [['enqueue', 'f', '--nope'], /Unknown option '--nope'/],
    [['enqueue', 'f', '--queue'], /'--queue <value>' argument missing/],
    [['enqueue', 'f', '--queue', 'a{b'], /queue: "a\{b" is not usable/],
    [['enqueue', 'f', '--delay', 'soon'], /delay: "soon"/],
    [['enqueue', 'f', '--retries', '1.5'], /--retries: "1\.5" is no whole number/],
    [['enqueue', 'f', '--priority', 'urgent'], /priority: "urgent"/],
    [['enqueue', 'f', '--wait', '--timeout', 'long'], /--timeout: "long"/],
    [['enqueue', 'f', '--timeout', '5s'], /--timeout goes with --wait/],
  ];
  await Promise.all(
    wrong.map(async ([args, says]) => {
      const { code, stdout, stderr } = await command(args, { redis: stage.redis.url });
      t.equal(code, 2, args.join(' '));
      t.match(stderr, says);
      t.match(stderr, LINE);
      t.equal(stdout, '');
    }),
  );
  t.same(await stage.redis.client.keys('minq:{default}:*'), []);
});

scene('--help and --version answer on standard output', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const run = (...args: string[]) => command(args);
  const [help, none, versions, ...commands] = (await Promise.all([
    run('--help'),
    run(),
    run('--version'),
    run('worker', '--help'),
    run('dev', '-h'),
    run('enqueue', 'f', '--help'),
  ])) as [Ended, Ended, Ended, Ended, Ended, Ended];
  t.match(help.stdout, /Usage: minq <command>.* worker +run.* dev +.* enqueue +/s);
  t.same([help.code, help.stderr], [0, '']);
  t.same([none.code, none.stdout], [2, help.stdout]);
  t.same([versions.code, versions.stdout], [0, `${version}\n`]);
  for (const [i, name] of ['worker [<file>...]', 'dev [<file>...]', 'enqueue <fn>'].entries()) {
    t.equal(commands[i]!.code, 0);
    t.match(commands[i]!.stdout, `Usage: minq ${name}`);
  }
});

scene(
  'where Redis is away, enqueue ends within its deadline with 1 and one line',
  async (t, stage) => {
    const dead = `redis://:canary-77@127.0.0.1:${await freePort()}`;
    stage.redis.signal('SIGSTOP');
    const startedAt = performance.now();
    const [away, frozen, verbose] = (await Promise.all([
      command(['enqueue', 'add'], { redis: dead }),
      command(['enqueue', 'add'], { redis: stage.redis.url }),
      command(['enqueue', 'add', '--verbose'], { redis: dead }),
    ])) as [Ended, Ended, Ended];
    t.ok(performance.now() - startedAt < 12_000, 'the deadline is 5 s');
    stage.redis.signal('SIGCONT');
    for (const { code, stderr } of [away, frozen]) {
      t.equal(code, 1);
      t.match(stderr, LINE);
    }
    t.match(away.stderr, /ECONNREFUSED/);
    t.match(verbose.stderr, /RedisUnavailableError: .*\n +at /);
    t.notMatch(away.stderr + verbose.stderr, 'canary');
  },
  { redis: () => startRedis() },
);
