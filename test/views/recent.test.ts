/** What happened in the last hour, from samples at known times. */
import { readRecent } from '../../src/views/statistics.ts';
import { scene, type Stage } from '../helpers/setup.ts';

/** Writes samples down as workers would: [minutes ago, enqueued, completed, failed, retried]. */
async function past(stage: Stage, samples: number[][]): Promise<void> {
  const now = await stage.store().now();
  const rows = samples.map(([ago, enqueued, completed, failed, retried]) =>
    [now - ago! * 60_000, enqueued, completed, failed, 0, retried, 0, 0, 0, 0].join(' '),
  );
  await stage.redis.client.rpush(`minq:{${stage.name}}:history`, ...rows);
}

const count = (stage: Stage, counters: Record<string, number>) =>
  stage.redis.client.hset(`minq:{${stage.name}}:stats`, counters);

const sum = (minutes: readonly number[]) => minutes.reduce((a, b) => a + b, 0);
const near = (a: number, b: number) => Math.abs(a - b) < 1;

scene('each minute has its share; what no sample has seen yet is in the last one', async (t, stage) => {
  stage.allow(/./); // counters without jobs
  await past(stage, [[90, 0, 0, 0, 0], [30, 600, 60, 0, 0], [10, 600, 60, 20, 5], [1, 600, 60, 20, 5]]); // prettier-ignore
  await count(stage, { enqueued: 610, completed: 100, failed: 21, retried: 5 });
  const recent = (await readRecent(stage.store()))!;
  t.equal(recent.failed.length, 60);
  t.ok(near(sum(recent.enqueued), 310), `half of 600 were before the hour: ${sum(recent.enqueued)}`);
  t.ok(recent.enqueued.slice(0, 29).every((each) => near(each, 10)));
  t.ok(near(sum(recent.failed), 21));
  t.ok(recent.failed.slice(31, 49).every((each) => near(each, 1)));
  t.ok(near(recent.failed.at(-1)!, 1));
  t.ok(near(recent.completed.at(-1)!, 40));
  t.ok(near(sum(recent.retried), 5));
}); // prettier-ignore

scene('nothing is known of a queue that no worker has seen; deleted counters are no events', async (t, stage) => {
  stage.allow(/./);
  t.equal(await readRecent(stage.store()), undefined);
  await past(stage, [[300, 7, 7, 7, 7], [200, 900, 900, 900, 900]]); // prettier-ignore
  const recent = (await readRecent(stage.store()))!;
  t.same(Object.values(recent).map(sum), [0, 0, 0, 0]);
}); // prettier-ignore
