import t, { type Test } from 'tap';
import { checkName } from '../../src/job/names.ts';
import {
  checkEnqueueOptions,
  checkJobOptions,
  checkPage,
  checkQueueOptions,
  checkResultOptions,
  checkWorkerOptions,
  RUN_DEFAULTS,
} from '../../src/job/checks.ts';

type Table = readonly (readonly [given: object | null | string | number, message: RegExp])[];

function refuses(check: (value: unknown) => unknown, table: Table) {
  return async (t: Test) => {
    for (const [given, message] of table) {
      t.throws(() => check(given), { code: 'INVALID_ARGUMENT', message }, String(message));
    }
  };
}

void t.test('enqueue options are resolved: durations and dates in ms', async (t) => {
  t.same(
    checkEnqueueOptions({
      id: 'order:1/a@b+c=d.e-f_g',
      unique: 'kept',
      delay: '2s',
      expires: '1m',
      retries: 0,
      backoff: '5s',
      timeout: '10s',
      resultTtl: 0,
      priority: 'low',
      queue: 'mail',
      meta: { traceparent: '00-1' },
    }),
    {
      id: 'order:1/a@b+c=d.e-f_g',
      unique: 'kept',
      delay: 2_000,
      expires: 60_000,
      retries: 0,
      backoff: { type: 'fixed', delay: 5_000, max: 5_000, jitter: 0 },
      timeout: 10_000,
      resultTtl: 0,
      priority: 'low',
      queue: 'mail',
      meta: { traceparent: '00-1' },
    },
  );
  t.same(checkEnqueueOptions({ runAt: new Date(5) }), { runAt: 5 });
  t.same(checkEnqueueOptions(undefined), {});
  t.same(checkEnqueueOptions({ delay: undefined, id: undefined }), {}, 'undefined is not given');
});

void t.test('a backoff object may leave out what the default has', async (t) => {
  const { backoff } = checkEnqueueOptions({ backoff: { delay: '10ms', jitter: 0 } });
  t.same(backoff, { ...RUN_DEFAULTS.backoff, delay: 10, jitter: 0 });
});

void t.test(
  'bad enqueue options are refused with name, value and mend',
  refuses(checkEnqueueOptions, [
    [null, /^options: null is not usable; give an object$/],
    ['5s', /^options: "5s" is not usable; give an object$/],
    [[], /^options: an array is not usable; give an object$/],
    [{ id: '' }, /^id: "" is not usable; give 1 to 128 printable characters/],
    [{ id: 'a b' }, /^id: "a b"/],
    [{ id: 'a\nb' }, /^id: "a\\nb"/],
    [{ id: 'x'.repeat(129) }, /^id: "x{60}\.\.\."/],
    [{ id: 7 }, /^id: 7 is not usable/],
    [{ unique: 'kept' }, /^unique: "kept" is not usable; it needs an 'id'/],
    [
      { id: 'a', unique: 'always' },
      /^unique: "always" is not usable; give one of 'pending', 'kept', 'waiting'$/,
    ],
    [{ id: 'a', unique: true }, /^unique: true is not usable/],
    [{ delay: 'soon' }, /^delay: "soon" is no duration/],
    [{ delay: -1 }, /^delay: -1 is out of range/],
    [{ runAt: new Date(NaN) }, /^runAt: an object is not usable; give a valid Date$/],
    [{ runAt: new Date(-1) }, /^runAt: an object/],
    [{ runAt: Date.now() }, /^runAt: \d+ is not usable; give a valid Date$/],
    [{ runAt: '2030-01-01' }, /^runAt: "2030-01-01" is not usable/],
    [{ delay: 1, runAt: new Date() }, /^delay: 1 is not usable; give either 'delay' or 'runAt'/],
    [{ expires: 0 }, /^expires: 0 is out of range/],
    [{ delay: '1m', expires: '1m' }, /^expires: 60000 .* later than 'delay'/],
    [
      { runAt: new Date(Date.now() + 99_000), expires: '1m' },
      /^expires: 60000 .* later than 'runAt'/,
    ],
    [{ retries: -1 }, /^retries: -1 is not usable; give a whole number from 0/],
    [{ retries: 1.5 }, /^retries: 1\.5/],
    [{ retries: '3' }, /^retries: "3"/],
    [{ retries: Infinity }, /^retries: Infinity/],
    [{ backoff: 'fast' }, /^backoff: "fast" is no duration/],
    [{ backoff: { type: 'linear' } }, /^backoff\.type: "linear" .* 'exponential', 'fixed'$/],
    [{ backoff: { jitter: 2 } }, /^backoff\.jitter: 2 .* from 0 \(none\) to 1 \(full\)$/],
    [{ backoff: { jitter: NaN } }, /^backoff\.jitter: NaN/],
    [{ backoff: { delay: '' } }, /^backoff\.delay: ""/],
    [{ backoff: { deley: 1 } }, /^backoff\.deley: unknown option; did you mean 'delay'\?$/],
    [{ timeout: 0 }, /^timeout: 0 is out of range; it must be from 1 ms/],
    [{ priority: 1 }, /^priority: 1 .* 'high', 'normal', 'low'$/],
    [{ queue: 'a b' }, /^queue: "a b" is not usable; give 1 to 64/],
    [{ queue: 'a}b' }, /^queue: "a}b"/],
    [{ meta: 'x' }, /^meta: "x" .* object of texts$/],
    [{ meta: { n: 1 } }, /^meta\.n: 1 is not usable; give a text$/],
    [{ meta: ['x'] }, /^meta: an array/],
  ]),
);

void t.test(
  'an unknown option is named, with the likely one or all known ones',
  refuses(checkEnqueueOptions, [
    [{ dealy: 1 }, /^dealy: unknown option; did you mean 'delay'\?$/],
    [{ Priority: 'high' }, /^Priority: unknown option; did you mean 'priority'\?$/],
    [{ prority: 'high' }, /did you mean 'priority'\?$/],
    [{ runat: 1 }, /did you mean 'runAt'\?$/],
    [{ resultTTL: 1 }, /did you mean 'resultTtl'\?$/],
    [{ expire: 1 }, /did you mean 'expires'\?$/],
    [{ banana: 1 }, /^banana: unknown option; known are retries, backoff, timeout, .*, meta$/],
    [{ constructor: 1 }, /^constructor: unknown option/],
    [JSON.parse('{"__proto__": {"delay": 1}}') as object, /^__proto__: unknown option/],
  ]),
);

void t.test(
  'bad queue options are refused, and defaults that make sense for one job only',
  refuses(checkQueueOptions, [
    [{ prefix: 'a:b' }, /^prefix: "a:b"/],
    [{ prefix: '' }, /^prefix: ""/],
    [{ callTimeout: 0 }, /^callTimeout: 0 is out of range/],
    [
      { callTimeout: '25d' },
      /^callTimeout: "25d" .* from 1 ms to 2147483647 ms, the longest timer/,
    ],
    [{ calltimeout: 1 }, /did you mean 'callTimeout'\?$/],
    [{ connection: {} }, /^connection: unknown option; known are redis, prefix, defaults/],
    [{ defaults: { dealy: 1 } }, /^defaults\.dealy: unknown option; did you mean 'delay'\?$/],
    [{ defaults: { delay: 'x' } }, /^defaults\.delay: "x"/],
    [{ defaults: { id: 'a' } }, /^defaults\.id: "a" .* single job only$/],
    [{ defaults: { queue: 'a' } }, /^defaults\.queue: "a" .* single job only$/],
    [{ defaults: { runAt: new Date(9) } }, /^defaults\.runAt: 9 .* single job only$/],
    [{ defaults: { unique: 'kept' } }, /^defaults\.unique: "kept"/],
  ]),
);

void t.test(
  'bad worker options are refused',
  refuses(checkWorkerOptions, [
    [{ concurrency: 0 }, /^concurrency: 0 .* from 1 to 1000$/],
    [{ concurrency: 1_001 }, /^concurrency: 1001/],
    [{ concurency: 1 }, /did you mean 'concurrency'\?$/],
    [{ lease: 299 }, /^lease: 299 is out of range; it must be from 300 ms/],
    [{ burst: 1 }, /^burst: 1 .* true or false$/],
    [{ logger: {} }, /^logger: an object is not usable; it needs a method 'debug'/],
    [{ middleware: [] }, /^middleware: an array .* give a function$/],
  ]),
);

void t.test(
  'bad job options are refused',
  refuses(checkJobOptions, [
    [{ delay: 1 }, /^delay: unknown option; known are retries, /],
    [{ retryIf: true }, /^retryIf: true .* give a function$/],
    [{ onFailure: '' }, /^onFailure: ""/],
    [{ timeout: 'x' }, /^timeout: "x"/],
  ]),
);

void t.test(
  'bad result options are refused',
  refuses(checkResultOptions, [
    [{ timeout: 'x' }, /^timeout: "x"/],
    [{ signal: {} }, /^signal: an object is not usable; give an AbortSignal$/],
    [{ timeOut: 1 }, /did you mean 'timeout'\?$/],
  ]),
);

void t.test(
  'bad pages are refused',
  refuses(checkPage, [
    [{ offset: -1 }, /^offset: -1/],
    [{ limit: 0 }, /^limit: 0 .* from 1 to 1000$/],
    [{ limit: 1_001 }, /^limit: 1001/],
  ]),
);

void t.test('names of queues and prefixes keep the hash tag whole', async (t) => {
  for (const name of ['a', 'A-b_c.9', 'x'.repeat(64)]) t.equal(checkName(name, 'queue'), name);
  for (const name of ['', 'a:b', 'a{b', 'a}b', 'a b', 'ä', 'x'.repeat(65), 'a\n', 7, null]) {
    t.throws(() => checkName(name, 'queue'), { message: /^queue: .* is not usable/ });
  }
});
