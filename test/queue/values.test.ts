import { scene } from '../helpers/setup.ts';

/** A small generator of reproducible numbers (mulberry32), so that a failure can be looked at again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let n = Math.imul(state ^ (state >>> 15), 1 | state);
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n;
    return ((n ^ (n >>> 14)) >>> 0) / 2 ** 32;
  };
}

// prettier-ignore
const TEXTS = [
  '', ' ', '\u0000', '\r\n', '"\\', '\ud800', '\udfff\ud800', '\u2028', '\u{1f600}', '\ufeff', '%d%s',
  'null', '{}', '}{', 'constructor', 'toString', 'completed 0', 'a:1:1', '$1',
];
const NUMBERS = [
  0,
  1,
  -1,
  0.1,
  1e21,
  1e-7,
  -1e308,
  5e-324,
  2 ** 53,
  -(2 ** 53),
  123456789012345680,
];

/** Any JSON value; what a round trip through Lua, RESP and two parsers could bend comes often. */
function anyValue(random: () => number, depth = 0): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const size = () => Math.floor(random() * 5);
  const text = () =>
    random() < 0.5
      ? pick(TEXTS)
      : String.fromCharCode(...Array.from({ length: size() * 3 }, () => random() * 0x10000));
  switch (Math.floor(random() * (depth > 4 ? 4 : 6))) {
    case 0:
      return pick([null, true, false]);
    case 1:
      return random() < 0.5 ? pick(NUMBERS) : (random() - 0.5) * 10 ** Math.floor(random() * 40);
    case 2:
    case 3:
      return text();
    case 4:
      return Array.from({ length: size() }, () => anyValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: size() }, () => [text(), anyValue(random, depth + 1)]),
      );
  }
}

scene('whatever JSON can say comes through a job and back unchanged', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ echo: (...args: unknown[]) => args }, { concurrency: 50 });
  const seed = Number(process.env['MINQ_TEST_SEED'] ?? Date.now() % 1e9);
  t.comment(`MINQ_TEST_SEED=${seed}`);
  const random = seeded(seed);
  const values = Array.from({ length: 500 }, () => [anyValue(random), anyValue(random)]);
  const outcomes = await queue.enqueueMany(values.map((args) => ({ fn: 'echo', args })));
  const wrong: unknown[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') throw outcome.reason;
    const back = await outcome.value.result({ timeout: '30s' });
    if (JSON.stringify(back) !== JSON.stringify(values[i])) wrong.push({ sent: values[i], back });
  }
  t.same(wrong, []);
});

scene('what the function gets is what JSON makes of the arguments', async (t, stage) => {
  const queue = stage.queue();
  const got: unknown[][] = [];
  stage.worker({ take: (...args: unknown[]) => void got.push(args) });
  const at = new Date('2026-02-03T04:05:06.007Z');
  const job = await queue.enqueue('take', [at, { at, gone: undefined }, -0, undefined]);
  await job.result({ timeout: '10s' });
  t.strictSame(got, [['2026-02-03T04:05:06.007Z', { at: '2026-02-03T04:05:06.007Z' }, 0]]);
});

scene(
  'results come back as JSON brings them: dates as texts, nothing as undefined',
  async (t, stage) => {
    const queue = stage.queue();
    stage.worker({
      date: async () => ({ at: new Date(0) }),
      nothing: () => {},
      nil: () => null,
      empty: () => '',
      zero: () => 0,
      no: () => false,
      list: () => [],
      object: () => ({}),
      gaps: () => [1, undefined, { gone: undefined, list: [undefined] }],
      big: () => 'x'.repeat(1_000_000),
    });
    const result = async (fn: string) => (await queue.enqueue(fn)).result({ timeout: '10s' });
    t.strictSame(await result('date'), { at: '1970-01-01T00:00:00.000Z' });
    t.equal(await result('nothing'), undefined);
    t.equal(await result('nil'), null);
    t.equal(await result('empty'), '');
    t.equal(await result('zero'), 0);
    t.equal(await result('no'), false);
    t.strictSame(await result('list'), []);
    t.strictSame(await result('object'), {});
    t.strictSame(await result('gaps'), [1, null, { list: [null] }]);
    t.equal(((await result('big')) as string).length, 1_000_000);
  },
);

scene('names, ids and texts that look like something else are only texts', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ $: (x: unknown) => x, 'ns.sub:f-1': (x: unknown) => x });
  for (const id of ['constructor', '__proto__', 'a:1:1', 'a:1:1h', '1', '-', '0', ':', '+']) {
    for (const fn of ['$', 'ns.sub:f-1']) {
      const job = await queue.enqueue(fn, [id], { id });
      t.equal(await job.result({ timeout: '10s' }), id);
    }
  }
});
