/** The tracing channel `minq:enqueue`: what is said, when, and what listeners can and can't do. */
import { execFile } from 'node:child_process';
import { tracingChannel } from 'node:diagnostics_channel';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import {
  chain,
  currentJob,
  group,
  Queue,
  step,
  Worker,
  type EnqueueMessage,
  type Job,
} from '../../src/index.ts';
import { app } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';

const channel = tracingChannel<unknown, EnqueueMessage>('minq:enqueue');
const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

interface Heard {
  events: [event: string, message: EnqueueMessage][];
  /** Events of the message about this function. */
  of(fn: string): string[];
  message(fn: string): EnqueueMessage;
}

/** Listens until the test is over; `onStart` may write headers. */
function listen(t: Test, onStart: (message: EnqueueMessage) => void = () => {}): Heard {
  const events: Heard['events'] = [];
  const handlers = Object.fromEntries(
    EVENTS.map((event) => [
      event,
      (message: EnqueueMessage) => {
        events.push([event, message]);
        if (event === 'start') onStart(message);
      },
    ]),
  ) as Record<(typeof EVENTS)[number], (message: EnqueueMessage) => void>;
  channel.subscribe(handlers);
  t.teardown(() => channel.unsubscribe(handlers));
  const of = (fn: string) => events.filter(([, message]) => message.fn === fn);
  return {
    events,
    of: (fn) => of(fn).map(([event]) => event),
    message: (fn) => of(fn)[0]![1],
  };
}

const WELL = ['start', 'end', 'asyncStart', 'asyncEnd'];
const metaOf = async (job: Job) => (await job.info()).meta;

scene('a job: its headers are in its record, the handle is the result', async (t, stage) => {
  const heard = listen(t, ({ meta, id }) => void (meta['trace'] = `of ${id}`));
  const queue = stage.queue({ defaults: { meta: { tenant: 'a' } } });
  const own = Object.freeze({ user: 'ann', trace: 'none' });

  const job = await queue.enqueue('f', [1], { meta: own, id: 'one', queue: 'other' });
  t.same(heard.of('f'), WELL);
  t.match(heard.message('f'), { queue: 'other', fn: 'f', id: 'one', result: job });
  t.same(await metaOf(job), { user: 'ann', trace: 'of one' });

  const plain = await queue.enqueue('g');
  t.match(heard.message('g'), { queue: stage.name, id: plain.id });
  t.same(await metaOf(plain), { tenant: 'a', trace: `of ${plain.id}` }, 'the default is unchanged');
  t.not(heard.message('g').meta, heard.message('f').meta);

  const again = await queue.enqueue('h', [], { id: plain.id });
  t.equal(again.duplicate, true);
  t.equal(heard.message('h').result, again);
});

scene('nobody listens, or a listener writes nothing: the record has no meta', async (t, stage) => {
  const queue = stage.queue();
  const record = async ({ id }: Job) =>
    (await stage.redis.client.hget(`minq:{${stage.name}}:jobs`, id))!.slice(13);
  t.equal(await record(await queue.enqueue('f')), '{"fn":"f","args":[]}');
  const heard = listen(t);
  t.equal(await record(await queue.enqueue('f')), '{"fn":"f","args":[]}');
  t.same(heard.of('f'), WELL);
});

scene('many: a message for each, and none is left open when one can not be', async (t, stage) => {
  const heard = listen(t, ({ meta, fn }) => void (meta['trace'] = fn));
  const queue = stage.queue();
  const outcomes = await queue.enqueueMany([{ fn: 'a' }, { fn: 'b', meta: { own: 'x' } }]);
  const [a, b] = outcomes.map((one) => (one as PromiseFulfilledResult<Job>).value);
  t.same([heard.of('a'), heard.of('b')], [WELL, WELL]);
  t.same([heard.message('a').result, heard.message('b').result], [a, b]);
  t.same(await metaOf(a!), { trace: 'a' });
  t.same(await metaOf(b!), { own: 'x', trace: 'b' });

  const items = [{ fn: 'c' }, { fn: 'd', args: [1n] }, { fn: 'e' }];
  const error = (await queue.enqueueMany(items).catch((thrown: unknown) => thrown)) as Error;
  t.match(error.message, /^items\[1\]: args\[0\]: BigInt/);
  t.same(heard.of('c'), ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  t.equal(heard.message('c').error, error, 'it is not enqueued because of the other');
  t.same(heard.of('d'), ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  t.same(heard.of('e'), []);
});

scene('a flow: one message; every step has the headers beneath its own meta', async (t, stage) => {
  const heard = listen(t, ({ meta }) => Object.assign(meta, { trace: 'flow', user: 'of trace' }));
  const queue = stage.queue({ defaults: { meta: { tenant: 'a' } } });
  const flow = chain(
    step('f'),
    group([step('g', [], { meta: { user: 'ann' } }), step('h')]),
    step('last', [], { queue: `${stage.name}-b` }),
  );
  const job = await queue.enqueue(flow);
  t.equal(heard.events.length, WELL.length);
  t.same(heard.of('last'), WELL);
  t.match(heard.message('last'), { queue: `${stage.name}-b`, id: job.id, result: job });
  const id = job.id.split('.')[0]!;
  const metas = [];
  for (const n of [0, 1, 2]) metas.push(await metaOf(queue.job(`${id}.${n}`)));
  t.same(metas, [
    { tenant: 'a', trace: 'flow', user: 'of trace' },
    { trace: 'flow', user: 'ann' },
    { tenant: 'a', trace: 'flow', user: 'of trace' },
  ]);
  t.same(await metaOf(job), { tenant: 'a', trace: 'flow', user: 'of trace' });

  const gathered = await queue.enqueue(group([step('f'), step('g')]));
  t.match(heard.message('group'), { id: gathered.id, queue: stage.name, result: gathered });
  await t.rejects(queue.enqueue(step('bad', [1n])));
  t.same(heard.of('bad'), ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  for (const each of [job, gathered]) await each.cancel();
});

scene('what is no text is refused, as in the option', async (t, stage) => {
  const heard = listen(t, ({ meta, fn }) => void ((meta as Record<string, unknown>)[fn] = 5));
  const queue = stage.queue();
  const calls: (() => Promise<unknown>)[] = [
    () => queue.enqueue('f'),
    () => queue.enqueue(step('f')),
    () => queue.enqueueMany([{ fn: 'f' }]),
  ];
  for (const call of calls) {
    await t.rejects(call(), {
      name: 'InvalidArgumentError',
      message: /meta \(minq:enqueue\)\.f: 5 is not usable; give a text$/,
    });
  }
  t.equal(heard.of('f').filter((event) => event === 'asyncEnd').length, 3);
  t.equal((await queue.counts()).queued, 0);
});

scene('Redis is away: the error is the one the caller gets', async (t, stage) => {
  const heard = listen(t);
  const redis = { port: 1, host: '127.0.0.1', retryStrategy: () => 10 };
  const queue = new Queue(stage.name, { redis, callTimeout: 200 });
  for (const [fn, call] of [
    ['f', () => queue.enqueue('f')],
    ['g', () => queue.enqueue(step('g'))],
  ] as const) {
    const error = await call().catch((thrown: unknown) => thrown);
    t.match(error, { name: 'RedisUnavailableError', id: heard.message(fn).id });
    t.equal(heard.message(fn).error, error);
    t.same(heard.of(fn), ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  }
  await queue.close();
});

scene('a listener that throws breaks no enqueue: Node reports it', async (t, stage) => {
  const folder = app(t, {
    'package.json': '{ "type": "module" }',
    'app.js': `
      import { channel } from 'node:diagnostics_channel';
      import { Queue, step } from 'minq';
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      for (const event of ['start', 'end', 'asyncStart', 'asyncEnd']) {
        channel('tracing:minq:enqueue:' + event).subscribe(() => { throw new Error(event); });
      }
      const queue = new Queue(${JSON.stringify(stage.name)});
      await queue.enqueue('f');
      await queue.enqueueMany([{ fn: 'f' }]);
      await queue.enqueue(step('f'));
      console.log((await queue.counts()).queued);
      await queue.close();`,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder, 'app.js')], {
    env: { PATH: process.env['PATH'], MINQ_REDIS_URL: stage.redis.url },
  });
  const lines = stdout.trim().split('\n');
  t.equal(lines.filter((line) => line.startsWith('uncaught')).length, 12);
  t.ok(lines.includes('3'), 'all three are enqueued');
});

scene('Worker.use goes around the middleware of each worker made after it', async (t, stage) => {
  const steps: string[] = [];
  const note = (name: string) => async (job: { fn: string }, next: () => Promise<unknown>) => {
    if (job.fn === 'watched') steps.push(`${name} in`);
    const result = await next();
    if (job.fn === 'watched') steps.push(`${name} out ${String(result)}`);
    return 'nothing of ours';
  };
  const jobs = { watched: () => (steps.push('runs'), currentJob().attempt) };
  const before = stage.worker(jobs);
  Worker.use(note('first'));
  Worker.use(note('second'));
  const queue = stage.queue();
  t.equal(await (await queue.enqueue('watched')).result({ timeout: '10s' }), 1);
  t.same(steps.splice(0), ['runs'], 'the one made before is as it was');
  await before.stop();
  stage.worker(jobs, { middleware: note('own') });
  t.equal(await (await queue.enqueue('watched')).result({ timeout: '10s' }), 1);
  t.same(steps, [
    'first in',
    'second in',
    'own in',
    'runs',
    'own out 1',
    'second out 1',
    'first out 1',
  ]);
  for (const wrong of [undefined, 'otel', {}]) {
    t.throws(() => Worker.use(wrong as never), /^middleware: .* is not usable; give a function$/);
  }
});
