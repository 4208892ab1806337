/** What all viewers together ask of Redis at once. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Reads } from '../../src/dashboard/reads.ts';
import { gate } from '../helpers/gate.ts';

/** A read that lasts until its gate opens, and says which it was. */
function slow() {
  const held = gate();
  const run = async () => {
    const passing = held.pass();
    const number = held.started;
    await passing;
    return { number };
  };
  return { held, run, open: held.open };
}

void t.test('equal reads at the same time are one, later ones are new', async (t) => {
  const reads = new Reads();
  const read = slow();
  const both = Promise.all([reads.share('a', read.run), reads.share('a', read.run)]);
  read.open();
  t.same(await both, [{ number: 1 }, { number: 1 }]);
  t.same(await reads.share('a', read.run), { number: 2 });
});

void t.test('after something was done, nobody joins a read that began before', async (t) => {
  const reads = new Reads();
  const read = slow();
  const before = reads.share('a', read.run);
  reads.forget();
  const after = [reads.share('a', read.run), reads.share('a', read.run)];
  read.open();
  t.same([await before, ...(await Promise.all(after))], [{ number: 1 }, { number: 2 }, { number: 2 }]);
}); // prettier-ignore

void t.test('at most four are under way, and one that fails is not kept', async (t) => {
  const reads = new Reads();
  const read = slow();
  const all = Array.from({ length: 10 }, (_, i) => reads.share(`${i}`, read.run));
  await setImmediate();
  t.equal(read.held.started, 4);
  read.open();
  t.equal((await Promise.all(all)).length, 10);
  await t.rejects(
    reads.share('x', () => Promise.reject(new Error('no'))),
    /no/,
  );
  t.same(await reads.share('x', async () => ({})), {});
});
