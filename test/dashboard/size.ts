/** A large queue costs a page no more than a small one. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Queue } from '../../src/index.ts';
import { queueKeys } from '../../src/store/keys.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { scene } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const MOST_BYTES = 100_000;
const BLOCKED_MS = 50;
/** What is wanted on a machine with nothing else to do. */
const WANTED_MS = 200;
/** Machines that run tests have else to do. */
const PATIENCE = 5;
const TIMES = 9;

async function fill(queue: Queue, fn: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += 20_000) {
    const items = Array.from({ length: Math.min(20_000, count - done) }, (_, i) => ({
      fn,
      args: [{ user: `user-${done + i}@example.com`, text: 'hello' }],
      retries: 0,
    }));
    const outcomes = await queue.enqueueMany(items);
    if (outcomes.some(({ status }) => status === 'rejected')) throw new Error('not all enqueued');
  }
}

export function staysSmall({
  waiting: WAITING,
  failed: FAILED,
}: {
  waiting: number;
  failed: number;
}): void {
  scene(`each route is quick and small: ${WAITING} jobs that wait, ${FAILED} that failed`, async (t, stage) => {
  t.setTimeout(300_000);
  stage.onEnd(() => stage.redis.client.flushall()); // nobody needs to look at all of it afterwards
  const queue = stage.queue();
  const worker = stage.worker({
    send: async () => { throw new TypeError('connect ECONNREFUSED 10.0.0.1:25'); },
  }, { concurrency: 100 });
  await fill(queue, 'send', FAILED);
  await until(async () => (await queue.counts()).failed === FAILED, { timeoutMs: 120_000 });
  await worker.stop();
  await fill(queue, 'send', WAITING);
  t.match(await queue.counts(), { queued: WAITING, failed: FAILED });

  const { get } = await site(stage);
  const of = `queue=${stage.name}`;
  const failed = (await get(`api/jobs?${of}&state=failed`)).json.jobs[0].id as string;
  const { id: waiting } = (await queue.jobs('queued', { offset: WAITING / 2, limit: 1 }))[0]!;
  const routes = [
    'api/queues',
    `api/queue?${of}&span=hour`,
    `api/queue?${of}&span=day`,
    `api/jobs?${of}&state=queued`,
    `api/jobs?${of}&state=queued&limit=100`,
    `api/jobs?${of}&state=queued&offset=${WAITING / 2}`,
    `api/jobs?${of}&state=queued&fn=nobody`,
    `api/jobs?${of}&state=failed&limit=100`,
    `api/jobs?${of}&state=failed&offset=${FAILED - 50}`,
    `api/jobs?${of}&state=failed&error=econnrefused`,
    `api/jobs?${of}&state=failed&fn=send&error=nowhere`,
    `api/job?${of}&id=${failed}`,
    `api/job?${of}&id=${waiting}`,
    `api/jobs?${of}&state=queued&args=nobody`,
    'api/lately',
    'api/failures',
    `api/failures?${of}`,
    `api/find?id=${waiting}`,
    'api/findings',
    'api/workers',
    'api/cron',
  ];
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  for (const route of routes) {
    await get(route);
    const took: number[] = [];
    let bytes = 0;
    const commands = await commandsDuring(stage.redis, async () => {
      for (let i = 0; i < TIMES; i++) {
        const since = performance.now();
        const { status, body } = await get(route);
        took.push(performance.now() - since);
        bytes = body.length;
        t.equal(status, 200, route);
      }
    });
    const median = took.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)]!;
    const sent = commands.length / TIMES;
    const name = route.replaceAll(stage.name, 'x').padEnd(50);
    t.comment(`${name} ${median.toFixed(1).padStart(6)} ms ${String(bytes).padStart(6)} bytes ${sent} commands`);
    t.ok(bytes > 10 && bytes < MOST_BYTES, `${route}: ${bytes} bytes`);
    // What is looked through comes in pieces of so many bytes: of long stacks in more of them.
    t.ok(sent >= 1 && sent <= 40, `${route}: ${sent} commands`);
    t.ok(median < WANTED_MS * PATIENCE, `${route}: ${median} ms`);
  }
  loop.disable();
  t.comment(`the event loop was late by ${(loop.max / 1e6).toFixed(0)} ms at most`);
  t.ok(loop.max / 1e6 < BLOCKED_MS * PATIENCE, 'the loop that serves is never blocked for long');
  const { next, jobs } = (await get(`api/jobs?${of}&state=queued&fn=nobody`)).json;
  t.match({ next, jobs }, { next: 5_000, jobs: [] }, 'a search that finds nothing looks so far, and says where to go on');
}); // prettier-ignore

  scene('a hundred queues, each with failures, fit into what one page asks', async (t, stage) => {
    stage.onEnd(() => stage.redis.client.flushall());
    const first = stage.queue();
    const worker = stage.worker({ send: (n: number) => { throw new TypeError(`no route to 10.0.0.${n}`); } }, { concurrency: 20 }); // prettier-ignore
    await first.enqueueMany(Array.from({ length: 50 }, (_, n) => ({ fn: 'send', args: [n, 'x'.repeat(1_000)], retries: 0 }))); // prettier-ignore
    await until(async () => (await first.counts()).failed === 50);
    await worker.stop();
    // The other ninety-nine are copies of it.
    const from = Object.entries(queueKeys('minq', stage.name)).filter(([, key]) => typeof key === 'string') as [keyof ReturnType<typeof queueKeys>, string][]; // prettier-ignore
    for (let n = 1; n < 100; n++) {
      const name = `copy-${n}-of-a-queue-with-a-rather-long-name`;
      const to = queueKeys('minq', name);
      for (const [field, key] of from) await stage.redis.client.copy(key, to[field] as string);
      await stage.redis.client.zadd('minq:queues', n, name);
    }
    const { get } = await site(stage, { queues: undefined as never });
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    for (const route of ['api/queues', 'api/lately', 'api/findings', 'api/failures', 'api/workers', 'api/cron', 'api/find?id=nobody']) {
      const since = performance.now();
      let bytes = 0;
      const commands = await commandsDuring(stage.redis, async () => {
        const { status, body } = await get(route);
        bytes = body.length;
        t.equal(status, 200, route);
      });
      const ms = performance.now() - since;
      t.comment(`100 queues: ${route.padEnd(20)} ${ms.toFixed(0).padStart(4)} ms ${String(bytes).padStart(6)} bytes ${commands.length} commands`);
      t.ok(bytes < MOST_BYTES, `${route}: ${bytes} bytes`);
      t.ok(commands.length <= 1_200, `${route}: ${commands.length} commands`);
      t.ok(ms < WANTED_MS * PATIENCE, `${route}: ${ms} ms`);
    }
    loop.disable();
    t.ok(loop.max / 1e6 < BLOCKED_MS * PATIENCE, `the loop was late by ${loop.max / 1e6} ms`);
  }); // prettier-ignore
}
