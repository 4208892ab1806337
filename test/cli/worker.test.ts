import { app, JOBS, minq } from '../helpers/cli.ts';
import { startRedis } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

scene('each job has a line for its start and one for its end', async (t, stage) => {
  const worker = minq(t, ['worker', JOBS, '--queue', stage.name], { redis: stage.redis.url });
  const queue = stage.queue();
  const added = await queue.enqueue('add', ['canary-5d1f', { secret: 'canary-5d1f' }]);
  const failed = await queue.enqueue('fail', ['no luck'], { retries: 1, backoff: 1 });
  await added.result();
  await t.rejects(failed.result(), { name: 'JobFailedError' });
  const { code, stderr, stdout } = await worker.end();
  t.equal(code, 0);
  t.equal(stdout, '');
  const of = (id: string) => stderr.split('\n').filter((line) => line.includes(` id=${id} `));
  t.match(of(added.id), [
    /^[\d:.]{12} info {2}job started id=\S+ fn=add attempt=1 waitMs=\d+$/,
    /^[\d:.]{12} info {2}job completed id=\S+ fn=add attempt=1 ranMs=[\d.]+$/,
  ]);
  t.match(of(failed.id), [
    /info {2}job started .* attempt=1/,
    /warn {2}job will be retried .* attempt=1 ranMs=[\d.]+ inMs=\d+ error="Error: no luck"$/,
    /info {2}job started .* attempt=2/,
    /error job failed .* attempt=2 ranMs=[\d.]+ error="Error: no luck"$/,
  ]);
  t.equal(of(added.id).length, 2);
  t.equal(of(failed.id).length, 4);
  t.notMatch(stderr, 'canary', 'arguments are not logged');
});

scene('with --json every line parses, errors of the command itself too', async (t, stage) => {
  const options = { redis: stage.redis.url };
  const worker = minq(t, ['worker', JOBS, '--queue', stage.name, '--json', '--verbose'], options);
  const queue = stage.queue();
  const job = await queue.enqueue('add', [1, 2]);
  const failed = await queue.enqueue('fail', ['line\nbreak'], { retries: 0 });
  await Promise.allSettled([job.result(), failed.result()]);
  const { stderr } = await worker.end();
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(
    lines.filter((line) => line['id'] === job.id),
    [
      { level: 'info', message: 'job started', fn: 'add', attempt: 1, waitMs: Number },
      { level: 'info', message: 'job completed', fn: 'add', attempt: 1, ranMs: Number },
    ],
  );
  t.match(
    lines.find((line) => line['message'] === 'job failed'),
    { id: failed.id, error: 'Error: line\nbreak' },
  );
  for (const line of lines) t.match(line['time'], /^\d{4}-.*Z$/);

  const wrong = await minq(t, ['worker', 'missing.ts', '--json'], options).ended;
  t.match(JSON.parse(wrong.stderr), { level: 'error', message: /does not exist/ });
  t.equal(wrong.code, 2);
});

scene('control characters can neither forge a line nor move the cursor', async (t, stage) => {
  const evil = 'a\n12:00:00.000 info  job completed id=forged\u001b[2J\u009b31m\u202e\u0007';
  const options = { redis: stage.redis.url };
  const args = ['worker', JOBS, '--queue', stage.name];
  const [text, json] = [minq(t, args, options), minq(t, [...args, '--json'], options)];
  const workers = [text, json];
  for (const worker of workers) await worker.says(/worker started/);
  const queue = stage.queue();
  const run = async (fn: string) =>
    t.rejects((await queue.enqueue(fn, [evil], { retries: 0 })).result());
  // Until both workers have had some.
  for (let i = 0; i < 50; i++) {
    await run('fail');
    if (workers.every((worker) => worker.stderr.includes('job failed'))) break;
  }
  // Redis may hold what no queue of minq would have let in.
  const foreign = { id: `id ${evil}`, how: '', json: JSON.stringify({ fn: evil, args: [] }) };
  await stage.store().enqueue([foreign]);
  await until(() => workers.some((worker) => worker.stderr.includes('UnknownFunctionError')));
  await json.end();
  await run('rejectOutside');
  await text.end();
  t.match(text.stderr, 'unhandled rejection in a job: a\\n12:00');
  for (const { stderr } of workers) {
    t.match(stderr, 'forged');
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    t.notMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    t.notMatch(stderr, /^12:00:00\.000/m);
  }
  const cli = await minq(t, ['enqueue', 'add', '[]', `--${evil}`], options).ended;
  t.equal(cli.stderr.split('\n').length, 2, 'one line');
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  t.notMatch(cli.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

scene('--queue may be repeated, each with a concurrency of its own', async (t, stage) => {
  const [a, b] = [`${stage.name}-a`, `${stage.name}-b`];
  const args = ['worker', JOBS, '--queue', `${a}=2`, '--queue', b, '--concurrency', '3'];
  const worker = minq(t, args, { redis: stage.redis.url });
  const queue = stage.queue();
  const send = (name: string) =>
    queue.enqueueMany(
      Array.from({ length: 6 }, () => ({ fn: 'wait', args: [60_000], queue: name })),
    );
  await Promise.all([send(a), send(b)]);
  const running = (name: string) => stage.redis.client.zcard(`minq:{${name}}:active`);
  await until(async () => (await running(a)) === 2 && (await running(b)) === 3);
  t.match(worker.stderr, new RegExp(`worker started queue=${a} concurrency=2 `));
  t.match(worker.stderr, new RegExp(`worker started queue=${b} concurrency=3 `));
  worker.child.kill();
  await worker.says(/stopping/);
  t.equal((await worker.end('SIGINT')).code, 1, 'hurried by the second signal');
  t.same(await Promise.all([running(a), running(b)]), [0, 0]);
});

scene('--burst ends when nothing is left to run now', async (t, stage) => {
  const queue = stage.queue();
  const jobs = [
    await queue.enqueue('add', [1, 1]),
    await queue.enqueue('add', [2, 2]),
    await queue.enqueue('fail', ['x'], { retries: 0 }),
  ];
  const later = await queue.enqueue('add', [3, 3], { delay: '1h' });
  const { code, stderr } = await minq(t, ['worker', JOBS, '--queue', stage.name, '--burst'], {
    redis: stage.redis.url,
  }).ended;
  t.equal(code, 0, stderr);
  t.same(await Promise.all(jobs.map((job) => job.state())), ['completed', 'completed', 'failed']);
  t.equal(await later.state(), 'scheduled');
});

scene('a worker goes on when the reader of its output has gone', async (t, stage) => {
  const worker = minq(t, ['worker', JOBS, '--queue', stage.name], { redis: stage.redis.url });
  await worker.says(/worker started/);
  worker.child.stderr!.destroy();
  const queue = stage.queue();
  for (let i = 0; i < 5; i++) t.equal(await (await queue.enqueue('add', [i, 1])).result(), i + 1);
  worker.child.kill();
  t.equal((await worker.ended).code, 0);
});

scene('wrong options end the worker with exit code 2 and one line', async (t, stage) => {
  const wrong: [args: string[], says: RegExp][] = [
    [[], /give a jobs file, e.g. minq worker/],
    [[JOBS, 'more'], /jobs file: "more" does not exist/],
    [[JOBS, '--queue', 'a b'], /--queue: "a b" is not usable/],
    [[JOBS, '--queue', 'a=x'], /--queue a: "x" is no whole number/],
    [[JOBS, '--queue', 'a=1=2'], /--queue a: "1=2" is no whole number/],
    [[JOBS, '--queue', 'a', '--queue', 'a=2'], /the same queue is named twice/],
    [[JOBS, '--concurrency', '0'], /concurrency/],
    [[JOBS, '--concurrency', '-1'], /--concurrency/],
    [[JOBS, '--processes', '0'], /--processes: give a number from 1 to 256/],
    [[JOBS, '--watch', '--burst'], /exclude each other/],
    [[JOBS, '--colour'], /Unknown option '--colour'/],
    [[JOBS, '--burst=yes'], /--burst/],
  ];
  await Promise.all(
    wrong.map(async ([args, says]) => {
      const ended = await minq(t, ['worker', ...args], { redis: stage.redis.url }).ended;
      t.equal(ended.code, 2, args.join(' '));
      t.match(ended.stderr, says);
      t.match(ended.stderr, /^minq: [^\n]*\n$/, 'one line');
    }),
  );
});

scene(
  'a worker for a Redis that refuses it ends with 1, and shows no password',
  async (t, stage) => {
    const folder = app(t, {
      'package.json': '{ "type": "module" }',
      // What the jobs file holds open must not keep the process.
      'jobs.js': 'setInterval(() => {}, 1000); export const a = () => 1;',
    });
    await stage.redis.client.config('SET', 'requirepass', 'secret');
    const redis = stage.redis.url.replace('//', '//:canary-77@');
    const [refused, malformed] = await Promise.all([
      minq(t, ['worker', 'jobs.js'], { redis, cwd: folder }).ended,
      minq(t, ['worker', JOBS], { redis: 'me:canary-77@127.0.0.1' }).ended,
    ]);
    t.equal(refused.code, 1);
    t.match(refused.stderr, /minq: Redis refused: WRONGPASS/);
    t.equal(malformed.code, 2);
    t.match(malformed.stderr, /is no Redis URL/);
    t.notMatch(refused.stderr + malformed.stderr, 'canary');
  },
  { redis: () => startRedis() },
);
