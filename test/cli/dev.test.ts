import { answers } from '../../src/cli/local-redis.ts';
import { Queue } from '../../src/index.ts';
import { JOBS, minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const DEFAULT_PORT = 6379;

scene('dev works with the Redis it is given', async (t, stage) => {
  const dev = minq(t, ['dev', JOBS, '--queue', stage.name], { redis: stage.redis.url });
  t.equal(await (await stage.queue().enqueue('add', [1, 2])).result(), 3);
  const { code, stderr } = await dev.end('SIGINT');
  t.equal(code, 0);
  t.notMatch(stderr, /started redis-server/);
});

scene('dev starts a Redis where none answers, and takes it along when it ends', async (t) => {
  if (await answers(DEFAULT_PORT))
    return void t.pass('', { skip: `port ${DEFAULT_PORT} is taken` });
  const dev = minq(t, ['dev', JOBS], { detached: true });
  await dev.says(/worker started/);
  t.match(dev.stderr, /started (redis|valkey)-server on redis:\/\/127\.0\.0\.1:6379; it forgets/);
  const queue = new Queue('default', { redis: `redis://127.0.0.1:${DEFAULT_PORT}` });
  t.equal(await (await queue.enqueue('add', [1, 2])).result(), 3);
  const slow = await queue.enqueue('waitStubbornly', [1_000]);
  const result = slow.result();
  await until(async () => (await slow.state()) === 'active');
  process.kill(-dev.pid, 'SIGINT'); // Ctrl-C: the whole foreground group
  t.equal(await result, 'waited', 'the job finished while Redis was still there');
  await queue.close();
  const { code } = await dev.ended;
  t.equal(code, 0);
  t.notOk(await answers(DEFAULT_PORT), 'no Redis is left behind');
});

scene('dev does not start a Redis for a file that is not there', async (t) => {
  const { code, stderr } = await minq(t, ['dev', 'missing.ts']).ended;
  t.equal(code, 2);
  t.match(stderr, /^minq: jobs file: "missing\.ts" does not exist[^\n]*\n$/);
});
