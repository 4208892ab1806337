/** Bounds of what a worker takes, sends and remembers, counted: the numbers are written down here, and read nowhere. */
import { turnScript } from '../../src/store/scripts/turn.ts';
import { Strangers } from '../../src/worker/strangers.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const scripts = async (stage: Stage, body: () => Promise<unknown>): Promise<string[][]> =>
  (await commandsDuring(stage.redis, body)).filter(([name]) =>
    /^(evalsha|eval|fcall)/i.test(name!),
  );

const open = () => new Promise<void>(() => {});

scene(
  'a worker with a thousand slots takes 250 jobs a turn, and names a hundred of them',
  async (t, stage) => {
    const queue = stage.queue();
    await queue.enqueueMany(Array.from({ length: 1_000 }, () => ({ fn: 'open', args: [] })));
    const calls = await scripts(stage, async () => {
      stage.worker({ open }, { concurrency: 1_000 });
      await until(async () => (await queue.counts()).active === 1_000);
    });
    const wanted = calls.flatMap((args) => wantedBy(args) ?? []);
    t.equal(wanted[0], 250);
    t.equal(Math.max(...wanted), 250, wanted.join());
    await until(async () => (await queue.workers())[0]?.busy === 1_000);
    t.equal((await queue.workers())[0]!.running.length, 100);
  },
);

/** How many jobs this turn asks for; undefined for another call. */
function wantedBy([, sha, keys, ...rest]: string[]): number | undefined {
  const { flagged, plain, args } = turnScript;
  if (sha !== flagged.sha && sha !== plain.sha) return undefined;
  return Number(rest[Number(keys) + (args as readonly string[]).indexOf('want')]);
}

scene('results of 4 MiB at most go out in a turn', async (t, stage) => {
  const queue = stage.queue();
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const large = 'x'.repeat(900_000);
  stage.worker({ large: async () => { await gate; return large; } }, { concurrency: 20 }); // prettier-ignore
  await queue.enqueueMany(Array.from({ length: 20 }, () => ({ fn: 'large', args: [] })));
  await until(async () => (await queue.counts()).active === 20);
  const calls = await scripts(stage, async () => {
    go();
    await until(async () => (await queue.counts()).completed === 20);
  });
  const bytes = Math.max(...calls.map((args) => args.join('').length));
  t.ok(bytes > 900_000 && bytes < 4.5 * 1024 * 1024, `${bytes} bytes`);
});

scene(
  'what a worker counts of many functions goes out 500 counters at a time, and all of it arrives',
  async (t, stage) => {
    const queue = stage.queue();
    const names = Array.from({ length: 300 }, (_, i) => `function${i}`);
    const worker = stage.worker(Object.fromEntries(names.map((name) => [name, () => 1])), {
      concurrency: 50,
    });
    const calls = await scripts(stage, async () => {
      await queue.enqueueMany(names.map((fn) => ({ fn, args: [] })));
      await until(async () => (await queue.counts()).completed === 300);
      await worker.stop();
    });
    const most = Math.max(
      ...calls.map((args) => args.filter((arg) => / (run|wait) us$/.test(arg)).length),
    );
    const pairs = Math.max(
      ...calls.map((args) => args.filter((arg) => /^function\d+ /.test(arg)).length),
    );
    t.ok(most > 0 && pairs <= 500, `${pairs} counters in a call`);
    const functions = await queue.functions('ever');
    t.equal(functions.length, 300);
    t.ok(functions.every(({ completed }) => completed === 1));
  },
);

scene(
  'names of functions go out as far as they have room, and then by number',
  async (t, stage) => {
    const names = Array.from(
      { length: 300 },
      (_, i) => `aFunctionOfThirtyLetters${String(i).padStart(6, '0')}`,
    );
    stage.worker(Object.fromEntries(names.map((name) => [name, () => 1])));
    const queue = stage.queue();
    await until(async () => (await queue.workers()).length === 1);
    const { functions, moreFunctions } = (await queue.workers())[0]!;
    t.equal(functions.length, 124, '4,096 letters, with quotes and commas');
    t.equal(functions.length + moreFunctions!, 300);
  },
);

scene(
  'a worker remembers a thousand jobs that another could not run, and looks for the rest later',
  async (t, stage) => {
    const known = new Map([['f', {} as never]]);
    const strangers = new Strangers(stage.store(), known);
    const met = Array.from({ length: 1_500 }, (_, i) => ({ ticket: `j${i}:2:1`, fn: 'f' }));
    t.equal(strangers.heard(JSON.stringify(met)), true);
    const taken = strangers.next(5_000);
    t.equal(taken.length, 1_000);
    t.equal(strangers.asked(taken), true, 'there are more to look for');
    t.equal(strangers.waiting, false);
  },
);
