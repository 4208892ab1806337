import { minq } from '../helpers/cli.ts';
import { freePort } from '../helpers/redis.ts';
import { scene } from '../helpers/setup.ts';

// The many cases of each command run without a process of their own (helpers/command.ts); here each has one.

scene('each command is a process that does it, says so and ends with 0', async (t, stage) => {
  stage.worker({ add: (a: number, b: number) => a + b });
  const queue = stage.queue();
  for (const id of ['r', 'c']) await queue.enqueue('add', [1, 2], { id, delay: '1h' });
  await (await queue.enqueue('add', [1, 2], { id: 'done' })).result();
  const cases: [args: string[], says: RegExp][] = [
    [['enqueue', 'add', '[3, 4]', '--wait'], /^7\n$/],
    [['job', 'done'], /^state +completed$/m],
    [['jobs', 'completed'], /^done +add +\[1,2\] /m],
    [['stats'], /^ {2}jobs +0 queued, /m],
    [['workers'], /^WORKER +QUEUE .*\n.* 0\/10 /],
    [['cron'], /^no cron entries on queue /],
    [['cancel', 'c', '--yes'], /^job c /],
    [['remove', 'r', '--yes'], /^job r /],
    [['pause'], /paused/],
    [['resume'], /^queue \S+ /],
    [['retry', 'c'], /^job c is queued again\n$/],
    [['purge', 'completed', '--yes'], /removed/],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await minq(t, [...args, '--queue', stage.name], { redis: stage.redis.url }).ended;
    t.same([code, stderr], [0, ''], args.join(' '));
    t.match(stdout, says);
  }
}); // prettier-ignore

scene('a process ends with 2 for wrong usage, with 1 for what could not be done, in one line', async (t, stage) => {
  const away = `redis://127.0.0.1:${await freePort()}`;
  const cases: [args: string[], code: number, redis: string][] = [
    [['jobs', 'nonsense'], 2, away],
    [['job', 'nobody'], 1, stage.redis.url],
    [['retry', 'x'], 1, away],
  ];
  await Promise.all(
    cases.map(async ([args, code, redis]) => {
      const ended = await minq(t, args, { redis }).ended;
      t.match(ended, { code, stdout: '', stderr: /^minq: [^\n]+\n$/ }, args.join(' '));
    }),
  );
  t.match(await minq(t, ['check', '--queue', stage.name], { redis: stage.redis.url }).ended, { code: 1, stdout: /^FAIL/m, stderr: '' });
}); // prettier-ignore
