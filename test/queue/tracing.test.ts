/**
 * The OpenTelemetry recipe of the README (test/fixtures/tracing/tracing.ts) with the real SDK: one trace from an HTTP
 * request through enqueue to the run, between processes and within one.
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'tap';
import { app, minq } from '../helpers/cli.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface SpanLine {
  name: string;
  /** 1 server, 3 producer, 4 consumer. */
  kind: number;
  traceId: string;
  spanId: string;
  parent?: string;
  pid: number;
  failed: boolean;
  /** Messages of recorded exceptions. */
  events: string[];
  attributes: Record<string, unknown>;
}

interface Answer {
  id: string;
  result: unknown;
  meta: Record<string, string>;
  traceId: string;
  error?: string;
}

interface Traced {
  serverPid: number;
  workerPid: number;
  get(url: string): Promise<Answer>;
  /** The spans of a trace, once there are so many of them that have ended. */
  trace(traceId: string, count: number): Promise<SpanLine[]>;
  spans(): SpanLine[];
}

/** The app of test/fixtures/tracing: a server, and `minq worker ./jobs.ts` beside it or a worker within it. */
async function start(t: Test, stage: Stage, where: 'beside' | 'within'): Promise<Traced> {
  const folder = app(t, { 'package.json': '{ "type": "module" }' });
  cpSync(path.join(ROOT, 'test/fixtures/tracing'), folder, { recursive: true });
  for (const name of ['@opentelemetry', '@types']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
  const file = path.join(folder, 'spans');
  const redis = stage.redis.url;
  const env = { SPANS: file, QUEUE: stage.name, MINQ_REDIS_URL: redis };

  const server = spawn(
    process.execPath,
    [path.join(ROOT, 'node_modules/.bin/jiti'), path.join(folder, 'server.ts')],
    {
      env: { PATH: process.env['PATH'], ...env, ...(where === 'within' && { WORKER: '1' }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const serverEnded = new Promise((resolve) => server.once('close', resolve));
  stage.onEnd(() => (server.kill(), serverEnded));
  let output = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  let workerPid = server.pid!;
  if (where === 'beside') {
    const args = ['worker', './jobs.ts', '--queue', stage.name];
    const worker = minq(t, args, { redis, cwd: folder, env });
    stage.onEnd(() => worker.end());
    workerPid = worker.pid;
  }
  await until(() => /port \d+/.test(output), { what: 'the server is there' });
  const base = `http://127.0.0.1:${/port (\d+)/.exec(output)![1]}`;

  const spans = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as SpanLine);
  return {
    serverPid: server.pid!,
    workerPid,
    spans,
    get: async (url) => (await (await fetch(base + url)).json()) as Answer,
    async trace(traceId, count) {
      const found = () => spans().filter((span) => span.traceId === traceId);
      await until(() => found().length >= count, { what: `${count} spans of a trace` }).catch(
        (error: Error) => {
          throw new Error(`${error.message}; there are ${JSON.stringify(spans(), null, 1)}`);
        },
      );
      return found();
    },
  };
}

/** Each span as `name < name of its parent`, sorted. */
const family = (spans: SpanLine[]): string[] =>
  spans
    .map(({ name, parent }) => {
      const above = spans.find((span) => span.spanId === parent);
      return `${name} < ${parent === undefined ? 'nothing' : (above?.name ?? 'unknown')}`;
    })
    .sort();

/** What a request leaves behind, beside its own span. */
const FAMILIES: Record<string, string[]> = {
  '/add?n=2': ['enqueue add < GET', 'run add < enqueue add'],
  '/delayed?n=2': ['enqueue add < GET', 'run add < enqueue add'],
  '/shaky': ['enqueue shaky < GET', 'run shaky < enqueue shaky', 'run shaky < enqueue shaky'],
  '/parent?n=2': [
    'enqueue double < run parent',
    'enqueue parent < GET',
    'run double < enqueue double',
    'run parent < enqueue parent',
  ],
  '/chain?n=2': [
    'enqueue double < GET',
    'run add < enqueue double',
    'run double < enqueue double',
    'run double < enqueue double',
  ],
  '/group?n=2': ['enqueue group < GET', 'run add < enqueue group', 'run double < enqueue group'],
  '/doomed': ['enqueue doomed < GET', 'run doomed < enqueue doomed', 'run mourn < enqueue doomed'],
  '/many?n=2': [
    'enqueue add < GET',
    'enqueue double < GET',
    'run add < enqueue add',
    'run double < enqueue double',
  ],
  '/bad': ['enqueue add < GET'],
};

/** What a request leaves behind, and in which process: for each kind of call. */
async function families(t: Test, traced: Traced): Promise<void> {
  for (const [url, expected] of Object.entries(FAMILIES)) {
    const get = `GET ${url.split('?')[0]!}`;
    const answer = await traced.get(url);
    const spans = await traced.trace(answer.traceId, expected.length + 1);
    const all = [`${get} < nothing`, ...expected.map((each) => each.replace('GET', get))];
    t.same(family(spans), all.sort(), url);
    for (const { name, kind, pid } of spans) {
      const [what] = name.split(' ') as ['GET' | 'enqueue' | 'run'];
      t.equal(kind, { GET: 1, enqueue: 3, run: 4 }[what], `kind of ${name}`);
      // A job's own enqueue is the worker's.
      if (what !== 'enqueue') t.equal(pid, what === 'run' ? traced.workerPid : traced.serverPid);
    }
  }
}

scene('one trace from the request to the run, the worker within the server', async (t, stage) => {
  const traced = await start(t, stage, 'within');
  await families(t, traced);
  t.equal(traced.serverPid, traced.workerPid);
});

scene('one trace from the request to the run, the worker beside the server', async (t, stage) => {
  const traced = await start(t, stage, 'beside');
  t.not(traced.serverPid, traced.workerPid);
  await t.test('of each kind of call', (t) => families(t, traced));
  await t.test('what the spans say: names of OpenTelemetry, and what failed', (t) => said(t, stage, traced));
  await t.test('requests at the same time keep their traces apart', (t) => apart(t, traced));
  await t.test('a cron job begins a trace, which the job it enqueues continues', (t) => ticked(t, traced));
}); // prettier-ignore

async function said(t: Test, stage: Stage, traced: Traced): Promise<void> {
  const named = (spans: SpanLine[], name: string) => spans.filter((span) => span.name === name);

  const delayed = await traced.get('/delayed?n=2');
  t.match(delayed, { result: 3, meta: { user: 'ann' } }, "the job's own meta is still there");
  const [, traceId, spanId] = delayed.meta['traceparent']!.split('-');
  const spans = await traced.trace(delayed.traceId, 3);
  const [enqueue] = named(spans, 'enqueue add');
  t.same(
    [traceId, spanId],
    [enqueue!.traceId, enqueue!.spanId],
    'the header is that of the enqueue',
  );
  const attributes = {
    'messaging.system': 'minq',
    'messaging.destination.name': stage.name,
    'messaging.message.id': delayed.id,
  };
  t.same(enqueue!.attributes, { ...attributes, 'messaging.operation.type': 'send' });
  t.same(named(spans, 'run add')[0]!.attributes, {
    ...attributes,
    'messaging.operation.type': 'process',
  });

  const shaky = await traced.get('/shaky');
  t.equal(shaky.result, 'now');
  const runs = named(await traced.trace(shaky.traceId, 4), 'run shaky');
  t.same(
    runs.map(({ failed, events }) => [failed, events]),
    [[true, ['not yet']], [false, []]], // prettier-ignore
  );

  const bad = await traced.get('/bad');
  t.match(bad.error, /^args\[0\]: BigInt/);
  const [refused] = named(await traced.trace(bad.traceId, 2), 'enqueue add');
  t.ok(refused!.failed, 'the enqueue that was refused has ended and failed');
  t.match(refused!.events, [/^args\[0\]: BigInt/]);
}

async function apart(t: Test, traced: Traced): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => traced.get(`/parent?n=${n}`)),
  );
  t.equal(new Set(answers.map(({ traceId }) => traceId)).size, 30);
  for (const { traceId, id, result } of answers) {
    const spans = await traced.trace(traceId, 5);
    t.equal(spans.length, 5);
    const ids = spans.flatMap((span) => span.attributes['messaging.message.id'] ?? []);
    t.same(new Set(ids), new Set([id, result]), 'its job and the job of that');
  }
}

async function ticked(t: Test, traced: Traced): Promise<void> {
  const { id, traceId } = await traced.get('/cron');
  let own: SpanLine | undefined;
  const isOfTick = ({ name, attributes }: SpanLine) =>
    name === 'run parent' && attributes['messaging.message.id'] === id;
  await until(() => (own = traced.spans().find(isOfTick)));
  t.not(own!.traceId, traceId, 'a tick belongs to no request');
  t.same(family(await traced.trace(own!.traceId, 3)), [
    'enqueue double < run parent',
    'run double < enqueue double',
    'run parent < nothing',
  ]);
}
