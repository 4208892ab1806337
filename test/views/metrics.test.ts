/** What Prometheus is told: the text itself, and that it is what really happened. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { BOUNDS_MS, bucketOf } from '../../src/store/buckets.ts';
import { processMetrics } from '../../src/cli/metrics.ts';
import { metricsText } from '../../src/dashboard/metrics.ts';
import { Queue } from '../../src/index.ts';
import { MetricsPage, type Metric } from '../../src/views/metrics.ts';
import { VERSION } from '../../src/job/version.ts';
import { parseExposition } from '../helpers/exposition.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const HOSTILE = 'a"b\\c\nminq_up 1\n# TYPE x{y="z"} 1 \u{1f600}\u0000';
const gauge: Metric = { name: 'm', type: 'gauge', help: 'A\\B\nC "D"' };
const histogram: Metric = { name: 'h_seconds', type: 'histogram', help: 'H' };

/** A histogram of these durations. */
function histogramOf(...durationsMs: number[]) {
  const counts = [...BOUNDS_MS, 0].map(() => 0);
  for (const ms of durationsMs) counts[bucketOf(ms)]!++;
  return { counts, sumMs: durationsMs.reduce((a, b) => a + b, 0) };
}

void t.test('help and labels are escaped, and come back as they were', async (t) => {
  const page = new MetricsPage();
  page.add(gauge, { l: HOSTILE, n: 'x' }, 1.5);
  page.add(gauge, {}, -2e-9);
  const text = page.toString();
  t.ok(text.startsWith('# HELP m A\\\\B\\nC "D"\n# TYPE m gauge\n'));
  const parsed = parseExposition(text);
  t.equal(parsed.value('m', { l: HOSTILE }), 1.5);
  t.equal(parsed.families.size, 1);
  t.equal(parsed.samples('m').length, 2);
});

void t.test('what is no number is left out, and what was there before stays', async (t) => {
  const page = new MetricsPage();
  const wrong = [NaN, Infinity, undefined, null, '7', '1\nforged 1', { counts: [1], sumMs: 1 }, {}];
  for (const [i, value] of wrong.entries()) page.add(gauge, { i: String(i) }, value as number);
  t.equal(page.toString(), '', 'no HELP of nothing');
  page.add(gauge, { l: '\ud800' }, 1);
  page.add(gauge, { l: '\udfff' }, 2);
  page.add(gauge, { l: 'x' }, 3);
  page.add(gauge, { l: 'x' }, 4);
  const parsed = parseExposition(Buffer.from(page.toString()).toString());
  t.same(parsed.values('m'), [1, 3]);
});

void t.test('a histogram is cumulative, in seconds', async (t) => {
  const page = new MetricsPage();
  page.add(histogram, { f: 'a' }, histogramOf(0.5, 1, 1.5, 700, 10_000_000));
  page.add(histogram, { f: 'b' }, histogramOf());
  const parsed = parseExposition(page.toString());
  const at = (le: string) => parsed.value('h_seconds_bucket', { f: 'a', le });
  t.same(['0.001', '0.002', '0.5', '1', '1800', '+Inf'].map(at), [2, 3, 3, 4, 4, 5]);
  t.equal(parsed.value('h_seconds_sum', { f: 'a' }), 10_000.703);
  t.equal(parsed.value('h_seconds_count', { f: 'b' }), 0);
  t.equal(parsed.samples('h_seconds_bucket', { f: 'a' }).length, BOUNDS_MS.length + 1);
});

void t.test('the reader of these tests refuses what a scrape would be refused for', async (t) => {
  const head = '# HELP m x\n# TYPE m gauge\n';
  const bad = {
    'no end of line': `${head}m 1`,
    'twice the same': `${head}m{a="b",c="d"} 1\nm{c="d",a="b"} 1\n`,
    'not a number': `${head}m NaN\n`,
    'an empty line': `${head}\nm 1\n`,
    'a raw quote': `${head}m{a="b"c"} 1\n`,
    'an unknown escape': `${head}m{a="\\t"} 1\n`,
    'no type': '# HELP m x\nm 1\n',
    'a second help': `${head}m 1\n${head}m{a="b"} 1\n`,
    'a counter that is not _total': '# HELP m x\n# TYPE m counter\nm 1\n',
    'a gauge that is': '# HELP m_total x\n# TYPE m_total gauge\nm_total 1\n',
    'a stranger': `${head}n 1\n`,
    milliseconds: '# HELP m_ms x\n# TYPE m_ms gauge\nm_ms 1\n',
    'buckets that do not add up':
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    'a count that is not +Inf':
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n',
  };
  for (const [what, text] of Object.entries(bad)) t.throws(() => parseExposition(text), what);
  t.doesNotThrow(() => parseExposition(`${head}m{a="b\\"\\\\\\n"} 1e-9\n`));
});

/** The queue's metrics, and the strict reader's consent to them. */
const metricsOf = async (...queues: Queue[]) => parseExposition(await metricsText(queues));

const jobs = {
  ok: (ms = 0) => sleep(ms),
  bad: () => {
    throw new Error('no');
  },
};

/** Runs them all to their ends, and the worker until it has said so. */
async function runAll(stage: Stage, queue: Queue, calls: ['ok' | 'bad', unknown[], object?][]) {
  const worker = stage.worker(jobs);
  const handles = await Promise.all(
    calls.map(([fn, args, options = {}]) => queue.enqueue(fn, args, options)),
  );
  await Promise.allSettled(handles.map((handle) => handle.result({ timeout: '20s' })));
  await worker.stop();
}

scene('counters and histograms say what ran, and survive the worker', async (t, stage) => {
  const queue = stage.queue();
  const labels = { queue: stage.name };
  const [retry, none] = [{ retries: 1, backoff: 1 }, { retries: 0 }];
  await runAll(stage, queue, [['ok', [60]], ['ok', []], ['bad', [], retry], ['bad', [], none]]); // prettier-ignore
  const first = await metricsOf(queue);
  const totals = (parsed: typeof first) =>
    ['enqueued', 'completed', 'failed', 'cancelled', 'retried'].map((what) =>
      parsed.value(`minq_jobs_${what}_total`, labels),
    );
  t.same(totals(first), [4, 2, 2, 0, 1]);
  const runs = (parsed: typeof first, fn: string) =>
    ['completed', 'failed', 'retried'].map((outcome) =>
      parsed.value('minq_function_runs_total', { ...labels, function: fn, outcome }),
    );
  t.same(runs(first, 'ok'), [2, 0, 0]);
  t.same(runs(first, 'bad'), [0, 2, 1]);
  t.equal(first.value('minq_job_run_seconds_count', { function: 'ok' }), 2);
  t.equal(first.value('minq_job_run_seconds_count', { function: 'bad' }), 3, 'each run');
  t.equal(first.value('minq_job_wait_seconds_count', { function: 'bad' }), 2, 'first runs only');
  t.ok(first.value('minq_job_run_seconds_sum', { function: 'ok' }) >= 0.059);
  const slow = { function: 'ok', le: '0.05' };
  t.ok(first.value('minq_job_run_seconds_bucket', slow) <= 1, 'one took longer than 50 ms');
  t.equal(first.value('minq_workers', labels), 0, 'it has stopped');

  const delayed = await queue.enqueue('ok', [], { delay: '1h' });
  await delayed.cancel();
  await runAll(stage, queue, [['ok', []]]);
  const second = await metricsOf(queue);
  t.same(totals(second), [6, 3, 2, 1, 1]);
  t.same(runs(second, 'ok'), [3, 0, 0]);
  t.equal(second.value('minq_job_run_seconds_count', { function: 'ok' }), 3);
});

scene('a wait is in the histogram, in seconds', async (t, stage) => {
  const queue = stage.queue();
  // As if it had been enqueued 40 s ago; with an id of its own too.
  for (const options of [{}, { id: 'mine' }]) {
    const job = await queue.enqueue('ok', [], options);
    const { keys } = stage.store();
    const record = (await stage.redis.client.hget(keys.jobs, job.id))!;
    const at = String(Number(record.slice(0, 13)) - 40_000);
    await stage.redis.client.hset(keys.jobs, job.id, at + record.slice(13));
  }
  const before = await metricsOf(queue);
  const oldest = before.value('minq_oldest_waiting_seconds', { queue: stage.name });
  t.ok(oldest >= 40 && oldest < 80, `${oldest} s`);
  const worker = stage.worker(jobs);
  await until(async () => (await queue.counts()).completed === 2);
  await worker.stop();
  const parsed = await metricsOf(queue);
  const at = (le: string) => parsed.value('minq_job_wait_seconds_bucket', { function: 'ok', le });
  t.same(['30', '300'].map(at), [0, 2]);
  t.ok(parsed.value('minq_job_wait_seconds_sum', { function: 'ok' }) >= 80);
  t.equal(parsed.value('minq_oldest_waiting_seconds', { queue: stage.name }), 0);
});

scene('states, pause and workers are as they are now', async (t, stage) => {
  const queue = stage.queue();
  const labels = { queue: stage.name };
  const open = gate();
  const worker = stage.worker({ hold: open.pass }, { concurrency: 2, lease: 300 });
  await queue.enqueue('hold');
  await until(async () => (await queue.workers())[0]?.busy === 1);
  await queue.pause();
  await queue.enqueue('hold');
  await queue.enqueue('hold', [], { delay: '1h' });
  const parsed = await metricsOf(queue);
  const state = (name: string) => parsed.value('minq_jobs', { ...labels, state: name });
  t.same(['queued', 'active', 'scheduled', 'completed', 'waiting'].map(state), [1, 1, 1, 0, 0]);
  t.equal(parsed.value('minq_queue_paused', labels), 1);
  const found = (severity: string) => parsed.value('minq_queue_findings', { ...labels, severity });
  t.same([found('error'), found('warning')], [0, 1], 'as minq check says: it is paused');
  t.equal(parsed.value('minq_queue_up', labels), 1);
  t.equal(parsed.value('minq_workers', labels), 1);
  const who = { ...labels, worker: worker.id };
  t.equal(parsed.value('minq_worker_slots', who), 2);
  t.equal(parsed.value('minq_worker_slots_busy', who), 1);
  t.ok(parsed.value('minq_worker_resident_memory_bytes', who) > 1e7);
  const started = parsed.value('minq_worker_start_time_seconds', who);
  t.ok(Math.abs(started - Date.now() / 1_000) < 600, 'seconds, not milliseconds');
  t.equal(parsed.value('minq_worker_info', { ...who, pid: String(process.pid), version: VERSION }), 1); // prettier-ignore
  t.equal(parsed.value('minq_build_info', { version: VERSION }), 1);
  const ids = [...parsed.families.values()]
    .flatMap(({ samples }) => samples)
    .flatMap(({ labels: own }) => Object.keys(own));
  const known = 'version queue state severity function outcome le worker host pid node'.split(' ');
  t.same(ids.filter((id) => !known.includes(id)), [], 'no label grows with the jobs'); // prettier-ignore
  open.open();
});

scene('hostile and broken things in Redis do no harm to the text', async (t, stage) => {
  const queue = stage.queue();
  const { client } = stage.redis;
  const { keys } = stage.store();
  const now = `${(await client.time())[0]}000`;
  const evil = HOSTILE.replaceAll(' ', '_');
  await client.hset(keys.timings, `${evil} ended completed`, '3', 'f run 99', '1', 'f run -1', '1');
  await client.hset(keys.timings, 'g run 0', 'NaN', 'g ended completed', 'x', '-', '1', '', '2');
  const worker = {
    host: HOSTILE,
    pid: '1"} 9\n',
    concurrency: 1,
    busy: 0,
    startedAt: 1,
    running: [],
    loop: { p50: 1, p99: 1, max: 1 },
    memory: { rss: 1, heap: '5\nforged 1' },
  };
  const wrong = { ...worker, concurrency: 'x\nforged 1' }; // no heartbeat writes such a thing

  await client.hset(keys.workers, 'w"\n', now + JSON.stringify(worker));
  await client.hset(keys.workers, 'wrong', now + JSON.stringify(wrong));
  await client.hset(keys.workers, 'empty', `${now}{}`, 'none', 'x', 'word', `${now}"text"`);
  const parsed = await metricsOf(queue);
  t.equal(parsed.value('minq_function_runs_total', { function: evil, outcome: 'completed' }), 3);
  t.equal(parsed.value('minq_worker_info', { worker: 'w"\n', host: HOSTILE, pid: '1"} 9\n' }), 1);
  t.equal(parsed.value('minq_workers', { queue: stage.name }), 1);
  t.notOk(parsed.families.has('forged'));
});

scene('a queue that cannot be read says so and hides no other', async (t, stage) => {
  const queue = stage.queue();
  const broken = new Queue(`${stage.name}-broken`, { redis: stage.redis.url });
  const away = new Queue(`${stage.name}-away`, { redis: 'redis://127.0.0.1:1', callTimeout: 200 });
  stage.onEnd(() => Promise.all([broken.close(), away.close()]));
  await stage.redis.client.set(`minq:{${broken.name}}:stats`, 'no hash');
  const parsed = await metricsOf(broken, queue, away);
  const up = [broken, queue, away].map(({ name }) =>
    parsed.value('minq_queue_up', { queue: name }),
  );
  t.same(up, [0, 1, 0]);
  t.same(parsed.values('minq_jobs', { queue: broken.name }), []);
  t.equal(parsed.values('minq_jobs', { queue: stage.name }).length, 7);
});

void t.test('a page of no queues and of no workers is a page', async (t) => {
  t.equal(parseExposition(await metricsText([])).families.size, 1);
  t.ok(parseExposition(processMetrics([])).families.has('process_cpu_seconds_total'));
});

// ---- What stands on the metrics ----------------------------------------------------------------

const SRC = path.resolve(import.meta.dirname, '../../src/dashboard');
const alerts = readFileSync(path.join(SRC, 'alerts.yml'), 'utf8');
const grafana = JSON.parse(readFileSync(path.join(SRC, 'grafana.json'), 'utf8')) as {
  __inputs: { name: string; pluginId: string }[];
  templating: { list: { query: { query: string } }[] };
  panels: {
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    datasource: { uid: string };
    targets: { expr: string; datasource: { uid: string } }[];
  }[];
};
const expressions = grafana.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
/** Rules as texts: what stands behind `- alert:` up to the next. */
const rules = alerts.split(/^ {6}- alert: /m).slice(1);

scene('the Grafana dashboard and the alerts use names that there are', async (t, stage) => {
  const queue = stage.queue();
  const open = gate();
  const worker = stage.worker({ ok: jobs.ok, hold: open.pass }, { lease: 300 });
  await (await queue.enqueue('ok')).result({ timeout: '20s' });
  await queue.enqueue('hold');
  await until(async () => (await queue.functions('ever')).length > 0);
  const parsed = await metricsOf(queue);
  const series = [...parsed.families.values()].flatMap(({ samples }) => samples);
  const names = new Set(series.map(({ name }) => name));
  const labels = new Set(series.flatMap((sample) => Object.keys(sample.labels)));
  const used = (text: string) => text.match(/\bminq_\w+/g) ?? [];
  const asked = [...expressions, ...grafana.templating.list.map(({ query }) => query.query)];
  t.ok(asked.flatMap(used).length > 20);
  t.same(asked.flatMap(used).filter((name) => !names.has(name)), []); // prettier-ignore
  t.ok(used(alerts).length > 10);
  t.same(used(alerts).filter((name) => !names.has(name)), []); // prettier-ignore
  const grouped = [...asked, ...rules].flatMap((text) =>
    [...text.matchAll(/\b(?:by|on) \(([\w, ]+)\)|[{,](\w+)=~?"|\$labels\.(\w+)/g)].flatMap(
      ([, by, matched, shown]) => (by ?? matched ?? shown)!.split(', '),
    ),
  );
  t.ok(grouped.length > 20);
  t.same(grouped.filter((label) => !labels.has(label)), [], 'labels too'); // prettier-ignore
  const unused = [...parsed.families.keys()].filter(
    (name) => ![...asked, alerts].some((text) => text.includes(name)),
  );
  const notShown = [
    'minq_build_info',
    'minq_event_loop_blocks_total',
    'minq_results_dropped_total',
    'minq_worker_info',
    'minq_worker_heap_bytes',
    'minq_worker_start_time_seconds',
  ];
  t.same(unused.toSorted(), notShown.toSorted());
  open.open();
  await worker.stop();
});

void t.test('the Grafana dashboard can be imported: one data source, no panel on another', (t) => {
  t.match(grafana.__inputs, [{ name: 'DS_PROMETHEUS', pluginId: 'prometheus' }]);
  const cells = new Set<string>();
  for (const { title, gridPos, datasource, targets } of grafana.panels) {
    const { x, y, w, h } = gridPos;
    t.ok(x + w <= 24, title);
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        if (cells.has(`${i} ${j}`)) t.fail(`${title} lies on another`);
        cells.add(`${i} ${j}`);
      }
    }
    t.ok(targets.length > 0, title);
    for (const one of [datasource, ...targets.map((target) => target.datasource)]) {
      t.equal(one.uid, '${DS_PROMETHEUS}');
    }
  }
  t.end();
});

void t.test('each alert has what it needs', (t) => {
  t.ok(rules.length >= 6);
  for (const rule of rules) {
    const name = rule.split('\n', 1)[0]!;
    t.match(name, /^Minq[A-Z]\w+$/);
    for (const part of ['expr: \\S', 'for: \\d+[smh]', 'labels:', 'severity: \\w', 'annotations:', 'summary: \\S', 'description: \\S']) t.match(rule, new RegExp(`^ {8,10}${part}`, 'm'), name); // prettier-ignore
  }
  t.end();
});

const promtool = spawnSync('promtool', ['--version']).status === 0;
const lint = (args: string[], input = '') => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

scene(
  `promtool has nothing to say against all of it${promtool ? '' : ' (it is not on the PATH)'}`,
  async (t, stage) => {
    if (!promtool) return;
    const queue = stage.queue();
    await runAll(stage, queue, [['ok', [1]], ['bad', [], { retries: 0 }]]); // prettier-ignore
    t.same(lint(['check', 'metrics'], await metricsText([queue])), { status: 0, said: '' });
    const facts = stage.worker(jobs).facts();
    t.same(lint(['check', 'metrics'], processMetrics([facts])), { status: 0, said: '' });
    const rulesFile = (text: string) => path.join(t.testdir({ 'rules.yml': text }), 'rules.yml');
    t.match(lint(['check', 'rules', rulesFile(alerts)]), { status: 0, said: /SUCCESS: \d+ rules/ });
    // Panels as rules: so their expressions are read too.
    const asRules = expressions.map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$queue', '.*'),
    }));
    const file = JSON.stringify({ groups: [{ name: 'panels', rules: asRules }] });
    t.match(lint(['check', 'rules', rulesFile(file)]), { status: 0, said: /SUCCESS: \d+ rules/ });
  },
);
