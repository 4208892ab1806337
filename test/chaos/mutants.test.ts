/** The bugs that are planted by `npm run chaos -- --mutants` still fit. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { MUTANTS } from './mutants/all.ts';
import { CODEC } from './mutants/codec.ts';
import { misfits, ROOT } from './mutants/copy.ts';
import { misfit } from './mutants/mutant.ts';
import { runMutants, tryMutants, WIDER } from './mutants/run.ts';

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

void t.test('the tests that are tried besides are there', async (t) => {
  for (const test of WIDER) t.ok(existsSync(path.join(ROOT, `test/${test}.test.ts`)), test);
});

void t.test('one that no longer fits is told, and nothing is run', async (t) => {
  t.match(misfit({ ...CODEC, find: 'nowhere' }, 'text'), /0 times/);
  t.match(misfit({ ...CODEC, find: 'x' }, 'x x'), /2 times/);
  t.match(misfit({ ...CODEC, replace: CODEC.find }, CODEC.find), /changes nothing/);
  const options = { seed: 1, say: (line: string) => t.fail(line) };
  const gone = { ...CODEC, find: 'no such text' };
  await t.rejects(tryMutants([CODEC, gone], options, []), /no longer fits src\/job\/codec\.ts/);
  await t.rejects(tryMutants([{ ...CODEC, file: 'no.ts' }], options, []), /its file is gone/);
  t.throws(() => void runMutants({ ...options, only: ['nobody'] }), /no mutant nobody/);
});
