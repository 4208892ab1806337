import t from 'tap';
import { seeded } from '../helpers/seeded.ts';
import {
  describeError,
  encodeArgs,
  encodeValue,
  MAX_JSON_BYTES,
  readError,
  reviveError,
} from '../../src/job/codec.ts';
import { causeLines, errorLine } from '../../src/job/failure.ts';

const circular: { self?: unknown; list: unknown[] } = { list: [] };
circular.self = circular;
const ring: unknown[] = [];
ring.push({ ring });
const throwing = {
  get secret(): never {
    throw new Error('not for you');
  },
};
const nested = (depth: number): unknown[] => {
  let value: unknown[] = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
};
class Point {
  x = 1;
}

void t.test('what JSON can say goes through unchanged', async (t) => {
  for (const value of [
    [],
    [null, true, false, 0, 1.5, -1e300, 5e-324, Number.MAX_SAFE_INTEGER, '', 'text'],
    [{}, [], [[]], { a: { b: [{ c: null }] } }],
    ['lone surrogates \ud800 \udfff', '\u0000\u2028\u2029\u{1f600}'],
    [{ constructor: 1, toString: 2, hasOwnProperty: 3, '': 5, 'a.b': 6, toJSON: 7 }],
    [Object.assign(Object.create(null) as object, { bare: 1 })],
  ]) {
    t.same(JSON.parse(encodeArgs(value)), value);
  }
});

void t.test('what JSON bends as everybody expects is let through', async (t) => {
  const same = (value: unknown, back: unknown) =>
    t.strictSame(JSON.parse(encodeArgs([value])), [back]);
  same(new Date(0), '1970-01-01T00:00:00.000Z');
  same(new URL('http://a/b'), 'http://a/b');
  same({ toJSON: () => ({ amount: '1.10' }) }, { amount: '1.10' });
  same(new Point(), { x: 1 });
  same({ gone: undefined, here: 1 }, { here: 1 });
  t.ok(Object.is((JSON.parse(encodeArgs([-0])) as number[])[0], 0), '-0 becomes 0');
});

void t.test('values of all kinds are written as JSON.stringify writes them', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const texts = ['', 'a', 'é"\\\n', '\u2028\ud83d', '\u{1f600}', 'toJSON', '0', 'y'.repeat(100)];
  const value = (depth: number): unknown =>
    pick([
      () => pick([0, -0, 1.5, 1e21, 1e-7, -1, 2 ** 53, true, false, null]),
      () => pick(texts),
      () => new Date(random(1e12)),
      () => (depth > 4 ? [] : Array.from({ length: random(12) }, () => value(depth + 1))),
      () => Array.from({ length: random(12) }, () => random(1e6) / 7),
      () =>
        depth > 4
          ? {}
          : Object.fromEntries(
              Array.from({ length: random(5) }, () => [pick(texts), value(depth + 1)]),
            ),
      () => ({ gone: undefined, toJSON: (key: string) => [key, 1.5] }),
    ])();
  for (let i = 0; i < 2_000; i++) {
    const args = [value(0), value(0)];
    if (encodeArgs(args) !== JSON.stringify(args)) t.equal(encodeArgs(args), JSON.stringify(args));
  }
});

void t.test(
  'a getter, a toJSON, a proxy is read once: what was checked is what is written',
  async (t) => {
    for (const second of [undefined, NaN, 1n, () => {}, new Map(), nested(600), 'other']) {
      const answers = () => {
        let reads = 0;
        return () => (reads++ === 0 ? 'first' : second);
      };
      const getter = Object.defineProperty({}, 'a', { get: answers(), enumerable: true });
      t.equal(encodeArgs([getter]), '[{"a":"first"}]');
      t.equal(encodeArgs([{ a: { toJSON: answers() } }]), '[{"a":"first"}]');
      const answer = answers();
      const proxy = new Proxy(['x'], {
        get: (list, key) => (key === '0' ? answer() : Reflect.get(list, key)) as unknown,
      });
      t.equal(encodeArgs([proxy]), '[["first"]]');
    }
    t.throws(() => encodeArgs([{ toJSON: () => undefined }]), {
      message: "args[0]: undefined can't be stored as JSON here; use null",
    });
    t.throws(() => encodeValue({ toJSON: () => undefined }, 'result'), {
      message: /^result: undefined/,
    });
  },
);

void t.test('the same object twice is no circle', async (t) => {
  const shared = { a: 1 };
  t.same(JSON.parse(encodeArgs([shared, shared, { shared }])), [shared, shared, { shared }]);
});

void t.test(
  'arguments left out at the end are missing, in the middle they are refused',
  async (t) => {
    t.equal(encodeArgs([]), '[]');
    t.equal(encodeArgs([undefined, undefined]), '[]');
    t.equal(encodeArgs([1, undefined]), '[1]');
    t.throws(() => encodeArgs([undefined, 1]), {
      message: /^args\[0\]: undefined can't be stored as JSON here; use null$/,
    });
  },
);

void t.test('what JSON can not say is refused with its path', async (t) => {
  const user = { user: { id: 1n } };
  for (const [value, message] of [
    [user, "args[0].user.id: BigInt can't be stored as JSON; pass it as a string"],
    [NaN, "args[0]: NaN can't be stored as JSON"],
    [{ a: [1, Infinity] }, "args[0].a[1]: Infinity can't be stored as JSON"],
    [-Infinity, "args[0]: -Infinity can't be stored as JSON"],
    [() => 1, "args[0]: a function can't be stored as JSON"],
    [Point, "args[0]: a function can't be stored as JSON"],
    [{ 's-t': Symbol('s') }, `args[0]["s-t"]: a symbol can't be stored as JSON`],
    [{ '': 1n }, 'args[0][""]: BigInt can\'t be stored as JSON; pass it as a string'],
    [{ 'a\nb': 1n }, 'args[0]["a\\nb"]: BigInt can\'t be stored as JSON; pass it as a string'],
    [[undefined], "args[0][0]: undefined can't be stored as JSON here; use null"],
    [[1, , 2], "args[0][1]: undefined can't be stored as JSON here; use null"], // eslint-disable-line no-sparse-arrays
    [circular, "args[0].self: circular reference can't be stored as JSON"],
    [ring, "args[0][0].ring: circular reference can't be stored as JSON"],
    [new Map([[1, 2]]), "args[0]: a Map can't be stored as JSON; pass [...theMap]"],
    [{ tags: new Set() }, "args[0].tags: a Set can't be stored as JSON; pass [...theSet]"],
    [new WeakMap(), "args[0]: a WeakMap can't be stored as JSON"],
    [Promise.resolve(1), "args[0]: a Promise can't be stored as JSON; await it first"],
    [new Error('x'), "args[0]: an Error can't be stored as JSON; pass its message"],
    [/x/, "args[0]: a RegExp can't be stored as JSON"],
    [
      Buffer.from('x'),
      "args[0]: a Uint8Array can't be stored as JSON; pass base64 text or a reference",
    ],
    [
      new Float64Array(1),
      "args[0]: a Float64Array can't be stored as JSON; pass base64 text or a reference",
    ],
    [
      new ArrayBuffer(1),
      "args[0]: an ArrayBuffer can't be stored as JSON; pass base64 text or a reference",
    ],
    [Object(1n), "args[0]: a BigInt can't be stored as JSON"],
    [{ at: new Date(NaN) }, "args[0].at: an invalid Date can't be stored"],
    [throwing, 'args: reading the value threw: not for you'],
    [
      { toJSON: () => ({ n: 1n }) },
      "args[0].n: BigInt can't be stored as JSON; pass it as a string",
    ],
    [{ toJSON: () => { throw new Error('no'); } }, 'args: reading the value threw: no'], // prettier-ignore
    [
      JSON.parse('{"a": {"__proto__": {"admin": true}}}'),
      'args[0].a.__proto__: a property of this name is refused: it poisons careless merges',
    ],
  ] as const) {
    t.throws(() => encodeArgs([value]), { code: 'INVALID_ARGUMENT', message }, message);
  }
});

void t.test('nesting is followed to 500 levels, and not over the edge of the stack', async (t) => {
  t.equal(encodeArgs(nested(500)).length, 1_000);
  t.throws(() => encodeArgs(nested(501)), {
    message: /^args\[0\]\[0\]\[0\]\[0\]\[0\]: nested deeper than 500 levels$/,
  });
  t.throws(() => encodeArgs(nested(200_000)), { message: /nested deeper than 500 levels$/ });
});

void t.test('the limit of 1 MiB is counted in bytes of the JSON', async (t) => {
  const frame = '[""]'.length;
  t.equal(encodeArgs(['x'.repeat(MAX_JSON_BYTES - frame)]).length, MAX_JSON_BYTES);
  t.throws(() => encodeArgs(['x'.repeat(MAX_JSON_BYTES - frame + 1)]), {
    message:
      'args: 1048577 bytes as JSON, the limit is 1048576; store the data elsewhere and pass a reference',
  });
  t.throws(() => encodeArgs(['\u20ac'.repeat(MAX_JSON_BYTES / 3)]), {
    message: /10485(79|80) bytes/,
  });
  t.throws(() => encodeArgs(['\n'.repeat(MAX_JSON_BYTES / 2)]), { message: /10485(79|80) bytes/ });
});

void t.test('a value may be undefined, which has no JSON', async (t) => {
  t.equal(encodeValue(undefined, 'result'), undefined);
  t.equal(encodeValue(null, 'result'), 'null');
  t.throws(() => encodeValue({ a: 1n }, 'result'), { message: /^result\.a: BigInt/ });
});

void t.test('whatever is thrown is described in capped texts', async (t) => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('hands off');
      },
      getPrototypeOf() {
        throw new Error('hands off');
      },
    },
  );
  for (const [thrown, name, message] of [
    [undefined, 'Error', 'thrown: undefined'],
    [null, 'Error', 'thrown: null'],
    ['text', 'Error', 'thrown: text'],
    [5n, 'Error', 'thrown: 5'],
    [Symbol('s'), 'Error', 'thrown: Symbol(s)'],
    [{ code: 1 }, 'Error', 'thrown: {"code":1}'],
    [Object.freeze(new RangeError('frozen')), 'RangeError', 'frozen'],
    [{ name: 7, message: 'm' }, 'Error', 'm'],
    [Object.create(null), 'Error', 'thrown: {}'],
    [circular, 'Error', 'thrown: [object Object]'],
    [hostile, 'Error', 'thrown: a value that can not be shown'],
  ] as const) {
    const record = describeError(thrown);
    t.equal(record.name, name);
    t.equal(record.message, message);
  }
  const big = describeError(
    Object.assign(new Error('m'.repeat(10_000_000)), { name: 'n'.repeat(999) }),
  );
  t.ok(JSON.stringify(big).length < 32_000);
  t.match(big.message, /^m{8192}\.\.\. \(9991808 more characters\)$/);
});

void t.test('causes, gathered errors and codes are kept, bounded, and told', async (t) => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  const gathered = new AggregateError([refused, 'a text', new RangeError('two')], 'All promises were rejected');
  const thrown = new TypeError('fetch failed', { cause: gathered });
  const record = describeError(thrown);
  t.match(record, {
    name: 'TypeError',
    message: 'fetch failed',
    cause: {
      name: 'AggregateError',
      errors: [{ code: 'ECONNREFUSED', stack: /codec\.test/ }, { message: 'thrown: a text' }, { name: 'RangeError', message: 'two' }],
    },
  });
  t.equal(
    errorLine(record),
    'TypeError: fetch failed, caused by AggregateError: All promises were rejected [Error: connect ECONNREFUSED 127.0.0.1:1; Error: thrown: a text; RangeError: two]',
  );
  t.match(causeLines(record).join('\n'), /^caused by AggregateError: All promises were rejected\n {4}at .*\n[^]*\n {2}one of its errors: Error: connect ECONNREFUSED/);
  const again = reviveError(JSON.parse(JSON.stringify(record)) as typeof record);
  const cause = again.cause as AggregateError;
  t.type(cause, AggregateError);
  t.match(cause.errors, [{ code: 'ECONNREFUSED', message: refused.message }, {}, { name: 'RangeError' }]);
  t.equal(errorLine({ name: 'Error', message: 'no', code: 5 }), 'Error: no (5)');

  // Round and round, deep, wide, long, and hostile: bounded.
  const own = new Error('own');
  own.cause = own;
  t.equal(describeError(own).cause, undefined);
  let deep = new Error('0');
  for (let i = 1; i < 100; i++) deep = new Error(String(i), { cause: deep });
  let levels = 0;
  for (let at = describeError(deep).cause; at; at = at.cause) levels++;
  t.equal(levels, 5);
  const wide = new AggregateError(Array.from({ length: 1_000 }, () => new AggregateError([1, 2, 3], '\u0000é'.repeat(1_000))), 'wide');
  const long = new Error('top', { cause: wide });
  const size = Buffer.byteLength(JSON.stringify(describeError(long)));
  t.ok(size < 4_096 + Buffer.byteLength(JSON.stringify(describeError(new Error('top')))) + 200, `${size} bytes`);
  const fights = () => {
    throw new Error('no');
  };
  const hostile = new Proxy({}, { get: fights, has: fights, getPrototypeOf: fights });
  t.match(describeError(new Error('x', { cause: hostile })).cause, { message: /^thrown: / });
  t.equal(describeError(Object.assign(new Error('x'), { errors: hostile })).errors, undefined);
  const none = { name: 'Error', message: '(unreadable)' };
  t.same(readError({ name: 'E', message: 'm', code: [], stack: 5, cause: 5, errors: [null, 'x', { name: 'F', message: 'n' }] }), { name: 'E', message: 'm', cause: none, errors: [none, none, { name: 'F', message: 'n' }] });
  for (const garbage of [undefined, null, 5, 'x', [], {}, { name: 'E' }, { name: 5, message: 'm' }]) t.same(readError(garbage), none);
}); // prettier-ignore

void t.test('a described error becomes an Error again', async (t) => {
  const error = reviveError(describeError(new TypeError('odd')));
  t.type(error, Error);
  t.equal(error.name, 'TypeError');
  t.equal(error.message, 'odd');
  t.match(error.stack, /^TypeError: odd\n\s+at .*codec\.test\.ts/);
  t.same(Object.keys(error), []);
});

const { rawJSON } = JSON as { rawJSON?: (text: string) => object };
void t.test(
  'JSON.rawJSON is refused by its name, wherever it stands',
  { skip: rawJSON ? false : 'Node 21 and later have it' },
  async (t) => {
    const message = "args[0].a: JSON.rawJSON can't be stored; pass the value it stands for";
    t.throws(() => encodeArgs([{ a: rawJSON!('12345678901234567890') }]), { message });
  },
);
