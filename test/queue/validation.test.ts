import type { InvalidArgumentError } from '../../src/index.ts';
import { MAX_JSON_BYTES } from '../../src/job/codec.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene, type AnyQueue } from '../helpers/setup.ts';

type Call = (queue: AnyQueue) => Promise<unknown>;

/** Each call is refused with this message, and Redis hears nothing of it. */
function refused(what: string, calls: () => readonly (readonly [Call, RegExp])[]): void {
  scene(what, async (t, stage) => {
    const queue = stage.queue();
    await queue.enqueue('warm');
    const sent = await commandsDuring(stage.redis, async () => {
      for (const [call, message] of calls()) {
        await t.rejects(
          call(queue),
          { name: 'InvalidArgumentError', code: 'INVALID_ARGUMENT', message },
          String(message),
        );
      }
    });
    t.same(sent, [], 'nothing was sent');
  });
}

refused('a name no job can have is refused before anything is sent', () => {
  // prettier-ignore
  const names = [
    'constructor', '__proto__', 'prototype\n', 'then', 'default', 'toString', 'valueOf',
    'hasOwnProperty', 'isPrototypeOf', '__defineGetter__', '', ' ', 'a b', 'a\nb', 'a\r\nb',
    '1st', '-x', 'f"', "f'", 'f\\', 'f{', '\u0000', 'fähig', 'x'.repeat(129),
    undefined, null, 7, {}, [], Symbol('f'), () => 1,
  ] as string[];
  return names.map((name) => [
    (queue) => queue.enqueue(name),
    /^fn: .* can't be the name of a job/,
  ]);
});

refused('ids that minq itself makes are refused, with the mend', () =>
  ['cron:report:1700000000000', 'cron:', 'order-7:failure:1', ':failure:12'].map((id) => [
    (queue) => queue.enqueue('f', [], { id }),
    /^id: ".*" is not usable; minq itself makes ids that begin with cron: or end with :failure:<number> or :again:<number>; give another/,
  ]),
);

refused('arguments that can not be stored are refused with their path', () => {
  const circular: Record<string, unknown> = {};
  circular['me'] = circular;
  const args =
    (...given: unknown[]): Call =>
    (queue) =>
      queue.enqueue('f', given);
  return [
    [args({ user: { id: 1n } }), /^args\[0\]\.user\.id: BigInt can't be stored as JSON/],
    [args(1, [circular]), /^args\[1\]\[0\]\.me: circular reference/],
    [args(() => 1), /^args\[0\]: a function/],
    [args(Symbol('s')), /^args\[0\]: a symbol/],
    [args(1, NaN), /^args\[1\]: NaN/],
    [args([Infinity]), /^args\[0\]\[0\]: Infinity/],
    [args(new Map()), /^args\[0\]: a Map .*; pass \[\.\.\.theMap\]$/],
    [args(Promise.resolve()), /^args\[0\]: a Promise .*; await it first$/],
    [args({ get x(): never { throw new Error('mine'); } }), /^args: reading the value threw: mine$/], // prettier-ignore
    [args(undefined, 1), /^args\[0\]: undefined/],
    [args(JSON.parse('{"__proto__":1}')), /^args\[0\]\.__proto__:/],
    [args(new Date(NaN)), /^args\[0\]: an invalid Date/],
    [args('x'.repeat(MAX_JSON_BYTES)), /^args: 1048580 bytes as JSON, the limit is 1048576/],
    [(queue) => queue.enqueue('f', 'text' as never), /^args: "text" is not usable; give an array/],
    [(queue) => queue.enqueue('f', { 0: 1 } as never), /^args: an object is not usable/],
    [(queue) => queue.enqueue('f', null as never), /^args: null is not usable/],
  ];
});

refused('options that make no sense are refused with their name', () => {
  const given =
    (options: unknown): Call =>
    (queue) =>
      queue.enqueue('f', [], options as object);
  return [
    [given(null), /^options: null/],
    [given({ dealy: 1 }), /^dealy: unknown option; did you mean 'delay'\?$/],
    [given({ delay: '5 parsecs' }), /^delay: "5 parsecs" is no duration/],
    [given({ delay: 1, runAt: new Date() }), /^delay: 1 .*either 'delay' or 'runAt'/],
    [given({ unique: 'kept' }), /^unique: "kept" .* needs an 'id'/],
    [given({ id: 'a\nb' }), /^id: "a\\nb"/],
    [given({ queue: 'a:b' }), /^queue: "a:b"/],
    [given({ meta: { a: 1 } }), /^meta\.a: 1/],
    [given({ meta: { a: 'x'.repeat(MAX_JSON_BYTES) } }), /^options: \d+ bytes as JSON, the limit/],
    [given(JSON.parse('{"meta":{"__proto__":"x"}}')), /__proto__: a property of this name/],
  ];
});

refused('a bad item of many is named, and none of the others is sent', () => {
  const many =
    (...items: unknown[]): Call =>
    (queue) =>
      queue.enqueueMany(items as never);
  const good = { fn: 'f' };
  return [
    [many(good, { fn: 'then' }), /^items\[1\]: fn: "then"/],
    [many(good, good, { fn: 'f', args: [{ a: 1n }] }), /^items\[2\]: args\[0\]\.a: BigInt/],
    [many({ fn: 'f', args: 'x' }), /^items\[0\]: args: "x"/],
    [many({ fn: 'f', priorty: 'high' }), /^items\[0\]: priorty: .*did you mean 'priority'\?$/],
    [many(good, null), /^items\[1\]: null is not usable; give \{ fn, args \}$/],
    [many(good, 'f'), /^items\[1\]: "f" is not usable/],
    [(queue) => queue.enqueueMany(Array(2)), /^items\[0\]: undefined is not usable/],
    [(queue) => queue.enqueueMany({} as never), /^items: an object is not usable/],
  ];
});

refused('bad ids, states and pages of the other calls are refused too', () => [
  [async (queue) => queue.job('a b'), /^id: "a b"/],
  [async (queue) => queue.job(undefined as never), /^id: undefined/],
  [
    (queue) => queue.jobs('done' as never),
    /^state: "done" is no state; give one of waiting, scheduled, /,
  ],
  [(queue) => queue.jobs('then' as never), /^state: "then"/],
  [(queue) => queue.jobs('queued', { limit: 0 }), /^limit: 0/],
  [(queue) => queue.jobs('queued', { ofset: 1 } as never), /did you mean 'offset'/],
  [(queue) => queue.purge('all' as never), /^state: "all"/],
  [(queue) => queue.purge('active' as never), /^state: "active" can't be purged/],
  [(queue) => queue.job('x').result({ timeout: 'soon' }), /^timeout: "soon"/],
]);

scene('a refusal quotes neither the arguments nor more of a text than needed', async (t, stage) => {
  const queue = stage.queue();
  const error = (await queue
    .enqueue('f', ['top secret', 1n])
    .catch((thrown: unknown) => thrown)) as InvalidArgumentError;
  t.notMatch(error.message, 'secret');
  const long = (await queue
    .enqueue('f'.repeat(5_000))
    .catch((thrown: unknown) => thrown)) as InvalidArgumentError;
  t.ok(long.message.length < 200);
});
