import t from 'tap';
import { chain, chord, group, isFlow, step, type Flow } from '../../src/flow/flow.ts';

const NO_FLOW = 'give what step, chain, group or chord returned';
const any = (value: unknown) => value as never;

void t.test('a step is a plain description with its options resolved', async (t) => {
  t.same(step('add'), { kind: 'step', fn: 'add', args: [], options: {} });
  const meta = { trace: '1' };
  const given = step('resize', ['a.png', 100], {
    delay: '2s',
    expires: '1m',
    retries: 0,
    timeout: '10s',
    backoff: '5s',
    priority: 'high',
    resultTtl: '1h',
    queue: 'images',
    meta,
  });
  meta.trace = '2';
  t.same(given, {
    kind: 'step',
    fn: 'resize',
    args: ['a.png', 100],
    options: {
      delay: 2_000,
      expires: 60_000,
      retries: 0,
      timeout: 10_000,
      backoff: { type: 'fixed', delay: 5_000, max: 5_000, jitter: 0 },
      priority: 'high',
      resultTtl: 3_600_000,
      queue: 'images',
      meta: { trace: '1' },
    },
  });
  t.same(step('add', undefined, { retries: 1 }), {
    ...step('add'),
    options: { retries: 1 },
  });
});

void t.test('arguments are kept as they are, in an array of their own', async (t) => {
  const when = new Date();
  const args: unknown[] = [when, undefined, 1n];
  const built = step('a', args);
  args.push('later');
  t.equal(built.args.length, 3);
  t.equal(built.args[0], when);
  t.notOk(Object.isFrozen(built.args[0]));
});

void t.test('chain, group and chord nest', async (t) => {
  const [a, b, c] = [step('a'), step('b', [1]), step('c')];
  const both = group([a, b]);
  t.same(chain(a, b), { kind: 'chain', steps: [a, b] });
  t.same(both, { kind: 'group', members: [a, b] });
  t.same(group([]), { kind: 'group', members: [] });
  t.same(chord([a, b], c), chain(group([a, b]), c));
  const deep = chain(both, chain(a, group([both, chord([], a)])));
  t.equal(deep.steps[0], both, 'a flow may be part of several');
  t.equal(deep.steps[1].steps[1].members[0], both);
  const many = group(Array.from({ length: 5_000 }, (_, i) => step('a', [i])));
  t.equal(many.members[4_999]!.args[0], 4_999);
  t.ok([a, both, deep].every(isFlow));
});

void t.test('what is built stays as it is', async (t) => {
  const members: Flow[] = [step('a', [1], { meta: { a: '1' }, backoff: '1s' })];
  const flow = chord(members, step('b'));
  members.push(step('c'));
  t.equal(flow.steps[0].members.length, 1);
  const first = flow.steps[0].members[0] as ReturnType<typeof step>;
  const parts = [flow, flow.steps, flow.steps[0], flow.steps[0].members, first, first.args, first.options, first.options.meta, first.options.backoff]; // prettier-ignore
  for (const part of parts) t.ok(Object.isFrozen(part), JSON.stringify(part));
  t.throws(() => Object.assign(first, { fn: 'other' }), TypeError);
});

void t.test('a bad step is refused', async (t) => {
  const name = 'give the name of a function your jobs file exports';
  const id = 'a step gets a new id each time its flow is enqueued';
  const table: [build: () => unknown, message: string | RegExp][] = [
    [() => step('no name'), `fn: "no name" is not usable; ${name}`],
    [() => step('default'), `fn: "default" is not usable; ${name}`],
    [() => step(any(() => 1)), `fn: a function is not usable; ${name}`],
    [() => step('a', any(5)), 'args: 5 is not usable; give an array'],
    [() => step('a', any({ 0: 1 })), 'args: an object is not usable; give an array'],
    [() => step('a', any(null)), 'args: null is not usable; give an array'],
    [() => step('a', [], any({ id: 'x' })), `id: "x" is not usable; ${id}`],
    [() => step('a', [], any({ unique: 'kept' })), `unique: "kept" is not usable; ${id}`],
    [() => step('a', [], any({ id: 'x', unique: 'kept' })), `id: "x" is not usable; ${id}`],
    [() => step('a', [], any({ runAt: new Date() })), "runAt: an object is not usable; a flow may be enqueued at any time; give 'delay'"], // prettier-ignore
    [() => step('a', [], any({ dealy: 1 })), "dealy: unknown option; did you mean 'delay'?"],
    [() => step('a', [], { delay: 'soon' }), /^delay: "soon" is no duration/],
    [() => step('a', [], { delay: 5, expires: 5 }), /^expires: 5 is not usable; it must be later/],
    [() => step('a', [], any('x')), 'options: "x" is not usable; give an object'],
    [() => step('a', [], any(null)), 'options: null is not usable; give an object'],
  ];
  for (const [build, message] of table) t.throws(build, { code: 'INVALID_ARGUMENT', message });
  t.same(step('a', [], any({ id: undefined })), step('a'), 'undefined is not given');
});

void t.test('what is no flow is refused by its place', async (t) => {
  const a = step('a');
  const table: [build: () => unknown, message: string][] = [
    [() => chain(), 'steps: there are none; give a chain at least one'],
    [() => chain(a, any('b')), `steps[1]: "b" is not usable; ${NO_FLOW}`],
    [() => chain(any([a])), `steps[0]: an array is not usable; ${NO_FLOW}`],
    [() => chain(a, any(undefined)), `steps[1]: undefined is not usable; ${NO_FLOW}`],
    [() => chain(any({ ...a })), `steps[0]: an object is not usable; ${NO_FLOW}`],
    [() => chain(any(step)), `steps[0]: a function is not usable; ${NO_FLOW}`],
    [() => group([any(null)]), `members[0]: null is not usable; ${NO_FLOW}`],
    [() => group([a, any(Promise.resolve(a))]), `members[1]: an object is not usable; ${NO_FLOW}`],
    [() => group([a, , a] as never), `members[1]: undefined is not usable; ${NO_FLOW}`], // eslint-disable-line no-sparse-arrays
    [() => group(any(a)), 'members: an object is not usable; give an array of flows'],
    [() => chord([a], any([a])), `callback: an array is not usable; ${NO_FLOW}`],
    [() => chord([a], any(undefined)), `callback: undefined is not usable; ${NO_FLOW}`],
    [() => chord([any(1)], a), `members[0]: 1 is not usable; ${NO_FLOW}`],
    [() => chord(any(a), a), 'members: an object is not usable; give an array of flows'],
  ];
  for (const [build, message] of table) t.throws(build, { code: 'INVALID_ARGUMENT', message });
  for (const value of [undefined, null, 'a', {}, [a], { kind: 'step' }]) t.notOk(isFlow(value));
});
