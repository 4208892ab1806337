/** What the dashboard's server answers, over real HTTP. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { chain, currentJob, group, step } from '../../src/index.ts';
import type { JobReply, JobsReply, QueueReply } from '../../src/dashboard/api.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { startRedis } from '../helpers/redis.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { serve, site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const jobs = {
  add: (a: number, b: number) => a + b,
  echo: (value: unknown) => value,
  async fail(message: string) {
    throw new TypeError(message);
  },
  async slow() {
    currentJob().progress({ done: 3, of: 10 });
    await new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve));
    throw new Error('stopped');
  },
};

/** A worker, and the queue's part of a path. */
function working(stage: Stage) {
  const queue = stage.queue<typeof jobs>();
  const worker = stage.worker(jobs);
  return { queue, worker, of: `queue=${stage.name}` };
}

scene('the page and what it loads, with ETag and gzip', async (t, stage) => {
  const { get, ask } = await site(stage);
  const page = await get('');
  t.match(page, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
  const names = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!);
  t.ok(names.length >= 2, names.join(' '));
  for (const name of names.filter((one) => !one.startsWith('data:'))) {
    t.match(name, /^\w/, 'relative: wherever it is mounted');
    const asset = await get(name);
    t.equal(asset.status, 200, name);
    const etag = String(asset.headers['etag']);
    t.match(etag, /^"[\w-]{22}"$/);
    t.equal(asset.headers['cache-control'], 'no-cache');
    for (const given of [etag, `W/${etag}`, `"x", ${etag}`]) {
      const again = await get(name, { 'If-None-Match': given });
      t.match(again, { status: 304, text: '' });
      t.equal(again.headers['etag'], etag);
    }
    t.equal((await get(name, { 'If-None-Match': '"other"' })).status, 200);
    const zipped = await get(name, { 'Accept-Encoding': 'br, gzip' });
    t.match(zipped.headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    t.not(zipped.headers['etag'], etag, 'other bytes, other tag');
    t.same(gunzipSync(zipped.body), asset.body);
    t.notOk((await get(name, { 'Accept-Encoding': 'gzip;q=0, br' })).headers['content-encoding']);
    const head = await ask(name, { method: 'HEAD' });
    t.match(head, { status: 200, text: '' });
    t.equal(head.headers['content-length'], String(asset.body.length));
  }
  const types: Record<string, string> = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };
  const folder = path.join(ROOT, 'dist/dashboard/page');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[path.extname(file)];
    if (type) t.match(await get(file), { status: 200, headers: { 'content-type': type } }, file);
  }
}); // prettier-ignore

scene('queues: counts, workers, counters', async (t, stage) => {
  const { queue } = working(stage);
  const { get } = await site(stage);
  await (await queue.enqueue('add', [1, 2])).result();
  await until(async () => (await get('api/queues')).json.queues[0].workers === 1);
  await queue.pause();
  await queue.enqueue('add', [1, 2]);
  const { status, json } = await get('api/queues');
  t.equal(status, 200);
  t.match(json, {
    version: /^\d+\.\d+\.\d+$/,
    readOnly: false,
    queues: [
      {
        name: stage.name,
        counts: { queued: 1, completed: 1, failed: 0, active: 0, paused: true },
        workers: 1,
        slots: 10,
        busy: 0,
        oldestWaitingMs: Number,
        stats: { enqueued: 2, completed: 1 },
      },
    ],
  });
});

scene('without a list, all queues that workers have worked on, and default', async (t, stage) => {
  const redis = await startRedis();
  stage.onEnd(() => redis.stop());
  const { get, act } = await site(stage, { redis: redis.url, queues: undefined as never });
  const names = async () => (await get('api/queues')).json.queues.map((one: { name: string }) => one.name);
  t.same(await names(), ['default']);
  t.equal((await get('api/queue?queue=mail')).status, 404, 'nobody has worked on it');
  stage.worker({ add: () => 1 }, { redis: redis.url, queue: 'mail' });
  await until(async () => String(await names()) === 'default,mail');
  t.equal((await get('api/queue?queue=mail')).status, 200);
  t.match(await act({ action: 'pause', queue: 'mail' }), { status: 200, json: { done: true } });
  await until(async () => (await get('api/workers')).json.workers.length === 1);
  t.match((await get('api/workers')).json.workers, [{ queue: 'mail' }]);
}); // prettier-ignore

scene('one queue: its history, its functions', async (t, stage) => {
  const { queue, of } = working(stage);
  const { get } = await site(stage);
  for (let i = 0; i < 3; i++) await (await queue.enqueue('add', [1, i])).result();
  await (await queue.enqueue('fail', ['x'], { retries: 0 })).result().catch(() => {});
  const read = async () => (await get(`api/queue?${of}`)).json as QueueReply;
  await until(async () => (await read()).functions.length === 2, { what: 'the worker reports' });
  const reply = await read();
  t.match(reply, { name: stage.name, counts: { completed: 3, failed: 1 }, now: Number });
  t.match(reply.functions[0], { fn: 'add', completed: 3, failed: 0, wait: { p50: Number }, run: { p50: Number, p95: Number, p99: Number } });
  t.match(reply.functions[1], { fn: 'fail', completed: 0, failed: 1 });
  t.ok(Array.isArray(reply.history));
  t.equal((await get(`api/queue?${of}&span=day`)).status, 200);
  t.match(await get(`api/queue?${of}&span=week`), { status: 400, json: { error: 'span: give one of hour, day' } });
}); // prettier-ignore

scene('jobs: pages, filters, excerpts', async (t, stage) => {
  const { queue, of } = working(stage);
  const { get } = await site(stage);
  const long = 'ä"<script>alert(1)</script>'.repeat(20);
  for (let i = 0; i < 5; i++) await queue.enqueue('fail', [`${i} ${long}`], { retries: 0 });
  await queue.enqueue('slow', [], { retries: 0 });
  await queue.enqueue('nobody' as 'add', [1, 2], { delay: '1h', id: 'later', priority: 'high' });
  await until(async () => (await queue.counts()).failed === 5 && (await queue.counts()).active === 1);
  const read = async (query: string) => (await get(`api/jobs?${of}&${query}`)).json as JobsReply;

  const all = await read('state=failed');
  t.match(all, { total: 5, now: Number });
  t.equal(all.jobs.length, 5);
  t.equal(all.next, undefined, 'that was all');
  t.equal((await read('state=failed&limit=5')).next, undefined, 'also where the page is just full');
  const [row] = all.jobs;
  t.match(row, { state: 'failed', fn: 'fail', attempt: 1, priority: 'normal', endedAt: Number, ranMs: Number });
  t.equal(row!.args.text.length, 200);
  t.equal(row!.args.text + JSON.stringify([`4 ${long}`]).slice(200), JSON.stringify([`4 ${long}`]), 'the beginning');
  t.equal(row!.args.cut, JSON.stringify([`4 ${long}`]).length - 200);
  t.equal(row!.error!.text, `TypeError: 4 ${long}`.slice(0, 300));
  t.notOk('meta' in row! || 'result' in row!, 'nothing the list does not show');

  const first = await read('state=failed&limit=2');
  t.match(first, { total: 5, next: 2 });
  const second = await read(`state=failed&limit=2&offset=${first.next}`);
  const third = await read(`state=failed&limit=2&offset=${second.next}`);
  t.equal(third.next, undefined);
  t.same([...first.jobs, ...second.jobs, ...third.jobs].map(({ id }) => id), all.jobs.map(({ id }) => id));
  t.equal((await read('state=failed&error=' + encodeURIComponent('typeerror'))).jobs.length, 5);
  t.match(await read('state=failed&error=' + encodeURIComponent('3 ä"<script>')), { jobs: [{ error: { text: /^TypeError: 3 / } }], total: 5 });
  t.same((await read('state=failed&fn=add')).jobs, []);
  t.match(await read('state=active'), { jobs: [{ fn: 'slow', state: 'active' }] });
  t.match(await read('state=scheduled'), { jobs: [{ id: 'later', dueAt: Number, priority: 'high' }] });

  for (const [query, error] of [
    ['', /^state: give one of waiting, scheduled/], ['state=all', /^state/], ['state=__proto__', /^state/],
    ['state=failed&limit=101', /^limit: give a whole number from 1 to 100$/], ['state=failed&limit=0', /^limit/], ['state=failed&limit=-1', /^limit/],
    ['state=failed&limit=1e1', /^limit/], ['state=failed&offset=-1', /^offset/], ['state=failed&offset=99999999999', /^offset/],
    ['state=failed&offset=x', /^offset/], [`state=failed&error=${'x'.repeat(1_001)}`, /^error: longer than 1000 characters$/],
  ] as const) {
    t.match(await get(`api/jobs?${of}&${query}`), { status: 400, json: { error } }, query.slice(0, 40));
  }
}); // prettier-ignore

scene('a job: everything, cut where it is long', async (t, stage) => {
  const { queue, of } = working(stage);
  const { get } = await site(stage);
  const read = async (id: string) => (await get(`api/job?${of}&id=${encodeURIComponent(id)}`)).json as JobReply;
  const text = '€'.repeat(10_000);
  const echo = await queue.enqueue('echo', [text], { meta: { trace: 'y', long: 'z'.repeat(5_000) } });
  await echo.result();
  const big = await read(echo.id);
  t.match(big.job, { id: echo.id, fn: 'echo', state: 'completed', queue: stage.name, enqueuedAt: Number, endedAt: Number });
  for (const part of [big.job.args, big.job.result!]) {
    const bytes = Buffer.byteLength(part.text);
    t.ok(bytes <= 10_240 && bytes > 10_230, `${bytes} bytes`);
    t.match(part.text, /€$/, 'whole characters');
  }
  t.equal(big.job.result!.text.length + big.job.result!.cut, text.length + 2);
  t.match(big.job.meta, { trace: 'y' });
  t.equal(big.job.meta['long']!.length, 500);

  const failing = await queue.enqueue('fail', ['<img src=x onerror=alert(1)>'], { retries: 2, backoff: 1 });
  await failing.result().catch(() => {});
  const failed = await read(failing.id);
  t.match(failed.job, { state: 'failed', attempt: 3 });
  t.match(failed.job.error, { name: 'TypeError', message: { text: '<img src=x onerror=alert(1)>', cut: 0 }, stack: { text: /at / } });
  t.match(failed.attempts, [{ attempt: 1, endedAt: Number, error: { name: 'TypeError' } }, { attempt: 2 }]);

  const slow = await queue.enqueue('slow', [], { retries: 0 });
  await until(async () => (await read(slow.id)).worker !== undefined, { what: 'its worker has said what it runs' });
  const running = await read(slow.id);
  t.match(running, { job: { state: 'active', progress: { text: '{\n  "done": 3,\n  "of": 10\n}' } }, worker: { id: String, pid: process.pid, since: Number } });

  const last = await queue.enqueue(chain(group([step('add', [1, 2]), step('add', [3, 4])]), step('echo')));
  await last.result();
  const flow = (await read(last.id)).flow!;
  t.match(flow, { id: String, outline: { chain: [{ group: [{ fn: 'add', state: 'completed' }, { fn: 'add' }] }, { fn: 'echo', id: last.id }] } });

  t.match(await get(`api/job?${of}&id=unknown`), { status: 404, json: { error: /^job unknown is unknown/ } });
  t.match(await get(`api/job?${of}`), { status: 400, json: { error: /^id: / } });
  t.match(await get(`api/job?${of}&id=${'x'.repeat(300)}`), { status: 400 });
  t.match(await get(`api/job?${of}&id=a%00b`), { status: 400 });
}); // prettier-ignore

scene('workers and cron entries of all queues', async (t, stage) => {
  const { queue } = working(stage);
  const other = `${stage.name}-other`;
  stage.worker(jobs, { queue: other });
  const { get } = await site(stage, { queues: [stage.name, other] });
  await queue.schedule('nightly', { cron: '0 2 * * *', fn: 'add', args: [1, 'x'.repeat(500)] as never });
  await until(async () => (await get('api/workers')).json.workers.length === 2);
  const { workers } = (await get('api/workers')).json;
  t.same(workers.map((one: { queue: string }) => one.queue).sort(), [stage.name, other]);
  t.match(workers[0], { pid: process.pid, concurrency: 10, busy: 0, running: [], version: String, loop: { p99: Number }, memory: { rss: Number } });
  const { entries, now } = (await get('api/cron')).json;
  t.match(entries, [{ name: 'nightly', queue: stage.name, cron: '0 2 * * *', fn: 'add', args: { text: /^\[1,"x+$/, cut: 306 } }]);
  t.ok(entries[0].nextAt > now);
}); // prettier-ignore

scene('every action does what it says, and says whether it has', async (t, stage) => {
  const { queue } = working(stage);
  const { act } = await site(stage);
  const { name } = stage;
  const done = async (action: object, expected: object) =>
    t.match(await act({ queue: name, ...action }), { status: 200, json: expected }, JSON.stringify(action));

  await done({ action: 'pause' }, { done: true });
  t.ok((await queue.counts()).paused);
  await done({ action: 'resume' }, { done: true });
  t.notOk((await queue.counts()).paused);

  const fail = await queue.enqueue('fail', ['one'], { retries: 0 });
  await fail.result().catch(() => {});
  await done({ action: 'retry', id: fail.id }, { done: true });
  await until(async () => (await queue.stats()).failed === 2);
  await done({ action: 'retry', id: 'unknown' }, { done: false });
  for (const message of ['two', 'three']) {
    await (await queue.enqueue('fail', [message], { retries: 0 })).result().catch(() => {});
  }
  await queue.pause();
  await done({ action: 'retryAll', fn: 'add' }, { done: false, count: 0 });
  await done({ action: 'retryAll', error: 'TWO' }, { done: true, count: 1 });
  await done({ action: 'retryAll', fn: 'fail' }, { done: true, count: 2 });
  t.match(await queue.counts(), { queued: 3, failed: 0 });
  await done({ action: 'purge', state: 'queued' }, { done: true, count: 3 });
  t.match(await queue.counts(), { queued: 0 });
  await done({ action: 'purge', state: 'queued' }, { done: false, count: 0 });
  await queue.resume();

  const slow = await queue.enqueue('slow', [], { retries: 0 });
  await until(async () => (await slow.state()) === 'active');
  t.match(await act({ action: 'remove', queue: name, id: slow.id }), { status: 409, json: { error: /is running; cancel it first$/ } });
  await done({ action: 'cancel', id: slow.id }, { done: true });
  await until(async () => (await slow.state()) === 'cancelled');
  await done({ action: 'cancel', id: slow.id }, { done: false });
  await done({ action: 'remove', id: slow.id }, { done: true });
  await done({ action: 'remove', id: slow.id }, { done: false });

  await queue.schedule('nightly', { cron: '0 2 * * *', fn: 'add', args: [1, 2] });
  const ran = await act({ action: 'run', queue: name, name: 'nightly' });
  t.match(ran, { status: 200, json: { done: true, id: /^cron:nightly:\d{13}$/ } });
  t.equal(await queue.job(ran.json.id).result({ timeout: '10s' }), 3);
  t.match(await act({ action: 'run', queue: name, name: 'nobody' }), { status: 409, json: { error: /^there is no cron entry "nobody"$/ } });
}); // prettier-ignore

scene('Redis is away, or hangs: 503 in time; and then it goes on', async (t, stage) => {
  const redis = await startRedis();
  stage.onEnd(() => redis.stop());
  const { get, act } = await site(stage, { redis: redis.url });
  const paths = ['api/queues', `api/queue?queue=${stage.name}`, `api/jobs?queue=${stage.name}&state=failed`, 'api/workers'];
  t.equal((await get('api/queues')).status, 200);
  const unavailable = async (what: string) => {
    const answers = await Promise.all([...paths.map((one) => get(one)), act({ action: 'pause', queue: stage.name })]);
    for (const { status, json } of answers) {
      t.equal(status, 503, what);
      t.match(json.error, /Redis/);
    }
    t.equal((await get('')).status, 200, 'the page itself needs no Redis');
  };
  await redis.kill();
  const since = performance.now();
  await unavailable('away');
  t.ok(performance.now() - since < 30_000, 'within the deadline of a call (5 s), on a slow machine');
  await redis.restart();
  await until(async () => (await get('api/queues')).status === 200, { what: 'it has recovered' });
  redis.signal('SIGSTOP');
  await unavailable('hangs');
  redis.signal('SIGCONT');
  await until(async () => (await get('api/queues')).status === 200, { what: 'it has recovered' });
}); // prettier-ignore

scene('who goes away before the answer hurts nobody', async (t, stage) => {
  const { get, port } = await site(stage);
  const leave = new AbortController();
  const gone = fetch(`http://localhost:${port}/api/queues`, { signal: leave.signal }).catch((error: Error) => error.name);
  leave.abort();
  t.equal(await gone, 'AbortError');
  t.equal((await get('api/queues')).status, 200);
}); // prettier-ignore

scene('commands sent to Redis, by route', async (t, stage) => {
  const { queue, worker, of } = working(stage);
  const other = `${stage.name}-other`;
  const one = await site(stage);
  const two = await site(stage, { queues: [stage.name, other] });
  await (await queue.enqueue('add', [1, 2], { id: 'x' })).result();
  const last = await queue.enqueue(chain(step('add', [1, 2]), step('echo')));
  await last.result();
  for (let i = 0; i < 20; i++) {
    await (await queue.enqueue('fail', [String(i)], { retries: 0 })).result().catch(() => {});
  }
  const most: [string, number][] = [
    ['', 0],
    ['main.js', 0],
    ['api/queues', 7],
    [`api/queue?${of}`, 11],
    [`api/jobs?${of}&state=failed`, 4],
    [`api/jobs?${of}&state=failed&error=x&fn=fail`, 7],
    [`api/job?${of}&id=x`, 2],
    [`api/job?${of}&id=${last.id}`, 4],
    ['api/workers', 4],
    ['api/cron', 3],
  ];
  await worker.stop(); // it sends, too
  const sentFor = async (get: typeof one.get, path: string) => {
    await get(path); // connected, and the scripts are known
    const sent = await commandsDuring(stage.redis, async () => {
      for (let i = 0; i < 5; i++) t.equal((await get(path)).status, 200, path);
    });
    return sent.length / 5;
  };
  for (const [path, bound] of most) {
    const sent = await sentFor(one.get, path);
    t.comment(`/${path.replace(stage.name, '..')}: ${sent} commands`);
    t.ok(sent <= bound, `/${path}: ${sent}, at most ${bound}`);
    if (path.startsWith('api/')) t.ok(sent >= 1, 'they were counted');
  }
  t.ok((await sentFor(two.get, 'api/queues')) <= 14, 'as many again for each queue');
}); // prettier-ignore

scene('mounted under a path: found there, and nowhere else', async (t, stage) => {
  const { dashboard } = await import('../../src/dashboard/index.ts');
  const handler = dashboard({ redis: stage.redis.url, queues: [stage.name], basePath: '/admin/minq/' });
  stage.onEnd(() => handler.close());
  const { get } = await serve(stage, (request, response) => void handler(request, response));
  t.equal((await get('admin/minq/')).status, 200);
  t.equal((await get('admin/minq/api/queues')).status, 200);
  t.match(await get('admin/minq'), { status: 302, headers: { location: './minq/' } });
  t.match(await get('admin/minq?x=1'), { status: 302, headers: { location: './minq/?x=1' } });
  for (const elsewhere of ['', 'api/queues', 'admin/', 'admin/minqx', 'admin/minqx/api/queues', '/admin/minq/', 'admin//minq/']) {
    t.equal((await get(elsewhere)).status, 404, elsewhere);
  }
}); // prettier-ignore

scene('kinds of failure: hidden where redact hides, found by their key, retried and removed alone', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker({ charge: (card: string) => { throw new Error(`card of ${card} refused`); }, mail: (to: string) => { throw new Error(to === 'x' ? 'no mailbox' : 'away'); } });
  const fails = (fn: string, args: unknown[]) => queue.enqueue(fn, args, { retries: 0 });
  for (const who of ['ann', 'ann', 'bob']) await fails('charge', [who]);
  for (const to of ['x', 'y', 'y', 'y', 'y']) await fails('mail', [to]);
  await until(async () => (await queue.counts()).failed === 8);
  await worker.stop();
  const open = await site(stage);
  const { kinds, looked } = (await open.get('api/failures')).json as { kinds: { key: string; kind: string; count: number }[]; looked: number };
  t.equal(looked, 8);
  t.same(kinds.map(({ kind, count }) => [kind, count]), [['Error: away', 4], ['Error: card of ann refused', 2], ['Error: no mailbox', 1], ['Error: card of bob refused', 1]].toSorted((a, b) => kinds.findIndex(({ kind }) => kind === a[0]) - kinds.findIndex(({ kind }) => kind === b[0])));
  const keyOf = (kind: string) => kinds.find((each) => each.kind === kind)!.key;
  const jobsOf = async (key: string) => open.get(`api/jobs?queue=${stage.name}&state=failed&kind=${key}`);
  t.equal((await jobsOf(keyOf('Error: card of ann refused'))).json.jobs.length, 2);
  t.equal((await jobsOf('nothing')).status, 404);

  const shy = await site(stage, { redact: (job) => ({ ...job, error: { name: 'Error', message: 'hidden' } }) });
  const hidden = await shy.get('api/failures');
  t.notMatch(hidden.text, /ann|bob|mailbox|away/);
  t.same(hidden.json.kinds.map(({ key }: { key: string }) => key).toSorted(), kinds.map(({ key }) => key).toSorted(), 'and yet told apart');
  const throwing = await site(stage, { redact: () => { throw new Error('no'); } });
  t.notMatch((await throwing.get('api/failures')).text, /ann|bob|mailbox|away/);

  t.same((await shy.act({ action: 'retryKind', queue: stage.name, key: keyOf('Error: card of ann refused') })).json, { done: true, count: 2 });
  t.match(await queue.counts(), { queued: 2, failed: 6 });
  t.same((await open.act({ action: 'removeKind', queue: stage.name, key: keyOf('Error: away') })).json, { done: true, count: 4 });
  t.match(await queue.counts(), { queued: 2, failed: 2 });
  t.equal((await open.act({ action: 'removeKind', queue: stage.name, key: keyOf('Error: away') })).status, 404, 'none is left');

  const queued = (await queue.jobs('queued')).map(({ id }) => id);
  const door = gate();
  stage.worker({ hold: door.pass }, { queue: `${stage.name}-held` });
  const running = await queue.enqueue('hold', [], { queue: `${stage.name}-held`, id: 'runs' });
  await until(async () => (await running.state()) === 'active');
  const held = await site(stage, { queues: [`${stage.name}-held`] });
  await queue.enqueue('hold', [], { queue: `${stage.name}-held`, id: 'waits', delay: '1h' });
  t.same((await held.act({ action: 'removeThese', queue: `${stage.name}-held`, ids: ['runs', 'waits'] })).json, { done: true, count: 1 }, 'what runs is left, the other goes');
  door.open();
  t.same((await open.act({ action: 'removeThese', queue: stage.name, ids: ['gone', ...queued] })).json, { done: true, count: 2 });
  t.same((await open.act({ action: 'cancelThese', queue: stage.name, ids: ['gone'] })).json, { done: false, count: 0 });
  for (const ids of [[], 'x', ['\u0000'], Array.from({ length: 101 }, () => 'x'), undefined]) t.equal((await open.act({ action: 'retryThese', queue: stage.name, ids })).status, 400, JSON.stringify(ids));
  // Somebody wrote over the record of one: nobody knows whose failure it is, and it stands for no other.
  const [broken] = await queue.jobs('failed', { limit: 1 });
  await stage.redis.client.hset(stage.store().keys.jobs, broken!.id, 'garbage');
  const later = await site(stage);
  const unreadable = ((await later.get('api/failures')).json.kinds as { fn?: string; key: string }[]).find(({ fn }) => fn === undefined)!;
  for (const action of ['retryKind', 'removeKind']) t.equal((await later.act({ action, queue: stage.name, key: unreadable.key })).status, 409, action);
  t.equal((await queue.counts()).failed, 2);
  t.same((await open.get('api/find?id=nobody')).json, { queues: [] });
  t.equal((await open.get('api/find')).status, 400);
}); // prettier-ignore
