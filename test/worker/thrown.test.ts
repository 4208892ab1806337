/** Everything a job can throw is recorded and survived. */
import { inspect } from 'node:util';
import { scene } from '../helpers/setup.ts';

const fights = () => {
  throw new Error('the proxy fights back');
};
const everyTrap = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, fights]),
);
const circular = () => {
  const error = new Error('round and round');
  error.cause = error;
  return error;
};
// eslint-disable-next-line unicorn/no-thenable -- that it is one is the point
const hostileThenable = () => ({ then: fights });
class Sly extends Error {
  override get message(): string {
    throw new Error('no message for you');
  }
  override get stack(): string {
    throw new Error('no stack either');
  }
}

/** What is thrown, and what is recorded of it. */
const THROWN: Record<string, [thrown: () => unknown, record: object]> = {
  undefined: [() => undefined, { name: 'Error', message: 'thrown: undefined' }],
  null: [() => null, { name: 'Error', message: 'thrown: null' }],
  'a text': [() => 'out of cheese', { message: 'thrown: out of cheese' }],
  'an empty text': [() => '', { message: 'thrown: ' }],
  'a number': [() => 42, { message: 'thrown: 42' }],
  'a BigInt': [() => 42n, { message: 'thrown: 42' }],
  'a symbol': [() => Symbol('why'), { message: 'thrown: Symbol(why)' }],
  'a function': [() => () => 1, { message: /^thrown: \(\) => 1/ }],
  'an object': [() => ({ code: 5 }), { message: 'thrown: {"code":5}' }],
  'a frozen object': [() => Object.freeze({ code: 5 }), { message: 'thrown: {"code":5}' }],
  'a frozen error': [() => Object.freeze(new TypeError('cold')), { name: 'TypeError', message: 'cold' }],
  'an object without prototype': [() => Object.create(null), { message: 'thrown: {}' }],
  'an error without prototype': [() => Object.setPrototypeOf(new Error('orphan'), null), { message: 'orphan' }],
  'a hostile proxy': [() => new Proxy({}, everyTrap), { message: "thrown: a value that can not be shown" }],
  'a hostile callable proxy': [() => new Proxy(() => {}, everyTrap), { message: "thrown: a value that can not be shown" }],
  'a proxy around an error': [() => new Proxy(new Error('inside'), { getPrototypeOf: fights }), { message: 'inside' }],
  'an error whose getters throw': [() => new Sly(), { name: 'Error' }],
  'an error with odd properties': [() => Object.assign(new Error('x'), { name: 5, stack: {} }), { name: 'Error', message: 'x' }],
  'an AggregateError': [() => new AggregateError([new Error('a'), 1], 'all bad'), { name: 'AggregateError', message: 'all bad' }],
  'an error that is its own cause': [circular, { name: 'Error', message: 'round and round' }],
  'a message of 10 MB': [() => new Error('x'.repeat(10_000_000)), { message: /^x{8192}\.\.\. \(9991808 more characters\)$/ }],
  'a name and a stack of 10 MB': [
    () => Object.assign(new Error('m'), { name: 'n'.repeat(1e7), stack: 's'.repeat(1e7) }),
    { name: /^n{200}\.\.\./, message: 'm', stack: /^s{16384}\.\.\./ },
  ],
  'control characters': [() => new Error('\u001b[2J\nforged line'), { message: '\u001b[2J\nforged line' }],
  'a thenable that throws': [() => hostileThenable(), { message: /thrown: / }],
}; // prettier-ignore

for (const [what, [make, record]] of Object.entries(THROWN)) {
  scene(`a job throws ${what}: recorded, and the next job runs`, async (t, stage) => {
    stage.worker({
      throwing: () => {
        throw make();
      },
      rejecting: () => new Promise((_, reject) => reject(make() as Error)),
      add: (a: number, b: number) => a + b,
    });
    const queue = stage.queue();
    for (const fn of ['throwing', 'rejecting']) {
      const handle = await queue.enqueue(fn, [], { retries: 0 });
      const error = await handle.result({ timeout: '10s' }).then(
        () => t.fail('it should have failed'),
        (reason: unknown) => reason as Error,
      );
      t.match((await handle.info()).error, record, `${fn}: in the record`);
      t.match(error, { name: 'JobFailedError', cause: record }, 'and as the cause');
      t.type(inspect(error), 'string');
    }
    t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
    t.ok(
      stage.log.every((line) => Buffer.from(line).every((byte) => byte >= 32)),
      'log lines are clean',
    );
    t.match(await queue.counts(), { failed: 2, completed: 1 });
  });
}

scene('hostile values are survived as errors to retry, too', async (t, stage) => {
  let runs = 0;
  stage.worker({
    fight: () => {
      runs++;
      throw new Proxy({}, everyTrap);
    },
  });
  const handle = await stage.queue().enqueue('fight', [], { retries: 2, backoff: 1 });
  await t.rejects(handle.result({ timeout: '10s' }), { name: 'JobFailedError' });
  t.equal(runs, 3);
});

scene('a hostile value given back fails the job', async (t, stage) => {
  stage.worker({
    proxy: () => new Proxy({}, everyTrap),
    thenable: () => hostileThenable(),
    nested: () => ({ a: new Proxy({}, everyTrap) }),
  });
  const queue = stage.queue();
  for (const fn of ['proxy', 'thenable', 'nested']) {
    const handle = await queue.enqueue(fn, [], { retries: 0 });
    await t.rejects(handle.result({ timeout: '10s' }), {
      cause: { message: /the proxy fights back/ },
    });
  }
});
