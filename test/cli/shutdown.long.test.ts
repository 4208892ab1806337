/** The 25 s that the command line waits for its jobs. */
import { queueKeys } from '../../src/store/keys.ts';
import { JOBS, minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';

scene(
  'what is not finished when the time is over goes back uncharged, and it exits with 0',
  async (t, stage) => {
    const worker = minq(t, ['worker', JOBS, '--queue', stage.name], { redis: stage.redis.url });
    const job = await stage.queue().enqueue('waitStubbornly', [60_000]);
    await worker.says(/job started/);
    const { code } = await worker.end();
    t.equal(code, 0);
    t.match(worker.stderr, /giving back 1 unfinished job/);
    const { queued } = queueKeys('minq', stage.name);
    t.same(await stage.redis.client.lrange(queued, 0, -1), [`${job.id}:2:1`]);
  },
);
