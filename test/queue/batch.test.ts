/** Group commit: what goes out together, what beside it, and in which order. */
import t from 'tap';
import { Batch, type BatchItem } from '../../src/queue/batch.ts';
import { until } from '../helpers/until.ts';

interface Call {
  readonly numbers: number[];
  answer(): void;
  break(): void;
}

interface Item extends BatchItem {
  readonly number: number;
}

/** A batch whose calls end when the test says so. */
function recorded(timeoutMs = 60_000) {
  const calls: Call[] = [];
  const failed: number[] = [];
  const batch = new Batch<Item>({
    timeoutMs,
    send: (items) =>
      new Promise((resolve, reject) => {
        const numbers = items.map(({ number }) => number);
        calls.push({ numbers, answer: resolve, break: () => reject(new Error('broken')) });
      }),
  });
  const add = (from: number, count: number, bytes = 10, weight?: number) => {
    for (let number = from; number < from + count; number++) {
      batch.add({ number, bytes, ...(weight && { weight }), fail: () => failed.push(number) });
    }
  };
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  return { batch, calls, failed, add, tick };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

void t.test('one alone goes out at once; those after it wait for its answer', async (t) => {
  const { calls, add, tick } = recorded();
  add(0, 1);
  await tick();
  t.same(calls[0]?.numbers, [0]);
  add(1, 999);
  await tick();
  t.equal(calls.length, 1);
  calls[0]?.answer();
  await tick();
  t.same(calls[1]?.numbers, range(1, 1_000), 'together');
  calls[1]?.answer();
});

void t.test('as many as a call takes go out beside another, never a third', async (t) => {
  const { batch, calls, add, tick } = recorded();
  add(0, 1);
  await tick();
  add(1, 2_500);
  await tick();
  t.same(calls[1]?.numbers, range(1, 1_001), 'it is enough for a call');
  t.equal(calls.length, 2);
  calls[0]?.answer();
  await tick();
  t.same(calls[2]?.numbers, range(1_001, 2_001));
  calls[1]?.answer();
  await tick();
  t.equal(calls.length, 3, 'the rest is no call of its own yet');
  let drained = false;
  void batch.drained().then(() => (drained = true));
  calls[2]?.answer();
  await tick();
  t.same(calls[3]?.numbers, range(2_001, 2_501));
  t.equal(drained, false);
  calls[3]?.answer();
  await tick();
  t.equal(drained, true);
});

void t.test(
  'a call that fails fails its own items; large ones are split by their bytes',
  async (t) => {
    const { calls, failed, add, tick } = recorded();
    add(0, 3, 3 * 1024 * 1024);
    await tick();
    t.same(calls[0]?.numbers, [0]);
    calls[0]?.break();
    await tick();
    t.same(failed, [0]);
    t.same(calls[1]?.numbers, [1]);
    calls[1]?.answer();
    await tick();
    calls[2]?.answer();
    await tick();
    t.same(failed, [0]);
  },
);

void t.test(
  'what waits behind a call that is stuck fails at its own deadline, unsent',
  async (t) => {
    const { calls, failed, add, tick } = recorded(100);
    add(0, 1);
    await tick();
    add(1, 2);
    await until(() => failed.length === 2);
    t.same(failed, [1, 2]);
    t.equal(calls.length, 1);
    add(3, 1);
    calls[0]?.answer();
    await tick();
    t.same(calls[1]?.numbers, [3], 'those after it go on');
    calls[1]?.answer();
  },
);
