/** A blocked event loop: that it is seen, which job is named, and where one reads of it. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const MS = 900;

/** Computes for so long, and gives way to nobody. */
function spin(ms = MS): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const functions = {
  atOnce: async () => {
    spin();
    await sleep(1);
  },
  later: async () => {
    await sleep(1);
    spin();
    await sleep(200);
  },
  throwing: () => {
    spin();
    throw new Error('tired');
  },
  synchronous: () => void execFileSync('sleep', [String(MS / 1_000)]),
};

interface Line {
  ms: number;
  cpuMs: number;
  job?: string;
  oneOf?: string;
}

const blocked = (log: readonly string[]): Line[] =>
  log.flatMap((line) => {
    const found = /^warn event loop blocked (\{.*\})$/.exec(line);
    return found ? [JSON.parse(found[1]!) as Line] : [];
  });

/** A worker with one job that hangs about, beside the one that is to be tried. */
async function busyWorker(stage: Stage) {
  const bystander = gate();
  const worker = stage.worker({ ...functions, bystander: bystander.pass }, { lease: '5s' });
  const queue = stage.queue();
  const beside = await queue.enqueue('bystander');
  await until(() => bystander.running === 1);
  return { queue, worker, beside, end: () => bystander.open() };
}

for (const fn of ['atOnce', 'throwing'] as const) {
  scene(`a job that blocks before its first await is named alone: ${fn}`, async (t, stage) => {
    const { queue, worker, end } = await busyWorker(stage);
    const job = await queue.enqueue(fn, [], { retries: 0 });
    await job.result({ timeout: '20s' }).catch(() => {});
    await until(() => blocked(stage.log).length > 0);
    const line = blocked(stage.log).find((each) => each.job !== undefined)!;
    t.equal(line.job, `${fn} ${job.id}`);
    t.ok(line.ms >= 500, `${line.ms} ms`);

    const named = { jobs: [{ id: job.id, fn }] };
    await until(async () => (await queue.workers())[0]?.blocked);
    const [seen] = await queue.workers();
    t.match(seen!.blocked, named);
    t.ok(seen!.blocked!.ms >= 500 && Math.abs(seen!.blocked!.at - Date.now()) < 60_000);
    await until(async () => (await queue.stats()).blocked > 0);
    const stats = await queue.stats();
    t.ok(stats.blockedMs >= 500 * stats.blocked, `${stats.blockedMs} ms`);
    const { loopDelay, blocked: times } = worker.facts();
    t.ok(times.times >= 1 && times.ms >= 500);
    t.ok(loopDelay.sumMs >= 500 && loopDelay.counts.slice(9).some((count) => count > 0));
    end();
  });
}

scene('one that blocks after an await is among those named', async (t, stage) => {
  const { queue, beside, end } = await busyWorker(stage);
  const job = await queue.enqueue('later');
  await job.result({ timeout: '20s' });
  await until(() => blocked(stage.log).length > 0);
  const line = blocked(stage.log).find((each) => each.oneOf?.includes('later'))!;
  t.same(line.oneOf!.split(', ').toSorted(), [`bystander ${beside.id}`, `later ${job.id}`].toSorted()); // prettier-ignore
  t.notOk('job' in line, 'nobody is accused without proof');
  end();
});

scene('one that waits without giving way is told by the CPU time it took not', async (t, stage) => {
  const { queue, end } = await busyWorker(stage);
  const job = await queue.enqueue('synchronous');
  await job.result({ timeout: '20s' });
  await until(() => blocked(stage.log).length > 0);
  const line = blocked(stage.log).find((each) => each.job !== undefined)!;
  t.equal(line.job, `synchronous ${job.id}`);
  t.ok(line.cpuMs < line.ms / 2, `${line.cpuMs} of ${line.ms} ms`);
  end();
});

scene(
  'of several workers of a process, only the one whose job it was names it',
  async (t, stage) => {
    const { queue, beside, end } = await busyWorker(stage);
    const log: string[] = [];
    const note = (message: string, fields: object = {}) =>
      void log.push(`warn ${message} ${JSON.stringify(fields)}`);
    const logger = { debug: () => {}, info: () => {}, warn: note, error: note };
    const name = `${stage.name}-other`;
    const other = new Worker(functions, { redis: stage.redis.url, queue: name, logger });
    const running = other.run();
    stage.onEnd(async () => {
      await other.stop({ timeout: 200 });
      await running;
    });
    const job = await queue.enqueue('atOnce', [], { queue: name });
    await job.result({ timeout: '20s' });
    await until(() => blocked(log).length > 0 && blocked(stage.log).length > 0);
    t.match(blocked(log)[0], { job: `atOnce ${job.id}` });
    t.notMatch(
      JSON.stringify(blocked(stage.log)),
      beside.id,
      'the bystander has nothing to do with it',
    );
    end();
  },
);

scene('jobs that wait as they should are nothing to warn of', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker({ wait: () => sleep(1_200) }, { lease: '5s' });
  /** How long the machine itself stood still meanwhile: then there is something to warn of. */
  const waiting = async (): Promise<number> => {
    let latest = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - latest);
      latest = performance.now();
    }, 20);
    const handles = await Promise.all(Array.from({ length: 5 }, () => queue.enqueue('wait')));
    await Promise.all(handles.map((handle) => handle.result({ timeout: '20s' })));
    clearInterval(timer);
    return longest;
  };
  let before = blocked(stage.log).length;
  for (let tries = 1; (await waiting()) > 400; tries++) {
    if (tries === 10) throw new Error('this machine stands still all the time');
    before = blocked(stage.log).length;
  }
  t.equal(blocked(stage.log).length, before, 'no warning while it did not');
  await until(async () => (await queue.functions()).length > 0);
  t.equal((await queue.stats()).blocked, blocked(stage.log).length);
  const [seen] = await queue.workers();
  t.ok(seen!.loop.p50 <= seen!.loop.p99 && seen!.loop.p99 <= seen!.loop.max);
  t.ok(worker.facts().loopDelay.counts.reduce((a, b) => a + b) > 10, 'it was looked at'); // prettier-ignore
});
