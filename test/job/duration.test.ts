import t from 'tap';
import { toMs } from '../../src/job/duration.ts';
import { show } from '../../src/job/refuse.ts';
import { InvalidArgumentError } from '../../src/job/errors.ts';

void t.test('numbers are milliseconds, texts have a unit', async (t) => {
  for (const [given, ms] of [
    [0, 0],
    [1, 1],
    [1.4, 1],
    [1.5, 2],
    ['250', 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['5m', 300_000],
    ['5 minutes', 300_000],
    ['7d', 604_800_000],
    ['100y', 100 * 365.25 * 86_400_000],
  ] as const) {
    t.equal(toMs(given, 'delay'), ms, String(given));
  }
});

void t.test('anything else is refused with the name of the option and the value', async (t) => {
  for (const [given, shown] of [
    ['', '""'],
    ['soon', '"soon"'],
    [' 5s', '" 5s"'],
    ['1mo', '"1mo"'],
    ['5s 5s', '"5s 5s"'],
    ['9'.repeat(101), '"999'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [5n, '5'],
    [new Date(0), 'an object'],
    [[1], 'an array'],
    [() => 1, 'a function'],
  ] as const) {
    const error = t.throws(() => toMs(given, 'resultTtl')) as unknown as InvalidArgumentError;
    t.type(error, InvalidArgumentError, shown);
    t.equal(error.code, 'INVALID_ARGUMENT');
    t.ok(error.message.startsWith(`resultTtl: ${shown}`), error.message);
    t.match(error.message, 'is no duration; give milliseconds or text');
  }
});

void t.test('what is below the least or above a century is out of range', async (t) => {
  t.throws(() => toMs(-1, 'delay'), { message: /^delay: -1 is out of range; .*from 0 ms/ });
  t.throws(() => toMs('-5s', 'delay'), { message: /^delay: "-5s" is out of range/ });
  t.throws(() => toMs(0, 'timeout', 1), { message: /^timeout: 0 is out of range; .*from 1 ms/ });
  t.throws(() => toMs(299, 'lease', 300), { message: /from 300 ms/ });
  t.equal(toMs(300, 'lease', 300), 300);
  t.throws(() => toMs('101y', 'delay'), { message: /to 100 years$/ });
  t.throws(() => toMs(Number.MAX_VALUE, 'delay'), { message: /out of range/ });
});

void t.test('a value in a message is short and quoted', async (t) => {
  t.equal(show('a"b\n'), String.raw`"a\"b\n"`);
  t.equal(show('x'.repeat(61)), `"${'x'.repeat(60)}..."`);
  t.equal(show(Symbol('s')), 'Symbol(s)');
  t.equal(show(Object.create(null)), 'an object');
  t.equal(
    show(
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
    ),
    'an object',
  );
});
