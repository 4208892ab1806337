/** The bugs that are planted by `npm run chaos -- --mutants` still fit; and it sees whether one is noticed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { MUTANTS } from './mutants/all.ts';
import { misfits, ROOT } from './mutants/copy.ts';
import { misfit, type Mutant } from './mutants/mutant.ts';
import { runMutants, tryMutants } from './mutants/run.ts';

t.setTimeout(120_000);

const codec: Mutant = {
  name: 'codec-lets-nan-through',
  what: 'NaN arrives as null',
  file: 'job/codec.ts',
  find: 'Number.isFinite(value)',
  replace: 'true',
  tests: ['job/codec'],
};

void t.test(
  'every mutant fits its source, has a name of its own and tests that there are',
  async (t) => {
    t.same(misfits(MUTANTS), []);
    t.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
    for (const { name, tests } of MUTANTS) {
      t.match(name, /^[a-z]+(-[a-z]+)*$/);
      t.not(tests.length, 0);
      for (const test of tests) {
        const [, file, scene = ''] = /^(\S+)(?: > (.*))?$/.exec(test) ?? [];
        const text = readFileSync(path.join(ROOT, `test/${file}.test.ts`), 'utf8');
        t.ok(text.includes(scene), `${name}: there is ${test}`);
      }
    }
  },
);

void t.test('one that no longer fits is told, and nothing is run', async (t) => {
  t.match(misfit({ ...codec, find: 'nowhere' }, 'text'), /0 times/);
  t.match(misfit({ ...codec, find: 'x' }, 'x x'), /2 times/);
  t.match(misfit({ ...codec, replace: codec.find }, codec.find), /changes nothing/);
  const options = { seed: 1, say: (line: string) => t.fail(line) };
  const gone = { ...codec, find: 'no such text' };
  await t.rejects(tryMutants([codec, gone], options, []), /no longer fits src\/job\/codec\.ts/);
  await t.rejects(tryMutants([{ ...codec, file: 'no.ts' }], options, []), /its file is gone/);
  t.throws(() => void runMutants({ ...options, only: ['nobody'] }), /no mutant nobody/);
});

void t.test(
  'a bug is noticed, a change that is none is not, and the sources stay as they are',
  async (t) => {
    const before = readFileSync(path.join(ROOT, 'src/job/codec.ts'), 'utf8');
    const lines: string[] = [];
    const none = { ...codec, name: 'none', replace: 'Number.isFinite(value ?? value)' };
    const outcomes = await tryMutants(
      [codec, none],
      { seed: 1, say: (line) => lines.push(line) },
      [],
    );
    t.match(outcomes, [
      {
        name: codec.name,
        killedBy: /^test\/codec\.test\.ts: what JSON can not say is refused.*NaN/,
      },
      { name: 'none', killedBy: undefined },
    ]);
    t.match(lines.sort().join('\n'), /killed by[^]*SURVIVED|SURVIVED[^]*killed by/);
    t.equal(readFileSync(path.join(ROOT, 'src/job/codec.ts'), 'utf8'), before);
  },
);

void t.test(
  'a test that fails without any bug, and one that is not there, end the run',
  async (t) => {
    const options = { seed: 1, say: () => {} };
    const absent = { ...codec, tests: ['job/codec > no scene has this name'] };
    await t.rejects(tryMutants([absent], options, []), /there is no test codec > no scene/);
    await t.rejects(
      tryMutants([{ ...codec, tests: ['no-file'] }], options, []),
      /without any mutant/,
    );
  },
);
