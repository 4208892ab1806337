/** The runner of mutants sees whether a bug is noticed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { CODEC } from './mutants/codec.ts';
import { ROOT } from './mutants/copy.ts';
import { tryMutants } from './mutants/run.ts';

t.setTimeout(120_000);

void t.test(
  'a bug is noticed, a change that is none is not, and the sources stay as they are',
  async (t) => {
    const before = readFileSync(path.join(ROOT, 'src/job/codec.ts'), 'utf8');
    const lines: string[] = [];
    const none = { ...CODEC, name: 'none', replace: 'Number.isFinite(value ?? value)' };
    const outcomes = await tryMutants(
      [CODEC, none],
      { seed: 1, say: (line) => lines.push(line) },
      [],
    );
    t.match(outcomes, [
      {
        name: CODEC.name,
        killedBy: /^test\/job\/codec\.test\.ts: what JSON can not say is refused.*NaN/,
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
    const absent = { ...CODEC, tests: ['job/codec > no scene has this name'] };
    await t.rejects(tryMutants([absent], options, []), /there is no test job\/codec > no scene/);
    await t.rejects(
      tryMutants([{ ...CODEC, tests: ['no-file'] }], options, []),
      /without any mutant/,
    );
  },
);
