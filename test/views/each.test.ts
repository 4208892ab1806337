/** Many queues are read a few at a time. */
import t from 'tap';
import { ofEach } from '../../src/views/each.ts';

void t.test('ten at a time, in their order, and the next as soon as one is read', async (t) => {
  const waiting: (() => void)[] = [];
  let read = 0;
  const all = ofEach(
    Array.from({ length: 25 }, (_, i) => i),
    async (i) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      read++;
      return i * 2;
    },
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  t.equal(waiting.length, 10);
  waiting[3]!();
  await turn();
  t.equal(waiting.length, 11);
  while (read < 25) {
    for (const go of waiting) go();
    await turn();
    t.ok(waiting.length - read <= 10);
  }
  t.same(
    await all,
    Array.from({ length: 25 }, (_, i) => i * 2),
  );
});

void t.test('what one throws is what all reject with', async (t) => {
  const read = async (i: number) => {
    if (i === 7) throw new Error('queue 7');
    return i;
  };
  await t.rejects(ofEach([1, 7, 9], read), /queue 7/);
});
