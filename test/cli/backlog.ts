import type { Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';

/** What it printed, where all went well. */
export const happy = ({ code, stdout, stderr }: Ended) => {
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`);
  return stdout;
};

/** @param many jobs that wait: with any number it is the same */
export function answersWith(many: number): void {
  const shown = many.toLocaleString('en-US');
  scene(`${shown} waiting: stats and jobs answer as quickly, with as many commands`, async (t, stage) => {
  const queue = stage.queue();
  const job = { fn: 'f', args: ['x'.repeat(50)] };
  for (let i = 0; i < many / 10_000; i++) await queue.enqueueMany(Array.from({ length: 10_000 }, () => job));
  t.equal((await queue.counts()).queued, many);
  for (const [args, most] of [
    [['stats'], 16],
    [['jobs', 'queued'], 8],
    [['jobs', 'queued', '--offset', `${many * 0.75}`, '--limit', '1000'], 8],
    [['jobs', 'queued', '--fn', 'nobody'], 16],
  ] as const) {
    const startedAt = performance.now();
    let text = '';
    const commands = await commandsDuring(stage.redis, async () => {
      text = happy(await command([...args, '--queue', stage.name], { redis: stage.redis.url }));
    });
    t.match(text, `${shown} queued`);
    t.ok(commands.length <= most, `${args.join(' ')}: ${commands.map((each) => each[0]).join(' ')}`);
    t.ok(performance.now() - startedAt < 10_000);
  }
}); // prettier-ignore
}
