/** Times beyond 24.8 days, the longest a timer of Node takes: a longer one fires at once. */
import { setTimeout as pause } from 'node:timers/promises';
import { scene } from '../helpers/setup.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { until } from '../helpers/until.ts';

const jobs = {
  slow: async (ms: number) => {
    await pause(ms);
    return 'done';
  },
};

for (const long of ['24.9d', '30d', '1y', 2 ** 32, 2 ** 40]) {
  scene(`a timeout of ${long} leaves the job and the waiter their time`, async (t, stage) => {
    const queue = stage.queue<typeof jobs>();
    stage.worker(jobs);
    const job = await queue.enqueue('slow', [150], { timeout: long, retries: 0 });
    t.equal(await job.result({ timeout: long }), 'done');
    t.match(await job.info(), { attempt: 1, state: 'completed' });
  });
}

scene('a worker that is given 30 days to stop waits for its jobs', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  const worker = stage.worker(jobs);
  const job = await queue.enqueue('slow', [500]);
  await until(async () => (await job.state()) === 'active');
  const stopped = worker.stop({ timeout: '30d' });
  await pause(50); // it is about to stop
  await worker.stop({ timeout: '40d' });
  await stopped;
  t.match(await job.info(), { state: 'completed', attempt: 1 }, 'it was not given back');
});

scene('a job or a tick that is due in months costs an idle worker nothing', async (t, stage) => {
  const queue = stage.queue<typeof jobs>();
  await queue.enqueue('slow', [1], { delay: '40d', id: 'later' });
  await queue.enqueue('slow', [1], { delay: '2y' });
  const month = ((new Date().getUTCMonth() + 3) % 12) + 1;
  await queue.schedule('rare', { fn: 'slow', args: [1], cron: `0 0 15 ${month} *` });
  stage.worker(jobs);
  const [entry] = await queue.schedules();
  t.ok(entry!.nextAt! - Date.now() > 2 ** 31, 'beyond a timer');
  await until(async () => (await queue.workers()).length === 1);
  await (await queue.enqueue('slow', [1])).result();
  await pause(500); // until it has settled down
  const sent = await commandsDuring(stage.redis, () => pause(1_500));
  t.ok(sent.length <= 6, `in 1.5 s: ${sent.map(([name]) => name).join(' ')}`);
  t.match(await queue.counts(), { scheduled: 2, completed: 1 });
});
