/** What `npm run chaos` is asked for, and what it says of its results. (As a process: `command.long.test.ts`.) */
import t from 'tap';
import { loadScenarios } from './catalogue.ts';
import { readOptions } from './options.ts';
import { text } from './report.ts';
import { failuresOf, type Results } from './results.ts';

void t.test('what the command line asks for; what it can not, in one line', async (t) => {
  const scenarios = await loadScenarios();
  const read = (...args: string[]) => readOptions(args, scenarios);
  t.match(read(), { scenarios, stormSeconds: 60, mutants: false, full: false });
  t.match(read('--storm', '--seed', '7'), { seed: 7, scenarios: [], stormSeconds: 60 });
  t.match(read('--scenario', 'kill'), { scenarios: [{ name: 'kill' }], stormSeconds: undefined });
  t.equal(read('--help'), undefined);
  for (const [args, message] of [
    [['--nope'], /^Unknown option '--nope'/],
    [['storm'], /^Unexpected argument 'storm'/],
    [['--scenario', 'nope'], /^--scenario: there is no nope; there are /],
    [['--libs', 'minq,nope'], /^--libs: there is no nope; there are minq, bullmq/],
    [['--storm', '--seconds', '0'], /^--seconds: a storm lasts at least a second/],
    [['--mutants', '--seconds', '9'], /^--seconds: it goes with --storm/],
    [['--seed', '-1'], /--seed/],
    [['--seed=x'], /^--seed: x is no whole number/],
    [['--soak', '1x'], /^--soak: "1x" is no duration/],
    [['--soak', '1s'], /^--soak: "1s" is out of range/],
  ] as const) {
    t.throws(() => read(...args), { message }, args.join(' '));
  }
});

void t.test(
  'a failure says why, and the command that does it again; peers are not judged',
  async (t) => {
    const bad = {
      accepted: 9,
      lost: 1,
      extraRuns: 0,
      recoveredMs: [90, 2_100],
      broken: ['it is late'],
    };
    const results: Results = {
      seed: 5,
      node: '20',
      redis: '7',
      scenarios: [
        { scenario: 'kill', library: 'minq', ...bad },
        { scenario: 'kill', library: 'bullmq', ...bad },
        { scenario: 'stop', library: 'minq', ...bad, lost: 0, broken: [], notes: ['lease 2 s'] },
      ],
      mutants: [
        { name: 'deaf', killedBy: undefined, ms: 5 },
        { name: 'blind', killedBy: 'test/store/turn.test.ts: a claim', ms: 5 },
        { name: 'slow', killedBy: 'test/store/model.long.test.ts: histories', ms: 5 },
      ],
    };
    const failures = failuresOf(results, true);
    t.same(failures, [
      {
        why: ['kill: 1 jobs lost', 'kill: it is late'],
        replay: 'npm run chaos -- --scenario kill --libs minq --full --seed 5',
      },
      { why: ['no test notices the mutant deaf'], replay: 'npm run chaos -- --mutants --seed 5' },
    ]);
    const shown = text(results, failures);
    t.match(shown, /^kill +minq +9 +1 +0 +0\.1 - 2\.1 s +BROKEN$/m);
    t.match(shown, /^stop +minq +9 +0 +0 +0\.1 - 2\.1 s +ok$/m);
    t.match(shown, /^stop, minq: lease 2 s$/m);
    t.match(shown, /^kill, bullmq: it is late$/m);
    t.match(shown, '3 mutants: 1 noticed by npm test, 1 by npm run test:long, 1 by nobody');
    t.match(shown, 'again: npm run chaos -- --scenario kill --libs minq --full --seed 5');
  },
);
