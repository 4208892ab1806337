import { scene } from './helpers/setup.ts';

scene('a job is enqueued, run and its result read', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ add: (a: number, b: number) => a + b });
  const job = await queue.enqueue('add', [2, 3]);
  t.equal(await job.result({ timeout: '5s' }), 5);
  t.equal(await job.state(), 'completed');
});
