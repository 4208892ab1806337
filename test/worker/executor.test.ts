/** How a run ends and what becomes of the job: retry, failure, timeout, and which option decides. */
import { currentJob, Fail, job, JobTimeoutError, Retry, Worker } from '../../src/index.ts';
import type { JobInfo } from '../../src/index.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const HOUR = 3_600_000;
const boom = () => Promise.reject(new Error('boom'));

/** How long after its enqueue the job is due; the run in between takes far less than an hour. */
async function dueIn(stage: Stage, id: string): Promise<number> {
  const handle = stage.queue().job(id);
  let info: JobInfo | undefined;
  await until(async () => (info = await handle.info()).state === 'scheduled');
  return info!.dueAt! - info!.enqueuedAt!;
}

/** As if the time had come. */
async function makeDue(stage: Stage): Promise<void> {
  const { keys } = stage.store();
  const { client } = stage.redis;
  for (const ticket of await client.zrangebyscore(keys.scheduled, '-inf', '+inf')) {
    await client.zadd(keys.scheduled, '1', ticket);
  }
  await client.lpush(keys.wake, '1');
}

scene('retries: 3 means four runs; the last error is the one that is kept', async (t, stage) => {
  const attempts: number[] = [];
  stage.worker({
    flaky: () => {
      attempts.push(currentJob().attempt);
      throw new RangeError(`attempt ${currentJob().attempt}`);
    },
  });
  const handle = await stage.queue().enqueue('flaky', [], { retries: 3, backoff: 1 });
  await t.rejects(handle.result({ timeout: '10s' }), {
    name: 'JobFailedError',
    cause: { name: 'RangeError', message: 'attempt 4', stack: /executor\.test/ },
  });
  t.same(attempts, [1, 2, 3, 4]);
  t.match(await handle.info(), { state: 'failed', attempt: 4 });
  t.match(await stage.queue().stats(), { retried: 3, failed: 1, recovered: 0, refused: 0 });
});

scene('Retry waits as long as it says; without a delay, as the backoff says', async (t, stage) => {
  stage.worker({
    later: () => {
      throw new Retry({ delay: '2h' });
    },
    again: () => {
      throw new Retry({ message: 'not yet' });
    },
  });
  const queue = stage.queue();
  const [later, again] = await Promise.all([
    queue.enqueue('later', [], { backoff: '1h' }),
    queue.enqueue('again', [], { backoff: '1h' }),
  ]);
  const waits = await Promise.all([dueIn(stage, later.id), dueIn(stage, again.id)]);
  t.same(waits.map((ms) => Math.floor(ms / HOUR)), [2, 1]); // prettier-ignore
  t.match(await again.info(), { attempt: 2, error: { name: 'Retry', message: 'not yet' } });
});

scene('Retry has an end too: when the attempts are used up, the job fails', async (t, stage) => {
  let runs = 0;
  stage.worker({
    again: () => {
      runs++;
      throw new Retry({ delay: 1 });
    },
  });
  const handle = await stage.queue().enqueue('again', [], { retries: 1 });
  await t.rejects(handle.result({ timeout: '10s' }), {
    cause: {
      name: 'Retry',
      message: 'the limit was reached (retries: 1): the job asked to be run again',
    },
  });
  t.equal(runs, 2);
});

scene('Fail ends the job at once, whatever retries and retryIf say', async (t, stage) => {
  let runs = 0;
  stage.worker({
    stop: job({ retries: 9, retryIf: () => true }, () => {
      runs++;
      throw new Fail('never mind');
    }),
  });
  const handle = await stage.queue().enqueue('stop');
  await t.rejects(handle.result({ timeout: '10s' }), {
    cause: { name: 'Fail', message: 'never mind' },
  });
  t.equal(runs, 1);
});

scene('retryIf decides over errors, and not over Retry', async (t, stage) => {
  const asked: unknown[] = [];
  const runs: string[] = [];
  const retryIf = (error: unknown) => {
    asked.push((error as Error).message);
    return (error as Error).message !== 'hopeless';
  };
  stage.worker({
    hopeless: job({ retryIf, backoff: 1 }, () => {
      runs.push('hopeless');
      throw new Error('hopeless');
    }),
    hopeful: job({ retryIf, backoff: 1, retries: 1 }, () => {
      runs.push('hopeful');
      throw new Error('hopeful');
    }),
    again: job({ retryIf: () => false }, () => {
      runs.push('again');
      if (currentJob().attempt === 1) throw new Retry({ delay: 1 });
    }),
  });
  const queue = stage.queue();
  for (const fn of ['hopeless', 'hopeful', 'again']) {
    await (await queue.enqueue(fn)).result({ timeout: '10s' }).catch(() => {});
  }
  t.same(runs, ['hopeless', 'hopeful', 'hopeful', 'again', 'again']);
  t.same(asked, ['hopeless', 'hopeful'], 'not asked when no attempt is left');
});

scene('a retryIf that throws is logged, and the job is retried', async (t, stage) => {
  let runs = 0;
  const retryIf = () => {
    throw new Error('broken check');
  };
  stage.worker({
    fail: job({ retryIf, retries: 1, backoff: 1 }, () => {
      runs++;
      throw new Error('boom');
    }),
  });
  const handle = await stage.queue().enqueue('fail');
  await t.rejects(handle.result({ timeout: '10s' }), { cause: { message: 'boom' } });
  t.equal(runs, 2);
  t.match(stage.log.join('\n'), /warn retryIf threw.*broken check/);
});

scene('backoff grows with each attempt, drawn at random between its bounds', async (t, stage) => {
  stage.worker({ fail: boom });
  const queue = stage.queue();
  const backoff = { type: 'exponential', delay: '1h', max: '3h', jitter: 0.5 } as const;
  const handles = await Promise.all(
    Array.from({ length: 40 }, () => queue.enqueue('fail', [], { backoff, retries: 9 })),
  );
  for (const most of [1, 2, 3, 3]) {
    const waits = await Promise.all(handles.map(({ id }) => dueIn(stage, id)));
    const hours = waits.map((ms) => ms / HOUR).sort((a, b) => a - b);
    t.ok(hours[0]! >= most / 2 && hours.at(-1)! <= most + 0.05, `${hours[0]} to ${hours.at(-1)} h`);
    t.ok(hours.at(-1)! - hours[0]! > most / 8, 'they are spread');
    const attempt = (await handles[0]!.info()).attempt;
    await makeDue(stage);
    await until(async () => {
      const infos = await queue.jobs('scheduled');
      return infos.length === 40 && infos.every((info) => info.attempt === attempt + 1);
    });
  }
});

scene('an option at the enqueue wins over the job, the job over the default', async (t, stage) => {
  const seen: Record<string, number> = {};
  const look = (name: string) => () => {
    seen[name] = currentJob().retries;
  };
  stage.worker({ plain: look('plain'), own: job({ retries: 7, resultTtl: 0 }, look('own')) });
  const queue = stage.queue();
  const byDefault = stage.queue({ defaults: { retries: 5 } });
  let runs = 0;
  const run = async (handle: Promise<unknown>, name: string) => {
    await handle;
    runs++;
    await until(async () => (await queue.stats()).completed === runs);
    return seen[name];
  };
  t.equal(await run(queue.enqueue('plain'), 'plain'), 3);
  t.equal(await run(queue.enqueue('own'), 'own'), 7);
  t.equal(await run(queue.enqueue('own', [], { retries: 1 }), 'own'), 1);
  t.equal(
    await run(byDefault.enqueue('own'), 'own'),
    5,
    "the queue's defaults are enqueue options",
  );
  t.equal(await run(byDefault.enqueue('own', [], { retries: 1 }), 'own'), 1);
  t.equal((await queue.counts()).completed, 1, 'the job keeps no result');
  await run(queue.enqueue('own', [], { resultTtl: '1h' }), 'own');
  t.equal((await queue.counts()).completed, 2, 'the enqueue keeps it');
});

scene('a function that returns, or throws, after its timeout has failed with it, though the loop was blocked', async (t, stage) => {
  const reasons: unknown[] = [];
  const block = () => {
    const end = performance.now() + 60;
    while (performance.now() < end);
  };
  stage.worker({
    atOnce: () => {
      reasons.push(currentJob().signal); // made, so that it can be aborted
      block();
      return 'done';
    },
    later: async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      block();
      throw new Fail('too late to say');
    },
  });
  const queue = stage.queue();
  for (const fn of ['atOnce', 'later']) {
    const job = await queue.enqueue(fn, [], { timeout: 20, retries: 0 });
    await t.rejects(job.result({ timeout: '10s' }), { cause: { name: 'JobTimeoutError', message: /20 ms/ } });
  }
  t.ok((reasons[0] as AbortSignal).reason instanceof JobTimeoutError);
}); // prettier-ignore

scene(
  'timeout: the signal aborts, and the attempt fails with JobTimeoutError',
  async (t, stage) => {
    const reasons: unknown[] = [];
    const wait = async () => {
      const { signal } = currentJob();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.reason);
      throw new Error('what it throws then is of no interest');
    };
    stage.worker({ wait, own: job({ timeout: 30, retries: 0 }, wait) });
    const queue = stage.queue();
    const handle = await queue.enqueue('wait', [], { timeout: 30, retries: 1, backoff: 1 });
    await t.rejects(handle.result({ timeout: '10s' }), {
      cause: { name: 'JobTimeoutError', message: /30 ms/ },
    });
    await t.rejects((await queue.enqueue('own')).result({ timeout: '10s' }), {
      cause: { name: 'JobTimeoutError' },
    });
    t.equal(reasons.length, 3);
    t.ok(reasons.every((reason) => reason instanceof JobTimeoutError));
  },
);

for (const end of ['value', 'rejection'] as const) {
  scene(
    `a job that ignores its timeout keeps its slot; its late ${end} is swallowed`,
    async (t, stage) => {
      const deaf = gate();
      const others = gate();
      stage.worker(
        {
          deaf: async () => {
            await deaf.pass();
            if (end === 'rejection') throw new Error('too late');
            return 'too late';
          },
          other: others.pass,
        },
        { concurrency: 2 },
      );
      const queue = stage.queue();
      const handle = await queue.enqueue('deaf', [], { timeout: 20, retries: 0 });
      await t.rejects(handle.result({ timeout: '10s' }), { cause: { name: 'JobTimeoutError' } });
      const ended = await handle.info();
      await Promise.all(Array.from({ length: 5 }, (_, i) => queue.enqueue('other', [i])));
      await until(() => others.running === 1);
      t.match(await queue.counts(), { active: 1, queued: 4 }, 'one slot is left');
      t.equal((await queue.workers())[0]?.concurrency, 2);
      deaf.open();
      await until(() => others.running === 2, { what: 'its slot is free again' });
      others.open();
      await until(async () => (await queue.counts()).completed === 5);
      t.equal(others.peak, 2);
      t.same(await handle.info(), ended, 'the outcome is the one that was recorded');
      t.match(await queue.stats(), { failed: 1, completed: 5, refused: 0 });
    },
  );
}

scene('onFailure is enqueued once, when the job has failed for good', async (t, stage) => {
  const calls: unknown[] = [];
  let runs = 0;
  stage.worker({
    pay: job({ retries: 1, backoff: 1, onFailure: 'sorry' }, async (_amount: number) => {
      runs++;
      throw new TypeError(`no money at attempt ${currentJob().attempt}`);
    }),
    sorry: (what: unknown) => void calls.push({ what, meta: currentJob().meta }),
  });
  const queue = stage.queue();
  const handle = await queue.enqueue('pay', [12], { meta: { trace: 'x1' } });
  await t.rejects(handle.result({ timeout: '10s' }));
  await until(async () => (await queue.counts()).completed === 1);
  t.equal(runs, 2);
  t.match(calls, [
    {
      what: {
        id: handle.id,
        fn: 'pay',
        args: [12],
        attempt: 2,
        error: { name: 'TypeError', message: 'no money at attempt 2', stack: String },
      },
      meta: { trace: 'x1' },
    },
  ]);
  t.equal(calls.length, 1);
  t.match(await queue.counts(), { failed: 1, completed: 1, queued: 0, scheduled: 0 });
});

scene('an onFailure whose id another job has is told, and counted', async (t, stage) => {
  const queue = stage.queue();
  const errors: string[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => void errors.push(message) };
  await stage.store().enqueue([{ id: 'mine:failure:2', how: 'n kept 0', json: '{"fn":"other","args":[]}' }]);
  stage.worker({ pay: job({ retries: 0, onFailure: 'sorry' }, () => boom()), sorry() {}, other() {} }, { logger });
  await (await queue.enqueue('pay', [], { id: 'mine' })).result().catch(() => {});
  await until(() => errors.some((message) => message.startsWith('onFailure: its id is taken')));
  t.match((await queue.findings()).find(({ check }) => check === 'dropped-taken'), { warning: true });
}); // prettier-ignore

scene('an onFailure that names no function is refused when the worker is made', async (t) => {
  const jobs = { pay: job({ onFailure: 'nobody' }, boom) };
  t.throws(() => new Worker(jobs), {
    name: 'InvalidArgumentError',
    message: /onFailure of "pay".*"nobody"/,
  });
});

const UNSTORABLE: Record<string, [value: () => unknown, message: RegExp]> = {
  'a BigInt': [() => ({ a: [1n] }), /result\.a\[0\]: BigInt can't be stored/],
  'a circle': [() => { const o: object[] = []; o.push(o); return o; }, /result\[0\]: circular/],
  'a function': [() => ({ f() {} }), /result\.f: a function can't be stored/],
  'a symbol': [() => Symbol('s'), /result: a symbol can't be stored/],
  'a Map': [() => new Map(), /result: a Map can't be stored/],
  NaN: [() => ({ x: NaN }), /result\.x: NaN can't be stored/],
  'more than 1 MiB': [() => 'x'.repeat(1024 * 1024), /result: \d+ bytes as JSON, the limit is/],
  'a throwing getter': [() => ({ get x() { throw new Error('hands off'); } }), /result: .*hands off/],
}; // prettier-ignore

for (const [what, [value, message]] of Object.entries(UNSTORABLE)) {
  scene(`a result that is ${what} fails the job, which is not retried`, async (t, stage) => {
    let runs = 0;
    stage.worker({
      make: () => {
        runs++;
        return value();
      },
    });
    const handle = await stage.queue().enqueue('make', [], { retries: 5, backoff: 1 });
    await t.rejects(handle.result({ timeout: '10s' }), {
      cause: { name: 'BadResultError', message },
    });
    t.equal(runs, 1);
  });
}

scene('what a job gives back arrives as JSON has it', async (t, stage) => {
  const values: Record<string, unknown> = {
    nothing: undefined, none: null, zero: 0, text: 'é\u2028', list: [1, [2]], deep: { a: { b: null } },
  }; // prettier-ignore
  stage.worker({ give: async (key: string) => values[key], day: () => new Date(0) });
  const queue = stage.queue();
  for (const [key, value] of Object.entries(values)) {
    t.same(await (await queue.enqueue('give', [key])).result({ timeout: '10s' }), value);
  }
  t.equal(
    await (await queue.enqueue('day')).result({ timeout: '10s' }),
    '1970-01-01T00:00:00.000Z',
  );
});
