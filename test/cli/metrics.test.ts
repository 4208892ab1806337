/** `minq worker --metrics-port`: a process asked by Prometheus about itself. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import type { Test } from 'tap';
import { FIXTURES, JOBS, minq } from '../helpers/cli.ts';
import { parseExposition, type Exposition } from '../helpers/exposition.ts';
import { startProxy } from '../helpers/proxy.ts';
import { freePort } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const at = (port: number, rest = '/metrics') => `http://127.0.0.1:${port}${rest}`;
const scrape = async (port: number): Promise<Exposition> =>
  parseExposition(await (await fetch(at(port))).text());

function startWorker(t: Test, stage: Stage, ...args: string[]) {
  return minq(t, ['worker', JOBS, '--queue', stage.name, ...args], { redis: stage.redis.url });
}

scene('it says what the process did, and how it is', async (t, stage) => {
  const port = await freePort();
  const before = Date.now();
  const worker = startWorker(t, stage, '--metrics-port', String(port), '--concurrency', '3');
  await worker.says(new RegExp(`metrics at http://127.0.0.1:${port}/metrics`));
  await worker.says(/worker started/);
  const queue = stage.queue();
  for (let i = 0; i < 4; i++) await (await queue.enqueue('add', [i, 1])).result();
  const failing = await queue.enqueue('fail', ['no'], { retries: 1, backoff: 1 });
  await t.rejects(failing.result(), { name: 'JobFailedError' });
  const waiting = await queue.enqueue('wait', [60_000]);
  await until(async () => (await waiting.state()) === 'active');
  await until(async () => (await scrape(port)).value('minq_process_slots_busy') === 1);

  const page = await scrape(port);
  const of = (fn: string, outcome: string) =>
    page.value('minq_process_runs_total', { queue: stage.name, function: fn, outcome });
  t.equal(of('add', 'completed'), 4);
  t.same([of('fail', 'retried'), of('fail', 'failed'), of('fail', 'completed')], [1, 1, 0]);
  t.equal(page.value('minq_process_job_run_seconds_count', { function: 'add' }), 4);
  t.equal(page.value('minq_process_job_wait_seconds_count', { function: 'fail' }), 1);
  t.equal(page.value('minq_process_slots', { queue: stage.name }), 3);
  t.equal(page.value('minq_process_redis_connected'), 1);
  t.equal(page.value('minq_process_leases_lost_total'), 0);
  t.ok(page.value('minq_process_event_loop_delay_seconds_count') > 0);
  t.ok(page.value('process_cpu_seconds_total') > 0.01);
  t.ok(page.value('process_resident_memory_bytes') > page.value('process_heap_bytes'));
  const started = page.value('process_start_time_seconds') * 1_000;
  t.ok(Math.abs(started - before) < 60_000);
  t.notMatch([...page.families.keys()].join(' '), 'minq_jobs', 'names of the dashboard are others');

  await waiting.cancel();
  const { code } = await worker.end();
  t.equal(code, 0);
  await t.rejects(fetch(at(port)), 'it has closed');
});

scene('GET and HEAD of /metrics, and nothing else', async (t, stage) => {
  const port = await freePort();
  const worker = startWorker(t, stage, '--metrics-port', String(port));
  await worker.says(/worker started/);
  const get = await fetch(at(port));
  t.equal(get.status, 200);
  t.equal(get.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal((await fetch(at(port, '/metrics?name[]=x'))).status, 200);
  const head = await fetch(at(port), { method: 'HEAD' });
  t.same([head.status, await head.text()], [200, '']);
  for (const other of ['/', '/metrics/', '/metricsx', '/..%2fmetrics', '//metrics']) {
    t.equal((await fetch(at(port, other))).status, 404, other);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(at(port), { method });
    t.same([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], method);
  }
  // What is no HTTP, or never ends, neither hurts nor keeps the process.
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  const open = connect(port, '127.0.0.1');
  await once(open, 'connect');
  open.on('error', () => {});
  socket.write('\u0000\u0001garbage\r\n\r\n');
  open.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const kept = request(at(port), { headers: { connection: 'keep-alive' } }).end();
  await once(kept, 'response');
  kept.on('error', () => {});
  t.equal((await fetch(at(port))).status, 200);
  const { code } = await worker.end();
  t.equal(code, 0);
  for (const each of [socket, open]) each.destroy();
});

scene('Redis away shows, and the page is there all the same', async (t, stage) => {
  const proxy = await startProxy(stage.redis.port);
  stage.onEnd(() => proxy.close());
  const port = await freePort();
  const args = ['worker', JOBS, '--queue', stage.name, '--metrics-port', String(port)];
  const worker = minq(t, args, { redis: proxy.url });
  await worker.says(/worker started/);
  const connected = async () => (await scrape(port)).value('minq_process_redis_connected');
  await until(async () => (await connected()) === 1);
  await proxy.refuse();
  await until(async () => (await connected()) === 0);
  await proxy.accept();
  await until(async () => (await connected()) === 1);
  t.equal((await worker.end()).code, 0);
});

scene('a worker that waits for Redis to come can be asked already', async (t, stage) => {
  const [port, nobody] = [await freePort(), await freePort()];
  const args = ['worker', JOBS, '--queue', stage.name, '--metrics-port', String(port)];
  const worker = minq(t, args, { redis: `redis://127.0.0.1:${nobody}` });
  await worker.says(/waiting for Redis/);
  const page = await scrape(port);
  t.equal(page.value('minq_process_redis_connected'), 0);
  t.equal(page.value('minq_process_slots'), 10);
  t.equal((await worker.end()).code, 0);
});

scene('several queues of a process have series of their own', async (t, stage) => {
  const port = await freePort();
  const other = `${stage.name}-b`;
  const worker = startWorker(t, stage, '--queue', `${other}=2`, '--metrics-port', String(port));
  await until(() => worker.stderr.match(/worker started/g)?.length === 2);
  const queue = stage.queue();
  await (await queue.enqueue('add', [1, 2])).result();
  await (await queue.enqueue('add', [1, 2], { queue: other })).result();
  const page = await scrape(port);
  t.equal(page.value('minq_process_slots', { queue: other }), 2);
  t.same(page.values('minq_process_runs_total', { function: 'add', outcome: 'completed' }), [1, 1]);
  t.equal(
    page.values('minq_process_event_loop_delay_seconds_count').length,
    1,
    'they share a loop',
  );
  t.equal((await worker.end()).code, 0);
});

scene('--processes: each has a port of its own, and its successor the same', async (t, stage) => {
  let port = await freePort();
  while (!(await isFree(port + 1))) port = await freePort();
  const supervisor = startWorker(t, stage, '--processes', '2', '--metrics-port', String(port));
  const started = () => supervisor.stderr.match(/worker started/g)?.length ?? 0;
  await until(() => started() === 2);
  const startTimes = async () =>
    Promise.all(
      [0, 1].map(async (i) => (await scrape(port + i)).value('process_start_time_seconds')),
    );
  const before = await startTimes();
  const pids = spawnSync('pgrep', ['-P', String(supervisor.pid)]).stdout.toString();
  process.kill(Number(pids.split('\n')[0]), 'SIGKILL');
  await until(() => started() === 3);
  const now = await startTimes();
  t.equal(
    now.filter((time, i) => time === before[i]).length,
    1,
    'one is a new one, on the same port',
  );
  t.equal((await supervisor.end()).code, 0);
});

scene('--metrics-host opens it to others', async (t, stage) => {
  const port = await freePort();
  const args = ['--metrics-port', String(port), '--metrics-host', '0.0.0.0'];
  const worker = startWorker(t, stage, ...args);
  await worker.says(/metrics at http:\/\/0\.0\.0\.0:/);
  t.equal((await fetch(`http://127.0.0.2:${port}/metrics`)).status, 200);
  await worker.end();
  const local = startWorker(t, stage, '--metrics-port', String(port));
  await local.says(/worker started/);
  await t.rejects(fetch(`http://127.0.0.2:${port}/metrics`), 'only 127.0.0.1 by default');
  t.equal((await local.end()).code, 0);
});

scene(
  'a port that is taken is one clear line, exit code 1, and no job is begun',
  async (t, stage) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const queue = stage.queue();
    const job = await queue.enqueue('add', [1, 2]);
    const { code, stderr, stdout } = await startWorker(t, stage, '--metrics-port', String(port))
      .ended;
    server.close();
    t.equal(code, 1);
    t.equal(stdout, '');
    t.equal(stderr, `minq: metrics: port ${port} of 127.0.0.1 is taken; give another with --metrics-port\n`); // prettier-ignore
    t.equal(await job.state(), 'queued');
    const wrong = await startWorker(
      t,
      stage,
      '--metrics-port',
      '9464',
      '--metrics-host',
      '192.0.2.1',
    ).ended;
    t.equal(wrong.code, 1);
    t.match(wrong.stderr, /^minq: metrics: can't listen on port 9464 of 192\.0\.2\.1: .*\n$/);
  },
);

scene('wrong usage', async (t, stage) => {
  const file = path.join(FIXTURES, 'jobs.js');
  const cases: [string[], RegExp][] = [
    [['--metrics-port', 'x'], /--metrics-port: "x" is no whole number/],
    [['--metrics-port', '0'], /--metrics-port: 0: give a number from 1 to 65535/],
    [['--metrics-port', '65536'], /--metrics-port: 65536: give a number from 1 to 65535/],
    [['--metrics-port', '65535', '--processes', '4'], /from 1 to 65532 \(4 processes take a port each\)/], // prettier-ignore
    [['--metrics-host', '0.0.0.0'], /--metrics-host: give --metrics-port too/],
    [['--health-host', '0.0.0.0'], /--health-host: give --health-port too/],
    [['--health-port', '0'], /--health-port: 0: give a number from 1 to 65535/],
    [['--metrics-port', '9464', '--metrics-host', ''], /--metrics-host: give an address/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await minq(t, ['worker', file, ...args], { redis: stage.redis.url })
      .ended;
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
    t.equal(stderr.split('\n').length, 2, 'one line');
  }
});

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

scene('probes: alive while the loop turns, ready while Redis answers and it is not stopping', async (t, stage) => {
  const [metrics, health] = [await freePort(), await freePort()];
  const args = ['--metrics-port', String(metrics), '--health-port', String(health), '--health-host', '127.0.0.1'];
  const worker = minq(t, ['worker', JOBS, '--queue', stage.name, ...args, '--verbose'], { redis: stage.redis.url });
  await worker.says(/worker started/);
  const ask = async (path: string, port = health) => {
    const reply = await fetch(at(port, path));
    return `${reply.status} ${(await reply.text()).trim()}`;
  };
  t.same(await Promise.all(['/healthz', '/readyz'].map((path) => ask(path))), ['200 ok', '200 ok']);
  t.same(await Promise.all(['/healthz', '/readyz'].map((path) => ask(path, metrics))), ['200 ok', '200 ok']);
  t.equal(await ask('/metrics'), '404 see /healthz, /readyz');
  t.equal((await fetch(at(health, '/readyz'), { method: 'POST' })).status, 405);

  stage.redis.signal('SIGSTOP');
  t.equal(await ask('/readyz'), `503 queue ${stage.name}: no answer from Redis`);
  t.equal(await ask('/healthz'), '200 ok', 'to be started again would mend nothing');
  stage.redis.signal('SIGCONT');
  await until(async () => (await ask('/readyz')) === '200 ok');

  const job = await stage.queue().enqueue('waitStubbornly', [1_500]);
  await worker.says(/job started/);
  worker.child.kill('SIGTERM');
  await worker.says(/stopping/);
  t.equal(await ask('/readyz'), `503 queue ${stage.name}: stopping`);
  t.equal(await ask('/healthz'), '200 ok', 'the job may finish');
  t.equal(await job.result({ timeout: '10s' }), 'waited');
  t.equal((await worker.ended).code, 0);
}); // prettier-ignore
