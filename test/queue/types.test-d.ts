/**
 * What the compiler must accept and refuse. It is compiled by `npm run typecheck` and never run:
 * `@ts-expect-error` fails the build where the line below it is no error.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import { pino } from 'pino';
import {
  defineConfig,
  job,
  Queue,
  Retry,
  routesOf,
  step,
  Worker,
  type EnqueueItem,
  type EnqueueMessage,
  type Job,
  type Jsonify,
  type QueueOptions,
} from '../../src/index.ts';
import * as jobs from '../fixtures/types/jobs.ts';
import { queue } from '../fixtures/types/queue.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}
/** What `result()` of a job resolves to. */
type ResultOf<Enqueued> = Enqueued extends Promise<Job<infer Result>> ? Result : never;

// ---- Names ------------------------------------------------------------------------------------

type Name = EnqueueItem<typeof jobs>['fn'];
same<Extract<Name, 'NotAJob' | 'alsoNotAJob' | 'neitherAJob' | 'default'>, never>(true);
same<Extract<Name, 'add' | 'ping' | 'withOptions' | 'fanOut'>, 'add' | 'ping' | 'withOptions' | 'fanOut'>(true); // prettier-ignore
// @ts-expect-error no such function
void queue.enqueue('ad', [1, 2]);
// @ts-expect-error a class is no job
void queue.enqueue('NotAJob');
// @ts-expect-error a number is no job
void queue.enqueue('alsoNotAJob');
// @ts-expect-error an object is no job
void queue.enqueue('neitherAJob');
// @ts-expect-error the default export has no name
void queue.enqueue('default');
// @ts-expect-error nor is what every object has by birth
void queue.enqueue('toString');

// ---- Arguments --------------------------------------------------------------------------------

void queue.enqueue('add', [1, 2]);
void queue.enqueue('add', [1, 2], { delay: '5s', priority: 'high' });
// @ts-expect-error too few
void queue.enqueue('add', [1]);
// @ts-expect-error none at all
void queue.enqueue('add');
// @ts-expect-error too many
void queue.enqueue('add', [1, 2, 3]);
// @ts-expect-error of the wrong type
void queue.enqueue('add', [1, '2']);
// @ts-expect-error not an array
void queue.enqueue('add', 1, 2);

void queue.enqueue('greet', ['a']);
void queue.enqueue('greet', ['a', true]);
void queue.enqueue('greet', ['a', undefined]);
// @ts-expect-error the one that is not optional
void queue.enqueue('greet', []);
// @ts-expect-error an optional one of the wrong type
void queue.enqueue('greet', ['a', 'loud']);

// ---- Calls -------------------------------------------------------------------------------------

const called = queue.call('add', [1, 2], { timeout: '5s', signal: new AbortController().signal });
same<Awaited<typeof called>, number>(true);
void queue.call('ping');
// @ts-expect-error the arguments are missing
void queue.call('add');
// @ts-expect-error of another type
void queue.call('add', [1, 'two']);
// @ts-expect-error no such function
void queue.call('ad', [1, 2]);
// @ts-expect-error no such option
void queue.call('add', [1, 2], { wait: '5s' });

// ---- Arguments that may be left out ------------------------------------------------------------

void queue.enqueue('opt');
void queue.enqueue('opt', [1]);
void queue.enqueue('opt', [1, undefined]);
void queue.enqueue('opt', [undefined, undefined]);
void queue.enqueue('opt', [1, 2]);
// @ts-expect-error JSON has no undefined: only what is last can be left out
void queue.enqueue('opt', [undefined, 2]);
// @ts-expect-error nor in a step
void queue.enqueue(step('opt', [undefined, 2]));
// @ts-expect-error nor in one of many
void queue.enqueueMany([{ fn: 'opt', args: [undefined, 2] }]);
void queue.enqueue('holes', [[1, 2]]);
// @ts-expect-error nor in an array
void queue.enqueue('holes', [[1, undefined]]);

void queue.enqueue('withDefault');
void queue.enqueue('withDefault', [2]);
void queue.enqueue('withDefault', undefined, { delay: 1 });
// @ts-expect-error of the wrong type
void queue.enqueue('withDefault', ['2']);

void queue.enqueue('sum');
void queue.enqueue('sum', [1, 2, 3, 4]);
// @ts-expect-error one of the rest
void queue.enqueue('sum', [1, '2']);
void queue.enqueue('labelled', ['a', 1]);
void queue.enqueue('labelled', ['a', 1, true]);
// @ts-expect-error the second is missing
void queue.enqueue('labelled', ['a']);

void queue.enqueue('ping');
void queue.enqueue('ping', []);
void queue.enqueue('ping', [], { delay: 1 });
// @ts-expect-error it takes none
void queue.enqueue('ping', [1]);

void queue.enqueue('save', [{ id: 'a', nested: {} }]);
// @ts-expect-error a property is missing
void queue.enqueue('save', [{ id: 'a' }]);
// @ts-expect-error a property too many
void queue.enqueue('save', [{ id: 'a', nested: { off: true } }]);
void queue.enqueue('anything', [{ whatever: 1 }]);
void queue.enqueue('loose', [new Map()]);
void queue.enqueue('withOptions', ['http://a']);
// @ts-expect-error job() keeps the arguments
void queue.enqueue('withOptions', [1]);

void queue.enqueue('either', [new Date()]);
void queue.enqueue('either', ['2026-01-01']);
// @ts-expect-error a Date arrives as a string, which this function doesn't take
void queue.enqueue('onlyDate', [new Date()]);
// @ts-expect-error a Map can't be stored
void queue.enqueue('takesMap', [new Map()]);

// ---- Options ----------------------------------------------------------------------------------

// @ts-expect-error unknown
void queue.enqueue('ping', [], { dealy: 1 });
// @ts-expect-error of the wrong type
void queue.enqueue('ping', [], { priority: 'urgent' });
// @ts-expect-error a Date, not its number
void queue.enqueue('ping', [], { runAt: 5 });
// @ts-expect-error one job's option is no default
void new Queue('q', { defaults: { id: 'x' } });
// @ts-expect-error unknown
void new Worker(jobs, { concurency: 1 });
void new Worker(jobs, { concurrency: 1 });

// ---- Results ----------------------------------------------------------------------------------

const enqueued = {
  add: queue.enqueue('add', [1, 2]),
  ping: queue.enqueue('ping'),
  asyncVoid: queue.enqueue('asyncVoid'),
  at: queue.enqueue('at'),
  gaps: queue.enqueue('gaps'),
  user: queue.enqueue('user'),
  maybe: queue.enqueue('maybe'),
  labelled: queue.enqueue('labelled', ['a', 1]),
  returnsMap: queue.enqueue('returnsMap'),
  anything: queue.enqueue('anything', [1]),
  loose: queue.enqueue('loose', [1]),
  deep: queue.enqueue('deep'),
  withOptions: queue.enqueue('withOptions', ['x']),
};
type Result<N extends keyof typeof enqueued> = ResultOf<(typeof enqueued)[N]>;
interface StoredUser {
  id: string;
  tags?: string[];
  since: string;
}
same<Result<'add'>, number>(true);
same<Result<'ping'>, void>(true);
same<Result<'asyncVoid'>, void>(true);
same<Result<'at'>, string>(true);
same<Result<'gaps'>, (number | null)[]>(true);
same<Jsonify<jobs.User>['since'], string>(true);
same<{ [K in keyof Result<'user'>]: Result<'user'>[K] }, { [K in keyof StoredUser]: StoredUser[K] }>(true); // prettier-ignore
same<undefined extends Result<'maybe'> ? true : false, true>(true);
same<NonNullable<Result<'maybe'>>['since'], string>(true);
same<Result<'labelled'>, [string, number]>(true);
same<Result<'returnsMap'>, never>(true);
same<Result<'anything'>, unknown>(true);
same<Result<'deep'>['list'][number]['at'], string | null>(true);
same<Result<'withOptions'>, number>(true);
// The helper itself can tell types apart.
same<Result<'add'>, string>(false);
same<Result<'loose'>, any>(true);
same<Result<'loose'>, unknown>(false);

// ---- Many -------------------------------------------------------------------------------------

void queue.enqueueMany([
  { fn: 'add', args: [1, 2], delay: 5 },
  { fn: 'ping' },
  { fn: 'sum', id: 'x', unique: 'kept' },
]);
// @ts-expect-error no such function
void queue.enqueueMany([{ fn: 'ad', args: [1, 2] }]);
// @ts-expect-error the arguments are missing
void queue.enqueueMany([{ fn: 'add' }]);
// @ts-expect-error the arguments of another function
void queue.enqueueMany([{ fn: 'add', args: ['a'] }]);
// @ts-expect-error unknown option
void queue.enqueueMany([{ fn: 'ping', dealy: 1 }]);

// ---- Without a type argument everything is accepted ---------------------------------------------

const open = new Queue();
const accepted = open.enqueue('whatever', [1, 'x', { y: new Date() }], { delay: 1 });
void open.enqueue('whatever');
void open.enqueueMany([{ fn: 'a', args: [1] }, { fn: 'b' }]);
declare const anyName: string;
void open.enqueue(anyName, [] as unknown[]);
// @ts-expect-error but not any option
void open.enqueue('whatever', [], { dealy: 1 });
// @ts-expect-error and the arguments are an array
void open.enqueue('whatever', 'x');
same<ResultOf<typeof accepted>, any>(true);

// ---- Objects of functions -----------------------------------------------------------------------

const local = { double: (n: number) => n * 2 };
const typed = new Queue<typeof local>('local');
same<ResultOf<ReturnType<typeof typed.enqueue<'double'>>>, number>(true);
void typed.enqueue('double', [2]);
// @ts-expect-error of the wrong type
void typed.enqueue('double', ['2']);

// ---- Cron -------------------------------------------------------------------------------------

same<typeof nightly, () => number>(true);
const nightly = job({ cron: '0 2 * * *', timezone: 'Europe/Berlin', retries: 1 }, () => 1);
void job({ every: '15m', catchUp: 'all', overlap: false }, async (_a?: string) => {});
// @ts-expect-error a tick has no arguments to give
void job({ every: '15m' }, (a: string) => a);
// @ts-expect-error either, not both
void job({ every: '15m', cron: '@daily' }, () => 1);
// @ts-expect-error it goes with cron
void job({ every: '15m', timezone: 'UTC' }, () => 1);
// @ts-expect-error it goes with cron or every
void job({ catchUp: 'all' }, () => 1);

void queue.schedule('a', { cron: '@daily', fn: 'add', args: [1, 2], options: { retries: 1 } });
void queue.schedule('a', { every: 5_000, fn: 'withDefault' });
// @ts-expect-error no such function
void queue.schedule('a', { every: 5_000, fn: 'ad' });
// @ts-expect-error of the wrong type
void queue.schedule('a', { every: 5_000, fn: 'add', args: [1, '2'] });
// @ts-expect-error arguments are missing
void queue.schedule('a', { every: 5_000, fn: 'add' });
// @ts-expect-error when?
void queue.schedule('a', { fn: 'withDefault' });
// @ts-expect-error each tick has an id of its own
void queue.schedule('a', { every: 5_000, fn: 'withDefault', options: { id: 'x' } });

// ---- Loggers, middleware, tracing ---------------------------------------------------------------

void new Worker(jobs, { logger: pino() });
void new Worker(jobs, { logger: pino().child({ service: 'mail' }) });
void new Worker(jobs, { logger: console });
// @ts-expect-error it has no levels
void new Worker(jobs, { logger: { log: console.log } });

Worker.use(async (run, next) => {
  same<typeof run.meta, Readonly<Record<string, string>>>(true);
  await next();
});
// @ts-expect-error the job would not run
Worker.use((run) => run.id);

tracingChannel<unknown, EnqueueMessage>('minq:enqueue').subscribe({
  start({ meta, id }) {
    meta['trace'] = id;
    // @ts-expect-error a header is a text
    meta['trace'] = 1;
  },
  end() {},
  asyncStart() {},
  asyncEnd: ({ result }) => void result?.cancel(),
  error: ({ error }) => void (error instanceof Error),
});

// ---- Where Redis is ---------------------------------------------------------------------------

declare const five: {
  redis: import('ioredis5').Redis;
  cluster: import('ioredis5').Cluster;
  options: import('ioredis5').RedisOptions;
};
declare const six: {
  redis: import('ioredis').Redis;
  resp3: import('ioredis').Redis<'resp3'>;
  cluster: import('ioredis').Cluster;
  options: import('ioredis').RedisOptions;
};
for (const redis of [five.redis, five.cluster, five.options]) new Queue('q', { redis });
for (const redis of [six.redis, six.resp3, six.cluster, six.options]) new Queue('q', { redis });
new Worker(jobs, { redis: five.redis });
// @ts-expect-error no option of ioredis
new Queue('q', { redis: { hots: 'localhost' } });
// @ts-expect-error no client
new Queue('q', { redis: { options: {} } });
// @ts-expect-error no URL
new Queue('q', { redis: 6379 });

// ---- Routes, limits, orders, config ------------------------------------------------------------

new Queue<typeof jobs>('q', { routes: { add: 'sums', ping: 'pings' } });
new Queue('q', { routes: { anything: 'goes' } });
declare const wrapped: QueueOptions;
new Queue<typeof jobs>('q', wrapped);
same<ReturnType<typeof routesOf<{ a(): void; b(): void }>>, { a?: string; b?: string }>(true);
new Queue<typeof jobs>('q', { routes: routesOf(jobs) });
// @ts-expect-error no such function
new Queue<typeof jobs>('q', { routes: { ad: 'sums' } });
// @ts-expect-error a queue is named by a text
new Queue<typeof jobs>('q', { routes: { add: 5 } });
job({ queue: 'mail', every: '1m', times: 3, until: new Date(), expires: '10s' }, () => {});
// @ts-expect-error a moment is a Date
job({ every: '1m', until: '2030-01-01' }, () => {});
// @ts-expect-error how often it fires goes with when
job({ times: 3 }, () => {});
void queue.schedule('sum', { every: '1m', fn: 'add', args: [1, 2], times: 3, paused: true });
// @ts-expect-error a number
void queue.schedule('sum', { every: '1m', fn: 'add', args: [1, 2], times: '3' });
void queue.reschedule('id', { delay: '5m' });
// @ts-expect-error a duration or a Date
void queue.reschedule('id', { delay: new Date() });
void queue.control({ concurrency: 5 }, 'id');
// @ts-expect-error no order
void queue.control('jump');
void queue.limit({ rate: '100/1m' });
void queue.limit(null);
// @ts-expect-error how many in which time
void queue.limit({ rate: 100 });
void new Retry({ delay: '1s', free: true });
// @ts-expect-error yes or no
void new Retry({ free: 'yes' });

const config = defineConfig<typeof jobs>({ queues: { a: 5 }, routes: { add: 'a' }, lease: '10s' });
new Queue<typeof jobs>('q', config);
new Queue('q', defineConfig({ redis: 'redis://127.0.0.1' }));
new Worker(jobs, { ...config, queue: 'a' });
// @ts-expect-error no such function
defineConfig<typeof jobs>({ routes: { ad: 'a' } });
// @ts-expect-error no such option
defineConfig({ leese: '10s' });
// @ts-expect-error of `minq worker` they are `queues`
defineConfig({ queue: 'a' });
